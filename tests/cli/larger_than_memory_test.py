"""Data that do not fit the memory they may use are read from a disk, batch by batch, with the losses of data in memory.
All runs have a /dev/shm of 64 MB, as in a container. With `--full`, a table of 2 GB for 512 MB of memory.

usage: larger_than_memory_test.py TRAIN [--full]; exit code 77 (skipped) if this machine allows no mounts.
"""
import array
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import npy
from mounts import NAMESPACE, require_mount
from program import SETTINGS, Checks, ranks_of, run_test

MOUNT = "mount -t tmpfs -o size=64m none /dev/shm"
COLS = 28
JOB = ["--hidden", "32", "--batch-size", "2000", "--lr", "0.001", "--validation", "0.1", "--quiet"]
BLOCK = 10_000  # rows


class Size:
    def __init__(self, rows, limit, steps, most):
        self.rows, self.limit, self.steps, self.most = rows, limit, steps, most


SMALL = Size(rows=400_000, limit="20MiB", steps=100, most=None)  # 45 MB
FULL = Size(rows=14_000_000, limit="256MiB", steps=1000, most=1_000_000)  # 1.6 GB, and 2 GB as text; most in kB


def make_rows():
    """A block of rows, and their labels: the sum of two columns decides."""
    numbers = random.Random(1)
    rows = [[round(numbers.uniform(-1, 1), 3) for _ in range(COLS)] for _ in range(BLOCK)]
    return rows, [int(row[0] + row[1] > 0) for row in rows]


def turned(block, rows):
    """`rows` rows: the block again and again, each time from another row on."""
    for b in range(rows // BLOCK):
        at = b * 7 % BLOCK
        yield from (block[at:], block[:at])


def write_text(folder, size):
    lines = [f"{label},{','.join(map(str, row))}\n" for row, label in zip(*make_rows())]
    with open(folder / "table.csv", "w") as file:
        file.write(",".join(["label", *(f"x{c}" for c in range(COLS))]) + "\n")
        for some in turned(lines, size.rows):
            file.writelines(some)
    return ["--data", "table.csv", "--target", "label", "--loss", "cross-entropy"]


def write_arrays(folder, size):
    rows, labels = make_rows()
    with open(folder / "x.npy", "wb") as file:
        file.write(npy.header("<f4", (size.rows, COLS), False))
        for some in turned([array.array("f", row).tobytes() for row in rows], size.rows):
            file.write(b"".join(some))
    with open(folder / "y.npy", "wb") as file:
        file.write(npy.header("<i8", (size.rows,), False))
        for some in turned(labels, size.rows):
            array.array("q", some).tofile(file)
    return ["--data", "x.npy", "--target-data", "y.npy", "--loss", "cross-entropy"]


def watch(job):
    """The sum of the peaks of the ranks' resident memory in kB, with mapped files and shared memory, until they end."""
    peaks = {}
    while job.poll() is None:
        try:
            for process in ranks_of(job).values():
                status = pathlib.Path(f"/proc/{process}/status").read_text().splitlines()
                peaks.update({process: int(line.split()[1]) for line in status if line.startswith("VmHWM:")})
        except (OSError, IndexError):  # a process has just started, or ended
            pass
        time.sleep(0.05)
    return sum(peaks.values())


def run(train, folder, arguments, limit=()):
    """(summary, peak in kB, standard error) of a job on two ranks."""
    script = f'{MOUNT} && exec mpirun --oversubscribe --bind-to none -np 2 "$@"'
    command = [*NAMESPACE, "bash", "-c", script, "bash", train, *arguments, *JOB, *limit, "--summary", "s.json"]
    with subprocess.Popen(list(map(str, command)), cwd=folder, env={**os.environ, **SETTINGS}, stderr=subprocess.PIPE,
                          stdout=subprocess.DEVNULL, text=True) as job:
        peak = watch(job)
        error = job.stderr.read()
    path = folder / "s.json"
    summary = json.loads(path.read_text()) if job.returncode == 0 else {}
    path.unlink(missing_ok=True)
    return summary, peak, error


def check(train, write, size, checks):
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as name:
        folder = pathlib.Path(name)
        data = [*write(folder, size), "--steps", size.steps]
        limited, little, error = run(train, folder, data, ["--memory-limit", size.limit])
        if not checks.expect(limited, f"{write.__name__}: {size.limit} a rank: {error}"):
            return
        free, much, error = run(train, folder, data)
    if not checks.expect(free, f"{write.__name__}: without a limit: {error}"):
        return
    bytes_of_data = size.rows * COLS * 4
    print(f"{write.__name__}: {bytes_of_data / 1e6:.0f} MB of features: peak RSS of both ranks {little} kB, in memory "
          f"{much} kB; samples/s {limited['samples_per_second']:.0f}, in memory {free['samples_per_second']:.0f}")
    for key in ["train_loss", "validation_loss", "weights_sha256"]:
        same = limited.get(key) == free.get(key)
        checks.expect(same, f"{write.__name__}: {key}: {limited.get(key)}, in memory {free.get(key)}")
    checks.expect(0 < little < much - bytes_of_data / 1024, f"{write.__name__}: {little} kB; in memory {much} kB")
    checks.expect(size.most is None or little < size.most, f"{write.__name__}: {little} kB")


def main():
    require_mount("bash", "-c", MOUNT)
    train = pathlib.Path(sys.argv[1]).resolve()
    checks = Checks()
    for write in [write_arrays, write_text]:
        check(train, write, FULL if "--full" in sys.argv else SMALL, checks)
    checks.finish()


run_test(main)
