"""Faults of a disk and of checkpoints: each is told in one line, with exit code 1 during the run and 2 before it. The
last good checkpoint still loads, and nothing half-written is left.

usage: checkpoint_faults_test.py TRAIN POINTS [--places N] [--seed S]
POINTS is the library of tests/preload/points.cpp. N: how many bits of a file are flipped, each in a run of its own;
0: one in each byte of the header, and as many in the tensors.
"""
import argparse
import errno
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "preload"))

from checkpoints import Folder  # noqa: E402
from mounts import NAMESPACE, can_mount  # noqa: E402
from points import Points, plan  # noqa: E402
from program import SETTINGS, Checks, run, start, wait_for  # noqa: E402

NP = 2
DATA = ["--data", "synthetic:400,12,3", "--hidden", "48,40", "--batch-size", 80, "--quiet"]
ENDLESS = ["--epochs", 1_000_000]
BLOCK = 4096
NOTES = ["the learning rate was", "training waited"]  # lines that are no errors


class Faults:
    """Runs in one folder; the checkpoints are in the folder ck."""

    def __init__(self, arguments, folder, checks):
        self.train, self.folder, self.checks = arguments.train, pathlib.Path(folder), checks
        self.places, self.rng = arguments.places, random.Random(arguments.seed)
        self.points = Points(arguments.points, self.train, folder)
        self.checkpoints = Folder(self.folder / "ck")

    def told(self, what, done, code, *words):
        """The run ended with `code` and one line, which contains `words`."""
        lines = [line for line in done.stderr.splitlines() if not any(note in line for note in NOTES)]
        expected = len(lines) == 1 and lines[0].startswith("train: ") and all(word in lines[0] for word in words)
        return self.checks.expect(done.returncode == code and expected,
                                  f"{what}: exit {done.returncode}, expected {code}, {words}: {done.stderr}")

    def train_with(self, *more, what=None, np=NP, **settings):
        environment = self.points.environment(self.folder / "ck", what)
        return run(self.train, np, *DATA, *more, cwd=self.folder, environment=environment, timeout=120, **settings)

    def resumed_from(self, what, expected, *resume):
        """Trains one step more: it is the one after step `expected`. Returns the messages of that run."""
        done = self.train_with("--checkpoint", "ck", *(resume or ("--resume", "auto")), "--metrics", "r.jsonl",
                               "--steps", expected + 1, *ENDLESS)
        if self.checks.expect(done.returncode == 0, f"{what}: resumed: exit {done.returncode}: {done.stderr}"):
            lines = map(json.loads, (self.folder / "r.jsonl").read_text().splitlines())
            first = next((line for line in lines if "step" in line), {})
            self.checks.expect(first.get("step") == expected + 1,
                               f"{what}: resumed at {first}, not after step {expected}")
        (self.folder / "r.jsonl").unlink(missing_ok=True)
        return [line for line in done.stderr.splitlines() if not any(note in line for note in NOTES)]

    def whole(self, what, unfinished=0):
        faults = self.checkpoints.faults(unfinished)
        self.checks.expect(not faults, f"{what}: {faults}")

    def fresh(self):
        shutil.rmtree(self.folder / "ck", ignore_errors=True)

    def make(self, steps, *more):
        """A folder with checkpoints of every step."""
        self.fresh()
        done = self.train_with("--checkpoint", "ck", "--checkpoint-every", 1, "--steps", steps, *ENDLESS, *more)
        if not self.checks.expect(done.returncode == 0, f"no checkpoints: exit {done.returncode}: {done.stderr}"):
            self.checks.finish()
        self.whole("made")


def check_failed_calls(faults):
    """The disk is full, or fails, at each part of a checkpoint; in the other rank too. The one before stays whole."""
    faults.make(1)
    first = faults.checkpoints.file(1).read_bytes()
    kept = faults.folder / "kept"
    shutil.copytree(faults.folder / "ck", kept)
    for point, number, rank in [("reserve", errno.ENOSPC, 0), ("write", errno.ENOSPC, 0), ("write", errno.ENOSPC, 1),
                                ("fsync", errno.ENOSPC, 0), ("fsync", errno.EIO, 1), ("rename", errno.EROFS, 0),
                                ("latest", errno.ENOSPC, 0)]:
        what = f"{point} of rank {rank}: {os.strerror(number)}"
        faults.fresh()
        shutil.copytree(kept, faults.folder / "ck")
        done = faults.train_with("--checkpoint", "ck", "--checkpoint-every", 4, "--resume", "auto", *ENDLESS,
                                 what=plan(point, "error", number, rank=rank))
        faults.told(what, done, 1, "--checkpoint ck", os.strerror(number))
        faults.whole(what, unfinished=1 if point in ("rename", "latest") else 0)  # a finished file is kept
        found = faults.checkpoints.steps()
        faults.checks.expect(found == ([1, 4] if point == "latest" else [1]), f"{what}: there are {found}")
        faults.checks.expect(faults.checkpoints.file(1).read_bytes() == first,
                             f"{what}: the checkpoint before has changed")
        faults.checks.expect(faults.checkpoints.latest() == 1, f"{what}: latest names {faults.checkpoints.latest()}")
    faults.resumed_from("the disk is full", 1)
    faults.whole("after a disk that was full")


