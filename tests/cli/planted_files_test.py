"""Another user plants links and pipes where root's job might make its files: the job ends well, and changes nothing of theirs.

usage: planted_files_test.py TRAIN MATMUL; exit code 77 (skipped) unless run as root.
"""
import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile

import machine
import npy
from program import Checks, Skip, run, run_test

NOBODY = 65534
NAMES = 6000  # of each file: for as many process numbers from now on
OUTPUTS = ["w.safetensors", "s.json", "m.jsonl", "c.npy", "c.json"]


def as_nobody(work):
    """Runs `work` in a child process of that user."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            work(os.getpid())
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def planter(folder, make, outputs):
    """make(path) for the names that a process number would give; and at one file's own name a link."""
    def plant(first):
        most = int(pathlib.Path("/proc/sys/kernel/pid_max").read_text())
        os.symlink(folder.parent / "foreign", folder / outputs[0])
        for name in outputs:
            for number in range(first, first + NAMES):
                make(folder / f"{name}.{number % most}.tmp")
    return plant


def attack(train, matmul, top, make, outputs, checks):
    """A folder in which nobody has planted what `make` makes, and two jobs of root's there."""
    top.chmod(0o755)
    foreign = top / "foreign"
    foreign.write_text("foreign")
    folder = top / "open"
    folder.mkdir()
    folder.chmod(0o777)  # without the sticky bit, under which Linux may forbid to follow such links
    checks.expect(as_nobody(planter(folder, make, outputs)), "nobody could not plant anything")
    planted = {path: os.lstat(path) for path in folder.glob("*.tmp")}
    checks.expect(len(planted) == NAMES * len(outputs), f"{len(planted)} names are planted")
    constants = top / machine.write(top / "machine.json", 2)
    jobs = [(train, ["--data", "synthetic:200,12,3", "--hidden", 8, "--epochs", 1, "--quiet", "--save", OUTPUTS[0],
                     "--summary", OUTPUTS[1], "--metrics", OUTPUTS[2]]),
            (matmul, ["--m", 8, "--n", 8, "--k", 8, "--quiet", "--machine", constants, "--out", OUTPUTS[3],
                      "--json", OUTPUTS[4]])]
    for program, arguments in jobs:
        try:
            done = run(program, 2, *arguments, cwd=folder, timeout=60)
        except subprocess.TimeoutExpired:
            done = subprocess.CompletedProcess(arguments, "none: it did not end", "", "")
        checks.expect(done.returncode == 0, f"{program.name}: exit {done.returncode}: {done.stderr}")
    checks.expect(foreign.read_text() == "foreign", "a file that a link leads to was written")
    after = {path: os.lstat(path) for path in folder.glob("*.tmp")}
    kept = [path for path, status in planted.items()
            if path in after and (after[path].st_ino, after[path].st_mode) == (status.st_ino, status.st_mode)]
    checks.expect(len(kept) == len(after) == len(planted), f"of {len(planted)} planted names {len(kept)} are as they were")
    for name in OUTPUTS:
        status = os.lstat(folder / name) if os.path.lexists(folder / name) else None
        checks.expect(status and stat.S_ISREG(status.st_mode) and status.st_uid == 0, f"{name} is no file of root's")
    if not checks.failures:
        json.loads((folder / "s.json").read_text())
        npy.read(folder / "c.npy")


def main():
    if os.geteuid() != 0:
        raise Skip("only root has something that others may want to change")
    train, matmul = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    checks = Checks()
    for make, outputs in [(lambda path: os.symlink("../foreign", path), OUTPUTS), (os.mkfifo, ["s.json", "c.json"])]:
        with tempfile.TemporaryDirectory() as folder:
            attack(train, matmul, pathlib.Path(folder), make, outputs, checks)
    checks.finish()


run_test(main)
