"""An output file that is a mount point, as in containers, cannot be replaced: one line says so at the start, and the
result is written into the file at the end.

usage: mounted_files_test.py TRAIN MATMUL; exit code 77 (skipped) if this machine allows no mounts.
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import machine
import npy
from mounts import NAMESPACE, require_mount
from program import SETTINGS, Checks, run_test

TRAIN = ["--data", "synthetic:400,12,3", "--hidden", "32", "--epochs", "2", "--batch-size", "100"]
WIDE = ["--data", "synthetic:400,12,3", "--hidden", "10000"]
NOTE = "is a mount point: the result will be copied into it once it is finished"


class Places:
    """Files in the folder `outside`; a job sees each of them as a mount point in the folder `inside`."""

    def __init__(self, folder, names, content="old, and longer than some of the results: " + "x" * 5000):
        self.folder, self.names = pathlib.Path(folder), names
        for place in ("outside", "inside"):
            (self.folder / place).mkdir()
            for name in names:
                (self.folder / place / name).write_text(content)
        self.content = content

    def run(self, program, *arguments, before="true"):
        mounts = [f"mount --bind ../outside/{name} {name}" for name in self.names]
        script = " && ".join([*mounts, before, 'exec mpirun --oversubscribe --bind-to none -np 2 "$@"'])
        return subprocess.run([*NAMESPACE, "bash", "-c", script, "bash", str(program), *map(str, arguments)],
                              cwd=self.folder / "inside", env={**os.environ, **SETTINGS}, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120)

    def outside(self, name):
        return (self.folder / "outside" / name).read_bytes()

    def left(self):
        return {path.name for path in (self.folder / "inside").iterdir()} - set(self.names)

    def are_old(self):
        return all(self.outside(name).decode(errors="replace") == self.content for name in self.names)


def told(done, program, words):
    return [line for line in done.stderr.splitlines() if line.startswith(program.name + ": ") and words in line]


def check_written(train, matmul, folder, checks):
    places = Places(folder, ["w", "s.json", "m.jsonl", "c.npy", "c.json"])
    done = places.run(train, *TRAIN, "--save", "w", "--summary", "s.json", "--metrics", "m.jsonl")
    checks.expect(done.returncode == 0 and len(told(done, train, NOTE)) == 3,
                  f"train: {done.returncode}: {done.stderr}")
    constants = machine.write(places.folder / "inside" / "machine.json", 2)
    job = ["--m", 40, "--n", 30, "--k", 20, "--machine", constants, "--verify"]
    done = places.run(matmul, *job, "--out", "c.npy", "--json", "c.json")
    checks.expect(done.returncode == 0 and len(told(done, matmul, NOTE)) == 2,
                  f"matmul: {done.returncode}: {done.stderr}")
    done = places.run(matmul, *job, "--out", "plain.npy", "--quiet")
    checks.expect(done.returncode == 0 and not done.stderr, f"matmul, no mount point: {done.returncode}: {done.stderr}")
    if not checks.failures:
        weights = places.outside("w")
        tensors = weights[8 + int.from_bytes(weights[:8], "little"):]
        digest = json.loads(places.outside("s.json"))["weights_sha256"]
        checks.expect(hashlib.sha256(tensors).hexdigest() == digest, "--save: weights differ from those of --summary")
        lines = [json.loads(line) for line in places.outside("m.jsonl").splitlines()]
        checks.expect(len(lines) == 2 * (4 + 1), f"--metrics: {len(lines)} lines")
        json.loads(places.outside("c.json"))
        expected = npy.read(places.folder / "inside" / "plain.npy")
        checks.expect(npy.read(places.folder / "outside" / "c.npy") == expected, "--out: wrong product")
    checks.expect(places.left() == {"machine.json", "plain.npy"}, f"files left: {places.left()}")


def check_failed_run(train, _matmul, folder, checks):
    """If a run fails, the old files stay."""
    places = Places(folder, ["w", "s.json"])
    diverging = ["--loss", "mse", "--optimizer", "sgd", "--lr", "1e50", "--steps", 2]
    done = places.run(train, "--data", "synthetic:400,12,3", "--hidden", 32, *diverging, "--save", "w", "--summary",
                      "s.json", "--quiet")
    checks.expect(done.returncode == 2, f"diverging: exit {done.returncode}: {done.stderr}")
    checks.expect(places.are_old() and not places.left(), f"diverging: the old files are gone, or {places.left()} left")


def check_cannot_be_written(train, _matmul, folder, checks):
    places = Places(folder, ["w"])
    done = places.run(train, *TRAIN, "--save", "w", before="mount -o remount,bind,ro w")
    line = "train: --save w: is a mount point and cannot be written: Read-only file system; expected another path"
    checks.expect(done.returncode == 2 and told(done, train, "") == [line], f"{done.returncode}: {done.stderr}")
    checks.expect(places.are_old() and not places.left(), f"read-only: {places.left()} left")


def check_no_room(train, _matmul, folder, checks):
    """A full disk is an error at the start if the file's size is known; else the temporary file is kept and named."""
    places = Places(folder, ["w"])
    small = "mkdir ../small && mount -t tmpfs -o size=64k none ../small && touch ../small/f && mount --bind ../small/f "
    done = places.run(train, *WIDE, "--save", "w", before=small + "w")
    checks.expect(done.returncode == 2 and told(done, train, "--save w: cannot write there: No space left"),
                  f"no room for --save: {done.returncode}: {done.stderr}")
    checks.expect(not places.left(), f"no room for --save: {places.left()} left")
    fill = f"rmdir ../small; {small}w && {{ cat /dev/zero > ../small/zeros 2> /dev/null || true; }}"
    done = places.run(train, *TRAIN, "--summary", "w", "--quiet", before=fill)
    words = "--summary w: cannot copy the finished file to its place: No space left on device"
    (line,) = told(done, train, words) or [done.stderr]
    kept = line.split()[-1]
    checks.expect(done.returncode == 1 and places.left() == {kept},
                  f"{done.returncode}: {done.stderr}, {places.left()}")
    if not checks.failures:
        summary = json.loads((places.folder / "inside" / kept).read_text())
        checks.expect(summary["np"] == 2, "the kept file is not this run's summary")


def main():
    require_mount("mount", "-t", "tmpfs", "none", "/mnt")
    train, matmul = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    checks = Checks()
    for check in [check_written, check_failed_run, check_cannot_be_written, check_no_room]:
        with tempfile.TemporaryDirectory() as folder:
            check(train, matmul, folder, checks)
    checks.finish()


run_test(main)
