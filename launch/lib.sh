# shellcheck shell=bash
# Shared by quickstart, test and scaling. build() expects the checkout's root as working directory.

# shellcheck disable=SC2034  # the scripts that source this file use the lists
build_packages="g++ cmake ninja-build openmpi-bin libopenmpi-dev libboost-program-options-dev libdnnl-dev
  libopenblas-openmp-dev zlib1g-dev liblzma-dev libzstd-dev nlohmann-json3-dev libfmt-dev libssl-dev libonnx-dev
  libprotobuf-dev dataset-fashion-mnist"
test_packages="libgtest-dev libbenchmark-dev python3 iproute2 clang-format-14 clang-tidy-16
  shellcheck flake8 slurmd slurmctld slurm-client munge"  # without a configuration, Slurm's services do not start
# shellcheck disable=SC2034
report_packages="python3-numpy python3-scipy python3-matplotlib python3-jinja2"  # of launch/scaling; train --plot needs matplotlib

# install_missing PACKAGE...: installs missing packages with apt, and with sudo if the user is not root.
install_missing() {
  local missing=() package sudo=
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && { echo "packages: all are installed"; return; }
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "packages missing: ${missing[*]}; expected them, or sudo" >&2; return 1; }
    sudo=sudo
  fi
  echo "packages: installing ${missing[*]}"
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# install_python FOLDER PACKAGE...: installs Python packages from PyPI into FOLDER, except those that it has. If that
# fails, for example without a network, the tests that need the packages are skipped.
install_python() {
  local folder=$1 missing=() package
  shift
  for package in "$@"; do
    [ -d "$folder/$package" ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "packages: installing ${missing[*]} from PyPI into $folder"
  python3 -m pip install -q --retries 1 --timeout 15 --only-binary :all: --target "$folder" "${missing[@]}" ||
    echo "packages: cannot install ${missing[*]} from PyPI; tests that need them are skipped"
}

# build PRESET [CMAKE-OPTION...]: configures and builds. If nothing has changed, ninja does nothing.
build() {
  local preset=$1
  shift
  cmake --preset "$preset" "$@" >/dev/null
  cmake --build --preset "$preset"
}