def check_small_disk(faults):
    """A real disk that has room for two checkpoints and not for three."""
    faults.make(1)
    size = faults.checkpoints.file(1).stat().st_size
    faults.fresh()
    (faults.folder / "ck").mkdir()
    room = 2 * size + size // 2 + 3 * BLOCK
    script = f"mount -t tmpfs -o size={room} none ck && \"$@\"; code=$?; cp -a ck/. kept; exit $code"
    command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", NP, faults.train, *DATA, "--checkpoint", "ck",
               "--checkpoint-every", 2, *ENDLESS]
    (faults.folder / "kept").mkdir()
    done = subprocess.run([*NAMESPACE, "bash", "-c", script, "bash", *map(str, command)], cwd=faults.folder,
                          env={**os.environ, **SETTINGS}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60)
    faults.told("a small disk", done, 1, "--checkpoint ck", os.strerror(errno.ENOSPC))
    (faults.folder / "ck").rmdir()
    (faults.folder / "kept").rename(faults.folder / "ck")
    faults.whole("a small disk")
    steps = faults.checkpoints.steps()
    faults.checks.expect(len(steps) == 2, f"a small disk: there are {steps}")
    faults.resumed_from("a small disk", steps[-1])


def check_read_only(faults):
    faults.make(1)
    script = "mount --bind ck ck && mount -o remount,bind,ro ck && exec \"$@\""
    command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", NP, faults.train, *DATA, "--checkpoint", "ck",
               "--resume", "auto", *ENDLESS]
    done = subprocess.run([*NAMESPACE, "bash", "-c", script, "bash", *map(str, command)], cwd=faults.folder,
                          env={**os.environ, **SETTINGS}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=60)
    faults.told("a read-only folder", done, 2, "--checkpoint ck", os.strerror(errno.EROFS))
    faults.resumed_from("a read-only folder", 1)


def check_largest_file(faults):
    """A limit that acts like a full disk, before the first checkpoint."""
    faults.fresh()
    script = faults.folder / "limited.sh"
    script.write_text(f'#!/bin/bash\nulimit -f 20\nexec {faults.train} "$@"\n')  # KiB
    script.chmod(0o755)
    done = run(script, 1, *DATA, "--checkpoint", "ck", "--checkpoint-every", 1, *ENDLESS, cwd=faults.folder)
    faults.told("the largest file", done, 1, "--checkpoint ck", os.strerror(errno.EFBIG))
    faults.whole("the largest file")
    faults.checks.expect(faults.checkpoints.names() == {"lock"}, f"the largest file: left {faults.checkpoints.names()}")


def check_removed_folder(faults):
    """At a random time, and after rank 0 has made the file and before the others open it."""
    for what in [None, plan("reserve", "stall", rank=0, count=2, delay=1_000_000)]:
        faults.fresh()
        environment = faults.points.environment(faults.folder / "ck", what)
        with start(faults.train, NP, *DATA, "--checkpoint", "ck", "--checkpoint-every", 20, *ENDLESS, cwd=faults.folder,
                   environment=environment) as job:
            wait_for(lambda: faults.points.stalled if what else faults.checkpoints.latest() is not None)
            (faults.folder / "ck").rename(faults.folder / "gone")
            shutil.rmtree(faults.folder / "gone")
            errors = job.communicate(timeout=60)[1]
        done = subprocess.CompletedProcess(job.args, job.returncode, "", errors)
        faults.told(f"the folder removed, {what}", done, 1, "--checkpoint ck", "removed")
        faults.checks.expect(not (faults.folder / "ck").exists(), "the folder removed: it is there again")


