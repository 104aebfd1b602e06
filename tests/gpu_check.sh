#!/usr/bin/env bash
# On a machine with GPUs: everything that the emulation cannot vouch for. One table, one JSON file.
#
#   tests/gpu_check.sh [--build DIR] [--json FILE] [--parts PART,...] [--quick] [--emulated]
#
#   --build DIR    a build with RECOMBINE_CUDA=ON; else build-gpu/ is configured and built
#   --json FILE    where the figures go (gpu_check.json)
#   --parts LIST   of tests, sanitizer, kernels, products, all_reduce, train; all of them unless told
#   --quick        tiny sizes, to try the script: its figures say nothing
#   --emulated     the same without a GPU, on tests/cuda_on_cpu
#
# Exit code: 0; 1: something failed; 2: an option is wrong; 77: no GPU here. A part that could not be run is named.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

build=
emulated=no
arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    --build | --json | --parts)
      [ $# -gt 1 ] || { echo "gpu_check: $1: needs a value" >&2; exit 2; }
      if [ "$1" = --build ]; then build=$2; else arguments+=("$1" "$2"); fi
      shift ;;
    --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    --quick) arguments+=("$1") ;;
    --emulated) emulated=yes arguments+=("$1") ;;
    *) echo "gpu_check: '$1': expected --build DIR, --json FILE, --parts LIST, --quick or --emulated" >&2; exit 2 ;;
  esac
  shift
done

if [ $emulated = no ] && ! nvidia-smi -L 2>/dev/null | grep -q '^GPU '; then
  echo "gpu_check: no GPU here (nvidia-smi lists none): nothing was checked"
  exit 77
fi

. "$root/launch/env"
if [ -z "$build" ]; then
  build=$root/build-gpu
  cmake --preset release -S "$root" -B "$build" -DRECOMBINE_TESTS=ON -DRECOMBINE_CUDA=ON || exit 1
  cmake --build "$build" || exit 1
fi
exec python3 -B "$root/tests/bench/gpu/gpu_check.py" --build "$build" ${arguments[@]+"${arguments[@]}"}
