"""Another user puts links and pipes at names that root's job might use for its files: the job succeeds, and does not
change that user's files.

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
NAMES = 6000  # per output file: one for each of the next 6000 process ids
OUTPUTS = ["w.safetensors", "s.json", "m.jsonl", "c.npy", "c.json"]


def as_nobody(work):
    """Runs `work` in a child process with the user id NOBODY."""
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
    """A function that calls make(path) for every name with one of the next process ids; also makes a link at the final
    name of one file."""
    def plant(first):
        most = int(pathlib.Path("/proc/sys/kernel/pid_max").read_text())
        os.symlink(folder.parent / "foreign", folder / outputs[0])
        for name in outputs:
            for number in range(first, first + NAMES):
                make(folder / f"{name}.{number % most}.tmp")
    return plant


def attack(train, matmul, top, make, outputs, checks):
    """Runs two jobs of root in a folder in which the user NOBODY has made links or pipes by `make`."""
    top.chmod(0o755)
    foreign = top / "foreign"
    foreign.write_text("foreign")
    folder = top / "open"
    folder.mkdir()
    folder.chmod(0o777)  # no sticky bit: with it Linux may refuse to follow such links
    checks.expect(as_nobody(planter(folder, make, outputs)), "the user NOBODY could not make the files")
    planted = {path: os.lstat(path) for path in folder.glob("*.tmp")}
    checks.expect(len(planted) == NAMES * len(outputs), f"only {len(planted)} files were made")
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
    checks.expect(foreign.read_text() == "foreign", "the target of a link was written")
    after = {path: os.lstat(path) for path in folder.glob("*.tmp")}
    kept = [path for path, status in planted.items()
            if path in after and (after[path].st_ino, after[path].st_mode) == (status.st_ino, status.st_mode)]
    checks.expect(len(kept) == len(after) == len(planted), f"only {len(kept)} of {len(planted)} files are unchanged")
    for name in OUTPUTS:
        status = os.lstat(folder / name) if os.path.lexists(folder / name) else None
        checks.expect(status and stat.S_ISREG(status.st_mode) and status.st_uid == 0, f"{name} is not a file of root")
    if not checks.failures:
        json.loads((folder / "s.json").read_text())
        npy.read(folder / "c.npy")


def main():
    if os.geteuid() != 0:
        raise Skip("needs root, to make files as another user")
    train, matmul = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    checks = Checks()
    for make, outputs in [(lambda path: os.symlink("../foreign", path), OUTPUTS), (os.mkfifo, ["s.json", "c.json"])]:
        with tempfile.TemporaryDirectory() as folder:
            attack(train, matmul, pathlib.Path(folder), make, outputs, checks)
    checks.finish()


run_test(main)
