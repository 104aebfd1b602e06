#!/usr/bin/env python3
"""A bit that is flipped in the memory of one rank, in a weight, a moment or a gradient, ends training. One line names
the tensor, the ranks and the step.

All rows of the data are equal, and so are all weights, so gradients and moments are long runs of one known value. The
rate is 0: weights stay as they are, and the moment comes to rest at 10 times the gradient.

usage: flip_bits_test.py TRAIN
"""
import json
import math
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

from program import Checks, files_in, run_test, start, wait_for
from rank_memory import RankMemory, rank_pid

INPUTS, OUTPUTS, ROWS, BATCH = 4096, 64, 16, 4  # an update takes about 0.1 ms
WEIGHT, BIAS, TARGET = 0.00018125, 0.43, 3.0
SLOPE = INPUTS * WEIGHT + BIAS - TARGET  # the gradient is this times a power of two
GRADIENTS = [SLOPE * 2.0 ** power for power in range(-8, 3)]
MOMENTS = [10 * gradient for gradient in GRADIENTS]
STEPS_PER_EPOCH = ROWS // BATCH
# Equal values in every row: --features names the columns, or they would be left out.
ARGUMENTS = ["--data", "d.csv", "--target", ",".join(f"t{i}" for i in range(OUTPUTS)), "--features",
             ",".join(f"x{i}" for i in range(INPUTS)), "--no-standardize", "--hidden", "", "--loss", "mse", "--load",
             "w.safetensors", "--batch-size", BATCH, "--optimizer", "momentum", "--lr", 0, "--epochs", 10**6, "--quiet",
             "--metrics", "m.jsonl", "--metrics-every", 1000, "--save", "s.safetensors"]


def write_files(folder):
    names = [f"x{i}" for i in range(INPUTS)] + [f"t{i}" for i in range(OUTPUTS)]
    row = ",".join(["1"] * INPUTS + [str(TARGET)] * OUTPUTS)
    (folder / "d.csv").write_text("\n".join([",".join(names)] + [row] * ROWS) + "\n")
    header, data = {}, b""
    for name, shape, value in [("layers.0.weight", [OUTPUTS, INPUTS], WEIGHT), ("layers.0.bias", [OUTPUTS], BIAS)]:
        begin, size = len(data), math.prod(shape)
        data += struct.pack(f"<{size}f", *[value] * size)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    (folder / "w.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


def last_epoch(folder):
    lines = (folder / "m.jsonl").read_text().split("\n")[:-1]  # the last line may be incomplete
    epochs = [json.loads(line)["epoch"] for line in lines[-2:] if '"step"' not in line]
    return epochs[-1] if epochs else 0


def flip_once(memory, folder, values, least, bit):
    """Flips a bit of the first float of every run of `values` while the rank is stopped. Returns the last epoch."""
    os.kill(memory.pid, signal.SIGSTOP)
    try:
        epoch = None
        while epoch != last_epoch(folder):  # until the other ranks wait for this one
            epoch = last_epoch(folder)
            time.sleep(0.2)
        for address in memory.runs(values, least):
            memory.flip(address, bit)
        return epoch
    finally:
        os.kill(memory.pid, signal.SIGCONT)


def flip_until_end(memory, job, values, least, bit):
    """A flip has an effect only between the sum of a gradient and the update, so flips are repeated."""
    addresses = [address + 4 * (least // 2) for address in memory.runs(values, least)]
    end = time.monotonic() + 20
    try:
        while job.poll() is None and time.monotonic() < end:
            for _ in range(1000):
                for address in addresses:
                    memory.flip(address, bit)
    except OSError:  # the rank has ended
        pass


def check_flip(train, np, mesh, what, expected, checks):
    """Flips a bit of rank 1. `what`: values, least length of a run, bit; expected: the message after the step."""
    values, least, bit = what
    epochs = 25 if values is MOMENTS else 1  # 0.9^100 is less than 1e-4: the moments are at rest
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        write_files(folder)
        with start(train, np, *ARGUMENTS, "--mesh", mesh, cwd=folder) as job:
            try:
                trains = wait_for(lambda: (folder / "m.jsonl").exists() and last_epoch(folder) >= epochs, timeout=60)
                if not checks.expect(trains, f"--mesh {mesh}: no epoch in the metrics"):
                    return
                memory = RankMemory(rank_pid(job, 1))
                epoch = None
                if values is GRADIENTS:
                    flip_until_end(memory, job, values, least, bit)
                else:
                    epoch = flip_once(memory, folder, values, least, bit)
                _, stderr = job.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                checks.expect(False, f"--mesh {mesh}: {expected}: the flipped bit was not found")
                return
            finally:
                job.kill()
        name = f"--mesh {mesh}: exit {job.returncode}: {stderr}"
        checks.expect(job.returncode == 1 and stderr.count("\n") == 1, name)
        told = re.match(r"train: step (\d+): (.*); expected equal bits: .* faulty\n", stderr)
        checks.expect(told and told[2] == expected, f"{name}: not {expected}")
        if told and epoch is not None:
            late = int(told[1]) - epoch * STEPS_PER_EPOCH
            checks.expect(0 < late <= 2 * STEPS_PER_EPOCH, f"{name}: found {late} steps after epoch {epoch}")
        checks.expect("s.safetensors" not in files_in(folder), f"{name}: a file was saved")


def main():
    checks = Checks()
    train = pathlib.Path(sys.argv[1]).resolve()
    host = socket.gethostname()
    least = INPUTS * OUTPUTS // 2
    weight = ([WEIGHT], least, 0)
    moment = (MOMENTS, least, 22)
    gradient = (GRADIENTS, least, 22)
    two = f"rank 0 on {host} and rank 1 on {host}"
    check_flip(train, 2, "2x1x1", weight, f"layers.0.weight differs between {two}", checks)
    check_flip(train, 2, "2x1x1", moment, f"optimizer.first.layers.0.weight differs between {two}", checks)
    check_flip(train, 2, "2x1x1", gradient, f"optimizer.first.layers.0.weight differs between {two}", checks)
    check_flip(train, 2, "1x1x2", ([BIAS], OUTPUTS, 0), f"layers.0.bias differs between {two}", checks)
    check_flip(train, 3, "3x1x1", weight,
               f"layers.0.weight on rank 1 on {host} differs from the copies on ranks 0 and 2", checks)
    check_flip(train, 4, "2x2x1", weight,
               f"layers.0.weight differs between rank 1 on {host} and rank 3 on {host}", checks)
    checks.finish()


run_test(main)