def check_two_runs(faults):
    """The lock ends with its holder, even if that is killed."""
    faults.fresh()
    again = ["--checkpoint", "ck", "--resume", "auto"]
    with start(faults.train, NP, *DATA, *again, "--checkpoint-every", 20, *ENDLESS, cwd=faults.folder,
               environment=faults.points.environment(faults.folder / "ck")) as job:
        wait_for(lambda: faults.checkpoints.latest() is not None)
        processes = faults.points.processes()
        faults.told("a second run", faults.train_with(*again, *ENDLESS), 2, "--checkpoint ck", "another run")
        faults.checks.expect(job.poll() is None, "a second run ended the first")
        for process in processes:
            os.kill(process, 9)
        job.communicate(timeout=60)
    faults.whole("a killed holder of the lock")
    faults.resumed_from("a killed holder of the lock", faults.checkpoints.latest())
    done = faults.train_with("--checkpoint", "ck", *ENDLESS)
    faults.told("no --resume", done, 2, "--checkpoint ck", "--resume")


def damaged(faults, what, change):
    """The newest of three checkpoints is damaged by `change(bytes)`: with its name it is refused; auto takes the one
    before."""
    newest = faults.checkpoints.file(3)
    old = newest.read_bytes()
    newest.write_bytes(change(bytearray(old)))
    named = faults.train_with("--resume", f"ck/{newest.name}", "--steps", 4, *ENDLESS, np=1)
    faults.told(what, named, 2, newest.name)
    return old


def check_damaged(faults):
    faults.make(3)
    size = faults.checkpoints.file(3).stat().st_size
    header = 8 + int.from_bytes(faults.checkpoints.file(3).read_bytes()[:8], "little")
    kept = faults.folder / "kept"
    shutil.copytree(faults.folder / "ck", kept)

    def flipped(place):
        bit = faults.rng.randrange(8)

        def change(data):
            data[place] ^= 1 << bit
            return data
        return f"byte {place} of {size}, the header ends at {header}: bit {bit} flipped", change

    count = faults.places or header
    inside = range(header) if not faults.places else faults.rng.sample(range(header), count)
    changes = [flipped(place) for place in [*inside, *faults.rng.sample(range(header, size), count)]]
    cuts = list(range(0, size, BLOCK)) + [1, 8, header, size - 1]
    cuts = cuts if not faults.places else faults.rng.sample(cuts, min(count, len(cuts)))
    changes += [(f"cut to {cut} of {size} bytes", lambda data, cut=cut: data[:cut]) for cut in cuts]
    for index, (what, change) in enumerate(changes):
        old = damaged(faults, what, change)
        if index % 40 == 0 or (faults.places and index % 2 == 0):
            errors = faults.resumed_from(what, 2)
            faults.checks.expect(len(errors) == 1 and faults.checkpoints.file(3).name in errors[0],
                                 f"{what}: auto says: {errors}")
            shutil.rmtree(faults.folder / "ck")
            shutil.copytree(kept, faults.folder / "ck")
        faults.checkpoints.file(3).write_bytes(old)
    shutil.rmtree(kept)


def check_newer_version(faults):
    faults.make(3)

    def change(data):
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8:8 + length])
        header["__metadata__"]["recombine_checkpoint"] = "3"
        header["__metadata__"]["header_sha256"] = "0" * 64
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        digest = hashlib.sha256(text).hexdigest().encode()
        text = text.replace(b"0" * 64, digest)
        return len(text).to_bytes(8, "little") + text + data[8 + length:]

    damaged(faults, "a newer version", change)
    done = faults.train_with("--resume", f"ck/{faults.checkpoints.file(3).name}", "--steps", 4, *ENDLESS)
    faults.told("a newer version", done, 2, "version")


def check_clock(faults):
    """Times of files do not count: the newest checkpoint is that of the largest step."""
    faults.make(3)
    for step, time in [(1, 4e9), (2, 3e9), (3, 0)]:
        os.utime(faults.checkpoints.file(step), (time, time))
    os.utime(faults.folder / "ck" / "latest", (0, 0))
    faults.resumed_from("the clock was set back", 3)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("train", type=pathlib.Path)
    parser.add_argument("points", type=pathlib.Path)
    parser.add_argument("--places", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a part of the name of a check")
    arguments = parser.parse_args()
    arguments.train = arguments.train.resolve()
    checks = Checks()
    mounts = can_mount("mount", "-t", "tmpfs", "none", "/mnt")
    all_checks = [check_failed_calls, check_largest_file, check_removed_folder, check_two_runs, check_damaged,
                  check_newer_version, check_clock, *([check_small_disk, check_read_only] if mounts else [])]
    for check in all_checks:
        if arguments.only in check.__name__:
            with tempfile.TemporaryDirectory() as folder:
                check(Faults(arguments, folder, checks))
    if not mounts:
        print("not done: a small disk and a read-only folder; mounting needs root")
    checks.finish()


main()
