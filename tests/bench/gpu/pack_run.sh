#!/usr/bin/env bash
# In a pack of tests/gpu_check.sh --pack: starts a command with the pack's programs and libraries, for example
#
#   ./run mpirun -np 2 train --device cuda --collectives staged --data data/fashion-mnist
#   RECOMBINE_TEST_DEVICE=cuda RECOMBINE_TEST_COLLECTIVES=staged ./run mpirun -np 2 distributed_test
#
# tests/gpu_check.sh calls it for each program: PyTorch runs without it, with its own libraries.
pack=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
glibc='' cuda_libraries=''  # settings has their values
# shellcheck source=/dev/null
. "$pack/settings"
# shellcheck source=launch/env
. "$pack/launch/env"

here=$(getconf GNU_LIBC_VERSION | sed 's/.* //')
if [ "$(printf '%s\n' "$glibc" "$here" | sort -V | head -1)" != "$glibc" ]; then
  echo "run: glibc $here: the pack's programs were linked with $glibc; expected that version or a newer one" >&2
  exit 1
fi

# cuBLASLt and NCCL are too large to pack: CUDA or PyTorch provides them.
site=$(python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))' 2>/dev/null)
cuda=
for name in $cuda_libraries; do
  found=
  for folder in "$site"/nvidia/*/lib /usr/local/cuda*/lib64 /usr/local/cuda*/lib /usr/local/cuda*/targets/*/lib \
      $(ldconfig -p 2>/dev/null | sed -n "s|.*=> \(.*\)/$name\$|\1|p") ${LD_LIBRARY_PATH//:/ }; do
    if [ -e "$folder/$name" ]; then found=$folder; break; fi
  done
  if [ -z "$found" ]; then
    echo "run: $name: expected in python3's nvidia packages, /usr/local/cuda, ldconfig's list or LD_LIBRARY_PATH" >&2
    exit 1
  fi
  case :$cuda: in *:$found:*) ;; *) cuda=$cuda:$found ;; esac
done

# The older of two libstdc++ would lack symbols: use the pack's only if this machine has none, or an older one.
compiler=:$pack/lib/compiler
system=$(ldconfig -p 2>/dev/null | sed -n 's|.*libstdc++.so.6 .*x86-64.* => ||p' | head -1)
newest() { grep -ao 'GLIBCXX_3\.4\.[0-9]*' "$1" | sort -Vu | tail -1; }
if [ -n "$system" ]; then
  ours=$(newest "$pack/lib/compiler/libstdc++.so.6")
  [ "$(printf '%s\n' "$ours" "$(newest "$system")" | sort -V | tail -1)" = "$ours" ] || compiler=
fi

export LD_LIBRARY_PATH=$pack/lib$compiler$cuda${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PATH=$pack/build:$pack/openmpi/bin:$PATH
export OPAL_PREFIX=$pack/openmpi
if [ -d "$pack/pmix" ]; then
  export PMIX_PREFIX=$pack/pmix PMIX_PKGDATADIR=$pack/pmix/share/pmix PMIX_PKGLIBDIR=$pack/pmix/lib/pmix
fi
[ $# -gt 0 ] || set -- bash
exec "$@"
