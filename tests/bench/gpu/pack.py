#!/usr/bin/env python3
"""Packs what tests/gpu_check.sh needs on a machine without this project's packages: `tests/gpu_check.sh --pack FILE`.

The pack is one folder in a tar file: programs and the list of tests (build/), the libraries that they load (lib/),
Open MPI (openmpi/), Fashion-MNIST (data/), the scripts (tests/, launch/), and `run`, which starts a command with all
of these. glibc, the driver, cuBLASLt and NCCL are not packed: `run` looks for them on the target.
"""
import argparse
import json
import lzma
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

PROGRAMS = ("train", "matmul", "gpu_bench", "kernels_test", "distributed_test", "matmul_test", "nn_test", "wrong_call")
SCRIPTS = ("tests/gpu_check.sh", "tests/bench/gpu", "tests/cli", "tests/distributed/wrong_call_test.py", "launch")
FASHION_MNIST = pathlib.Path("/usr/share/datasets/fashion-mnist")
GLIBC = r"(ld-linux.*|lib(c|m|mvec|pthread|dl|rt|resolv|util|anl))\.so"
ON_THE_TARGET = r"lib(nccl|cublas|cublasLt|cuda|nvidia-.*)\.so"  # hundreds of megabytes, or the driver's
COMPILER = r"lib(stdc\+\+|gcc_s)\.so"  # `run` takes the newer one: the pack's or the target's
# Plugins for fast networks, other launchers and OpenSHMEM. They would need many more libraries.
NO_PLUGINS = re.compile(r"ofi|ucx|openib|psm|monitoring|netlink|oshmem|scoll|sshmem|spml|memheap|atomic|_dbg_")
DICTIONARY = 128 << 20  # bytes: programs share most of their code


def refuse(message):
    print(f"gpu_check: {message}", file=sys.stderr)
    sys.exit(2)


def listing(command, **settings):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, **settings).stdout


class Pack:
    def __init__(self, build, source, folder, emulated):
        self.build, self.source, self.folder, self.emulated = build, source, folder, emulated
        self.environment = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
        if emulated:
            self.environment["LD_LIBRARY_PATH"] = str(build / "cuda_on_cpu")
        for name in ("build", "lib", "lib/compiler", "openmpi/bin", "data"):
            (folder / name).mkdir(parents=True)

    def fill(self):
        for name in PROGRAMS:
            if not (self.build / name).is_file():
                refuse(f"--build {self.build}: has no {name}; expected a whole build with RECOMBINE_CUDA=ON")
            self.add_binary(self.build / name, f"build/{name}")
        self.add_open_mpi()
        if self.emulated:  # some of its libraries are opened at run time
            for path in sorted((self.build / "cuda_on_cpu").glob("*.so*")):
                self.add_binary(path, f"lib/{path.name}")
        for path in SCRIPTS:
            copy = shutil.copytree if (self.source / path).is_dir() else shutil.copy2
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            copy(self.source / path, self.folder / path)
        if FASHION_MNIST.is_dir():
            shutil.copytree(FASHION_MNIST, self.folder / "data" / "fashion-mnist")
        shutil.copy2(self.source / "tests/bench/gpu/pack_run.sh", self.folder / "run")
        self.write_tests()
        self.write_settings()

    def add_binary(self, path, name):
        """Copies a program or library without its debug symbols, and the libraries that it loads."""
        target = self.folder / name
        if target.exists():
            return
        shutil.copy(path, target)
        target.chmod(0o755)
        subprocess.run(["strip", "--strip-unneeded", str(target)], check=True)
        for line in listing(["ldd", str(path)], env=self.environment).splitlines():
            found = re.match(r"\s*(\S+) => (/\S+)", line)
            if "not found" in line:
                sys.exit(f"gpu_check: {path}: {line.strip()}; expected a build that runs on this machine")
            if not found or re.match(GLIBC, found[1]) or (not self.emulated and re.match(ON_THE_TARGET, found[1])):
                continue
            where = "lib/compiler" if re.match(COMPILER, found[1]) else "lib"
            library = self.folder / where / found[1]
            if not library.exists():
                shutil.copy(found[2], library)
                subprocess.run(["strip", "--strip-unneeded", str(library)], check=True)

    def add_open_mpi(self):
        listed = listing(["ompi_info", "--path", "all", "--parsable"])
        paths = dict(line.split(":", 2)[1:] for line in listed.splitlines() if line.startswith("path:"))
        prefix, plugins = pathlib.Path(paths["prefix"]), pathlib.Path(paths["pkglibdir"])
        for name in ("mpirun", "orted"):
            self.add_binary(pathlib.Path(shutil.which(name)).resolve(), f"openmpi/bin/{name}")
        (self.folder / "openmpi/bin/mpiexec").symlink_to("mpirun")
        to = self.folder / "openmpi" / plugins.relative_to(prefix)
        to.mkdir(parents=True)
        for path in sorted(plugins.glob("mca_*.so")):
            if not NO_PLUGINS.search(path.name):
                self.add_binary(path, to.relative_to(self.folder) / path.name)
        help_files = pathlib.Path(paths["pkgdatadir"])
        shutil.copytree(help_files, self.folder / "openmpi" / help_files.relative_to(prefix))
        self.add_pmix(to / "mca_pmix_ext3x.so")

    def add_pmix(self, plugin):
        """PMIx has its own plugins, unless it is a part of Open MPI."""
        found = plugin.exists() and re.search(r"libpmix\.so\S* => (\S+)", listing(["ldd", str(plugin)]))
        if not found:
            return
        prefix = pathlib.Path(found[1]).resolve().parents[1]
        (self.folder / "pmix/lib/pmix").mkdir(parents=True)
        for path in sorted(prefix.glob("lib/pmix/*.so")):
            self.add_binary(path, f"pmix/lib/pmix/{path.name}")
        if (prefix / "share/pmix").is_dir():
            shutil.copytree(prefix / "share/pmix", self.folder / "pmix/share/pmix")

    def write_tests(self):
        """Writes the tests that CTest knows, with paths that begin with @PACK@."""
        tests = json.loads(listing(["ctest", "--test-dir", str(self.build), "--show-only=json-v1"]))
        text = json.dumps({"tests": tests["tests"]}).replace(str(self.build), "@PACK@/build")
        built_from = re.search(r"CMAKE_HOME_DIRECTORY:\w+=(.+)", (self.build / "CMakeCache.txt").read_text())[1]
        (self.folder / "build" / "tests.json").write_text(text.replace(built_from, "@PACK@"))

    def write_settings(self):
        """Writes what `run` checks on the target."""
        cuda = set()
        for name in PROGRAMS:
            needed = re.findall(r"NEEDED.*\[(\S+)\]", listing(["readelf", "-d", str(self.build / name)]))
            cuda |= {library for library in needed if re.match(ON_THE_TARGET, library)}
        version = re.search(r"#define CUBLAS_VER_MAJOR (\d+)", cublas_header(self.build))
        cuda.add(f"libcublasLt.so.{version[1]}")  # opened at run time
        lines = [f"glibc={os.confstr('CS_GNU_LIBC_VERSION').split()[1]}",
                 f"cuda_libraries='{'' if self.emulated else ' '.join(sorted(cuda))}'",
                 f"emulated={'yes' if self.emulated else 'no'}"]
        (self.folder / "settings").write_text("\n".join(lines) + "\n")


