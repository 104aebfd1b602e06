#!/usr/bin/env bash
# On a machine with GPUs: checks and measures what the emulation cannot show. One table, one JSON file.
#
#   tests/gpu_check.sh [--build DIR] [--json FILE] [--parts PART,...] [--seconds N] [--part-seconds N] [--quick]
#                      [--emulated]
#   tests/gpu_check.sh --pack FILE.tar.xz [--build DIR] [--emulated]
#   tests/gpu_check.sh --from FILE|FOLDER [OPTION...]
#   tests/gpu_check.sh --table FILE
#
#   --build DIR       a build with RECOMBINE_CUDA=ON; without this option, build-gpu/ is configured and built
#   --json FILE       file for the rows (gpu_check.jsonl): a line of JSON each, written as soon as it is measured
#   --parts LIST      of train-small, train-large, train-accuracy, torch, all_reduce-staged, all_reduce-nccl, kernels,
#                     products, profile, tests-np1, tests-staged, tests-nccl, racecheck, synccheck, memcheck; or of
#                     these groups: train, tests, sanitizer, all_reduce. Default: all, the most important first
#   --seconds N       limit of the whole run. The report names what was not done by then; that is no failure
#   --part-seconds N  limit of each part, and of each program of tests and sanitizers. Default: the limits in
#                     tests/bench/gpu/parts.py. A part that reaches its limit is ended and fails; its rows stay
#   --quick           tiny sizes, to try the script: its figures mean nothing
#   --emulated        the same without a GPU, on tests/cuda_on_cpu
#   --pack FILE       checks nothing; packs what a machine without this project's packages needs (tar, or tar.xz)
#   --from FILE       unpacks such a pack into a temporary folder, and runs from it. Or FOLDER: an unpacked pack
#   --table FILE      prints the tables of an earlier run, also of one that was killed
#
# torch: the same networks and products in PyTorch, if python3 has it, and a table with ours next to it.
# Exit code: 0; 1: something failed; 2: an option is wrong; 77: no GPU here. The report names parts that could not run.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

build=
pack=
from=
emulated=no
arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    --build | --json | --parts | --seconds | --part-seconds | --table | --pack | --from)
      [ $# -gt 1 ] || { echo "gpu_check: $1: needs a value" >&2; exit 2; }
      case $1 in
        --build) build=$2 ;;
        --pack) pack=$2 ;;
        --from) from=$2 ;;
        --table) exec python3 -B "$root/tests/bench/gpu/gpu_check.py" --table "$2" ;;
        *) arguments+=("$1" "$2") ;;
      esac
      shift ;;
    --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    --quick) arguments+=("$1") ;;
    --emulated) emulated=yes arguments+=("$1") ;;
    *) echo "gpu_check: '$1': expected an option that --help lists" >&2; exit 2 ;;
  esac
  shift
done

start_from() {  # FOLDER
  [ -x "$1/run" ] || { echo "gpu_check: --from $from: has no run; expected a pack made by --pack" >&2; exit 2; }
  exec "$1/tests/gpu_check.sh" ${arguments[@]+"${arguments[@]}"}
}

if [ -d "$from" ]; then
  start_from "$from"
elif [ -n "$from" ]; then
  [ -r "$from" ] || { echo "gpu_check: --from $from: cannot be read; expected a pack made by --pack" >&2; exit 2; }
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  if ! unpacked=$(python3 -m tarfile -e "$from" "$folder" 2>&1); then
    unpacked=${unpacked##*$'\n'}
    echo "gpu_check: --from $from: ${unpacked%.}; expected a pack made by --pack" >&2
    exit 2
  fi
  (start_from "$folder/gpu_pack") &
  trap 'kill -TERM $!' TERM INT HUP
  code=0
  while wait $! || code=$?; kill -0 $! 2>/dev/null; do code=0; done  # a signal ends `wait`, too
  exit $code
fi

if [ $emulated = no ] && [ -z "$pack" ] && ! nvidia-smi -L 2>/dev/null | grep -q '^GPU '; then
  echo "gpu_check: no GPU here (nvidia-smi lists none): nothing was checked"
  exit 77
fi

# shellcheck source=launch/env
. "$root/launch/env"
if [ -z "$build" ] && [ -x "$root/run" ]; then  # this script is in a pack
  build=$root/build
fi
if [ -z "$build" ]; then
  build=$root/build-gpu
  cmake --preset release -S "$root" -B "$build" -DRECOMBINE_TESTS=ON -DRECOMBINE_CUDA=ON || exit 1
  cmake --build "$build" || exit 1
fi
if [ -n "$pack" ]; then
  exec python3 -B "$root/tests/bench/gpu/pack.py" --build "$build" --pack "$pack" ${arguments[@]+"${arguments[@]}"}
fi
exec python3 -B "$root/tests/bench/gpu/gpu_check.py" --build "$build" ${arguments[@]+"${arguments[@]}"}
