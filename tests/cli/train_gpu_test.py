#!/usr/bin/env python3
"""Trains on a GPU as a user does: the loss curve and the initial weights are those of a CPU.

usage: train_gpu_test.py TRAIN REPOSITORY --ranks N --collectives nccl|staged --device cuda|emulated; exit code 77
(skipped) without a GPU or Fashion-MNIST.
"""
import gzip
import json
import pathlib
import struct
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import gpu
from program import FASHION_MNIST, SKIPPED, Checks
from trainer import Trainer, same_curve

BF16_TOLERANCE = 2e-2  # relative to the loss, as CURVE_TOLERANCE is for f32
MESHES = {2: ["1x2x1", "1x1x2"], 4: ["1x2x2", "2x2x1"]}  # per number of ranks
FEWER = {"train": 500, "t10k": 50}  # images of Fashion-MNIST, if a CPU emulates the GPU


def cut_file(name, count, folder):
    content = gzip.decompress((FASHION_MNIST / f"{name}.gz").read_bytes())
    dimensions = content[3]
    extents = struct.unpack(f">{dimensions}I", content[4:4 + 4 * dimensions])
    size = count
    for extent in extents[1:]:
        size *= extent
    start = 4 + 4 * dimensions
    head = content[:4] + struct.pack(f">{dimensions}I", count, *extents[1:])
    (folder / name).write_bytes(head + content[start:start + size])


def cut_fashion_mnist(folder):
    """The first images and labels, as a folder of IDX files."""
    folder.mkdir()
    for part, count in FEWER.items():
        cut_file(f"{part}-images-idx3-ubyte", count, folder)
        cut_file(f"{part}-labels-idx1-ubyte", count, folder)
    return ["--data", folder]


class Runs:
    """Runs jobs on both devices, each in its own folder."""

    def __init__(self, given, folder, checks):
        self.given, self.folder, self.checks = given, folder, checks
        self.program = pathlib.Path(given.program).resolve()
        self.on_gpu = ["--device", "cuda", "--collectives", given.collectives]

    def train(self, *arguments):
        """(the loss of each step, the summary)"""
        with tempfile.TemporaryDirectory(dir=self.folder) as own:
            trainer = Trainer(self.program, own, self.checks)
            losses = trainer.losses(self.given.ranks, *arguments, "--summary", "s.json")
            return losses, json.loads((trainer.folder / "s.json").read_text())


def is_gpu(summary):
    return "compute capability" in summary["device"]


def check_curves(runs, name, options, precisions):
    """Compares the GPU's curve with the CPU's in f32, and in the GPU's precision."""
    expected, on_cpu = runs.train(*options, "--device", "cpu")
    runs.checks.expect(not is_gpu(on_cpu), f"{name}: --device cpu is {on_cpu['device']}")
    runs.checks.expect(len(set(expected)) == len(expected) > 2, f"{name}: the loss does not move: {expected}")
    for precision in precisions:
        found, on_gpu = runs.train(*options, *runs.on_gpu, "--precision", precision)
        what = f"{name}, {precision}"
        runs.checks.expect(is_gpu(on_gpu), f"{what}: --device cuda is {on_gpu['device']}")
        runs.checks.expect(on_gpu["collectives"] == runs.given.collectives, f"{what}: by {on_gpu['collectives']}")
        if precision == "f32":
            same_curve(runs.checks, what, expected, found)
            continue
        same_curve(runs.checks, f"{what}, CPU's f32", expected, found, BF16_TOLERANCE)
        rounded, _ = runs.train(*options, "--device", "cpu", "--precision", precision)
        same_curve(runs.checks, f"{what}, CPU's {precision}", rounded, found, BF16_TOLERANCE)
        runs.checks.expect(found != expected, f"{what}: the curve is the CPU's f32 to the last bit")


def check_initial_weights(runs, name, data):
    options = [*data, "--steps", 1, "--optimizer", "sgd", "--lr", 0, "--weight-decay", 0, "--device"]
    _, on_cpu = runs.train(*options, "cpu")
    _, on_gpu = runs.train(*options, "auto")
    runs.checks.expect(is_gpu(on_gpu), f"{name}: --device auto is {on_gpu['device']}")
    runs.checks.expect(on_gpu["weights_sha256"] == on_cpu["weights_sha256"], f"{name}: other initial weights")


def check_explained(runs, name, options):
    """The numbers of --explain are those of a CPU, and so are the products and sums of each rank."""
    def text(*device):
        with tempfile.TemporaryDirectory(dir=runs.folder) as own:
            return Trainer(runs.program, own, runs.checks).run(runs.given.ranks, *options, "--explain", *device).stdout

    on_cpu, on_gpu = text("--device", "cpu"), text(*runs.on_gpu)
    runs.checks.expect(on_cpu == on_gpu and "Equal: all" in on_cpu, f"{name}: {on_gpu}, but on a CPU {on_cpu}")


def jobs(runs, repository):
    """Calls that may run at the same time: (check, arguments)."""
    few = cut_fashion_mnist(runs.folder / "fashion")
    table = ["--data", repository / "launch" / "examples" / "ad_spend.csv", "--target", "conversions"]
    small = ["--hidden", "32,16", "--batch-size", 64]
    gelu = [*few, "--hidden", "13,7", "--activation", "gelu", "--batch-size", 50, "--steps", 6]
    linear = [*table, "--no-standardize", "--hidden", "", "--activation", "identity", "--loss", "mse",
              "--optimizer", "sgd", "--lr", 0.001]
    worked = ["--config", repository / "launch" / "examples" / "ad_spend.cfg", *table[:2], "--batch-size", "all"]
    both = ["f32", "bf16"]
    return [
        (check_curves, "Fashion-MNIST", [*small, "--steps", 3], ["f32"]),
        (check_curves, "Fashion-MNIST, clipped", [*few, *small, "--clip-norm", 0.5, "--warmup", 0, "--steps", 6], both),
        (check_curves, "Fashion-MNIST, GELU", [*gelu, "--optimizer", "momentum"], both),
        (check_curves, "ad_spend.csv, linear", [*linear, "--no-bias", "--batch-size", 2, "--epochs", 3], both),
        (check_curves, "ad_spend.csv, tanh", [*table, "--standardize", "--hidden", 5, "--activation", "tanh",
                                              "--batch-size", "all", "--epochs", 6, "--warmup", 0], ["f32"]),
        (check_initial_weights, "Fashion-MNIST", [*few, *small]),
        (check_explained, "--explain", [*worked, "--mesh", f"{runs.given.ranks}x1x1"]),
        *[(check_explained, f"--explain, mesh {mesh}", [*worked, "--mesh", mesh])
          for mesh in MESHES.get(runs.given.ranks, [])],
        *[(check_curves, f"mesh {mesh}", [*few, *small, "--clip-norm", 0.5, "--steps", 4, "--mesh", mesh], ["f32"])
          for mesh in MESHES.get(runs.given.ranks, [])],
    ]


def main():
    given = gpu.arguments()
    gpu.skip_without_gpu(given, "train", "--data", "synthetic:8,2,1", "--hidden", "", "--steps", 1)
    if not FASHION_MNIST.is_dir():
        print(f"skipped: {FASHION_MNIST} is not there")
        sys.exit(SKIPPED)
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(given, pathlib.Path(folder), checks)
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(check, runs, *rest) for check, *rest in jobs(runs, pathlib.Path(given.others[0]))]:
                done.result()
    checks.finish()


main()