def cublas_header(build):
    cache = (build / "CMakeCache.txt").read_text()
    nvcc = re.search(r"CMAKE_CUDA_COMPILER:\w+=(\S+)/bin/nvcc", cache)
    for folder in ([pathlib.Path(nvcc[1])] if nvcc else []) + [pathlib.Path("/usr/local/cuda")]:
        for path in [*folder.glob("include/cublas_api.h"), *folder.glob("targets/*/include/cublas_api.h")]:
            return path.read_text()
    sys.exit("gpu_check: cublas_api.h: not found next to nvcc; expected CUDA's headers")


def write_tar(folder, file, compress):
    filters = [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": 1, "dict_size": DICTIONARY}]
    with lzma.open(file, "wb", filters=filters) if compress else open(file, "wb") as packed:
        with tarfile.open(fileobj=packed, mode="w") as tar:
            tar.add(folder, arcname="gpu_pack")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--pack", type=pathlib.Path, required=True)
    parser.add_argument("--emulated", action="store_true")
    options, others = parser.parse_known_args()
    if others:
        refuse(f"{others[0]}: is not for --pack; expected only --build and --emulated with it")
    if not options.pack.name.endswith((".tar", ".tar.xz")):
        refuse(f"--pack {options.pack}: expected FILE.tar.xz, or FILE.tar (larger, but packed quickly)")
    if not os.access(options.pack.resolve().parent, os.W_OK):
        refuse(f"--pack {options.pack}: cannot write there; expected a path in a writable folder")
    source = pathlib.Path(__file__).resolve().parents[3]
    with tempfile.TemporaryDirectory(dir=options.pack.resolve().parent) as folder:
        Pack(options.build.resolve(), source, pathlib.Path(folder) / "gpu_pack", options.emulated).fill()
        part = options.pack.with_name(options.pack.name + ".part")
        write_tar(pathlib.Path(folder) / "gpu_pack", part, options.pack.suffix == ".xz")
        part.rename(options.pack)
    print(f"gpu_check: {options.pack}: {options.pack.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
