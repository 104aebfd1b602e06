# shellcheck shell=sh
# What launch/hosts/check runs on each host: it sends this file and calls of these functions to `sh -s`. Needs only
# coreutils. Answers are lines that begin with "recombine-probe". It ignores other lines, for example of a login script.
LC_ALL=C
export LC_ALL
newline='
'

say() { printf 'recombine-probe %s\n' "$*"; }

machine() {
  say begin "$(date +%s.%N)"
  say cores "$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)"
  glibc=$(getconf GNU_LIBC_VERSION)
  say glibc "${glibc##* }"
  gpus=$(timeout 5 nvidia-smi -L 2>/dev/null </dev/null) || gpus=
  printf '%s\n' "$gpus" | { n=0; while read -r word _; do [ "$word" != GPU ] || n=$((n + 1)); done; say gpus $n; }
}

# open_mpi PREFIX: PREFIX is that of mpirun --prefix, or empty.
open_mpi() {
  [ -z "$1" ] || PATH=$1/bin:$PATH
  command -v orted >/dev/null || command -v prted >/dev/null || say no_daemon
  version=$(mpirun --version 2>/dev/null </dev/null)
  version=${version%%"$newline"*}
  say open_mpi "${version##* }"
}

program() {
  if [ ! -e "$1" ]; then
    say program_is missing
  elif [ ! -f "$1" ] || [ ! -x "$1" ] || [ ! -r "$1" ]; then
    say program_is unusable
  else
    hash=$(sha256sum <"$1")
    say program "${hash%% *}"
    say program_time "$(stat -L -c %Y "$1")"
    if version=$("$1" --version 2>&1 </dev/null); then
      say version "${version%%"$newline"*}"
    else
      say version_error "${version##*"$newline"}"
    fi
  fi
}

# data PATH LARGE: a file, or the files of a folder. Above LARGE bytes, only the first and the last MiB are hashed.
data() {
  if [ -d "$1" ]; then
    found=no
    for file in "$1"/*ubyte "$1"/*ubyte.gz; do [ ! -f "$file" ] || { found=yes; data_file "$file" "$2"; }; done
    [ $found = yes ] || for file in "$1"/*; do [ ! -f "$file" ] || data_file "$file" "$2"; done
  elif [ -e "$1" ]; then
    data_file "$1" "$2"
  fi
}

data_file() {
  size=$(stat -L -c %s "$1")
  if [ ! -r "$1" ]; then
    hash=unreadable
  elif [ "$size" -le "$2" ]; then
    hash=$(sha256sum <"$1")
  else
    hash=$({ head -c 1048576 "$1"; tail -c 1048576 "$1"; } | sha256sum)
  fi
  unpacked=$size
  case $1 in *.gz) unpacked=$(tail -c 4 "$1" | od -An -tu4) ;; esac  # gzip's last 4 bytes are the size
  say data "$size" $((unpacked)) "${hash%% *}" "$1"
}

# space NAME FOLDER SIGN: free bytes in FOLDER, or in the folder in which it can be made. SIGN: empty, or a file in it.
space() {
  folder=$2 is=there can=writable sign=shared
  [ -d "$2" ] || is=new
  [ -d "$2" ] || [ -d "$(dirname "$2")" ] || is=missing
  while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
  [ -w "$folder" ] || can=read-only
  [ -z "$3" ] || [ -e "$3" ] || sign=apart
  free=$(df --output=avail -B1 "$folder")
  say space "$1" "$((${free##*"$newline"}))" "$is" "$can" "$sign" "$2"
}
