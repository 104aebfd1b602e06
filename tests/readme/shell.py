"""Runs commands as a user does who types them in one shell, and the folders that they see."""
import os
import pathlib
import signal
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import npy
from stand_ins import IMAGES

LIMIT = 300  # s, for one command
STAND_INS = ("mpirun", "cmake", "apt-get", "sudo")
# Runs a command, then writes the shell's folder and environment.
SCRIPT = """cd "$1" || exit
trap 'code=$?; pwd > "$2"; env -0 >> "$2"; exit $code' EXIT
set -e -o pipefail
eval "$3"
"""


class Copy:
    """A folder that looks like the checkout with its build folder, made of links, so that commands may write into it.
    """

    def __init__(self, folder, root, build):
        self.folder, self.root, self.build = folder / "recombine", root, build
        for part in ("", "build", "launch"):
            (self.folder / part).mkdir()
        for path in root.iterdir():
            if path.name not in ("launch", ".git") and not path.name.startswith("build"):
                (self.folder / path.name).symlink_to(path)
        for path in (root / "launch").iterdir():
            if path.name != "scaling":
                (self.folder / "launch" / path.name).symlink_to(path)
        for path in build.iterdir():
            if path.name == "cuda_on_cpu" or (path.is_file() and os.access(path, os.X_OK)):
                (self.folder / "build" / path.name).symlink_to(path)
        self.programs = folder / "programs"
        self.programs.mkdir()
        stand_in = pathlib.Path(__file__).resolve().parent / "stand_ins.py"
        for path in [self.programs / name for name in STAND_INS] + [self.folder / "launch/scaling"]:
            path.write_text(f'#!/bin/sh\nexec {sys.executable} {stand_in} {path.name} "$@"\n', encoding="utf-8")
            path.chmod(0o755)
        for place in (self.folder, self.folder / "build"):
            write_files(place)

    def environment(self):
        """That of a user: without the settings that CTest gives to tests."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("OMPI_", "PMIX_", "OMP_"))}
        return {**own, "PATH": f"{self.programs}:{own['PATH']}", "README_TEST_PROGRAMS": own["PATH"],
                "README_TEST_BUILD": str(self.build), "README_TEST_ROOT": str(self.root),
                "README_TEST_COPY": str(self.folder)}


def write_files(folder):
    """Small files for the names that pages use for a reader's own: A.npy [64,48] and B.npy [48,32]; X.npy and Y.npy
    with 100 rows; hosts.txt; and a folder of images in the format of MNIST."""
    for name, rows, cols in (("A", 64, 48), ("B", 48, 32), ("X", 100, 8), ("Y", 100, 1)):
        npy.write(folder / f"{name}.npy", [[(7 * row + 3 * col) % 11 for col in range(cols)] for row in range(rows)])
    (folder / "hosts.txt").write_text("localhost slots=8\n", encoding="utf-8")
    images = folder / IMAGES
    images.mkdir(parents=True)
    for name, count in (("train", 200), ("t10k", 50)):
        # Ten classes: in class c the pixels of band c are bright.
        pixels = bytes(200 * (pixel // 79 == row % 10) + row % 50 for row in range(count) for pixel in range(784))
        (images / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, count, 28, 28) + pixels)
        labels = bytes(row % 10 for row in range(count))
        (images / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + labels)


class Shell:
    """One shell: each command begins where the one before it ended, in folder and environment."""

    def __init__(self, copy, scratch):
        self.state_file = scratch / "state"
        self.folder, self.environment = str(copy.folder), copy.environment()
        self.run("source launch/env")

    def state(self):
        changing = ("_", "SHLVL", "OLDPWD")
        return self.folder, tuple(sorted((n, v) for n, v in self.environment.items() if n not in changing))

    def run(self, command):
        """(exit code, stdout and stderr). Exit code 124 after LIMIT seconds."""
        words = ["bash", "-c", SCRIPT, "bash", self.folder, str(self.state_file), command]
        with subprocess.Popen(words, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True) as shell:
            try:
                output, code = shell.communicate(timeout=LIMIT)[0], shell.returncode
            except subprocess.TimeoutExpired:
                os.killpg(shell.pid, signal.SIGKILL)
                return 124, f"{shell.communicate()[0]}\nended after {LIMIT} s"
        folder, _, environment = self.state_file.read_text(encoding="utf-8", errors="surrogateescape").partition("\n")
        self.folder = folder
        self.environment = dict(entry.split("=", 1) for entry in environment.split("\0") if entry)
        return code, output
