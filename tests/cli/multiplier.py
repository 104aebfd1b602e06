"""Runs `matmul` as a user does, and computes the expected result."""
import collections
import json
import math
import pathlib
import random
import struct
from concurrent.futures import ThreadPoolExecutor

import machine
import npy
from program import run

SCHEDULES = ["gather", "panels", "shift"]
MESHES = {1: ["1x1x1"], 2: ["2x1x1", "1x2x1", "1x1x2"], 3: ["3x1x1", "1x1x3"],
          4: ["2x2x1", "2x1x2", "1x4x1", "1x1x4"]}


def made(rows, cols, seed):
    """64ths in [-1, 1): every sum of their products is exact in f32, in any order, and each is a bf16."""
    draw = random.Random(seed)
    return [[draw.randrange(-64, 64) / 64 for _ in range(cols)] for _ in range(rows)]


def transposed(rows):
    return [list(column) for column in zip(*rows)]


def product(a, b, alpha=1.0, beta=0.0, c=None):
    columns = transposed(b)
    exact = [[alpha * math.fsum(map(float.__mul__, row, column)) for column in columns] for row in a]
    return exact if c is None else [[x + beta * y for x, y in zip(*rows)] for rows in zip(exact, c)]


def to_bf16(value):
    (bits,) = struct.unpack("<I", struct.pack("<f", value))
    rounded = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000
    return struct.unpack("<f", struct.pack("<I", rounded))[0]


class Multiplier:
    """Runs `matmul` in one folder, with `always` among its arguments."""

    def __init__(self, program, folder, checks, always=()):
        self.program, self.folder, self.checks = pathlib.Path(program).resolve(), pathlib.Path(folder), checks
        self.always = always

    def run(self, np, *arguments):
        done = run(self.program, np, *arguments, *self.always, cwd=self.folder)
        shown = f"np {np}: {' '.join(map(str, arguments))}"
        good = done.returncode == 0 and not done.stderr.strip()
        self.checks.expect(good, f"{shown}: exit {done.returncode}: {done.stderr}")
        return done.stdout

    def report(self, np, *arguments):
        name = f"{random.getrandbits(64):x}.json"
        self.run(np, *arguments, "--json", name)
        try:
            return json.loads((self.folder / name).read_text())
        except FileNotFoundError:
            return collections.defaultdict(lambda: None)

    def result(self, np, *arguments):
        """(descr, rows) of C."""
        path = self.folder / f"{random.getrandbits(64):x}.npy"
        self.run(np, *arguments, "--quiet", "--out", path.name)
        return npy.read(path) if path.exists() else (None, None)

    def file(self, name, rows, *kind, **settings):
        return npy.write(self.folder / name, rows, *kind, **settings)

    def quick(self, np, dtype="f32"):
        """Options with which the program measures nothing before the product."""
        path = self.folder / f"{np}{dtype}{random.getrandbits(64):x}.json"
        return ["--dtype", dtype, "--machine", machine.write(path, np, dtype)]


def in_parallel(checks, work, cases):
    """Calls work(case) for all cases; it returns what is wrong, or None."""
    with ThreadPoolExecutor(3) as pool:
        for case, problem in zip(cases, pool.map(work, cases)):
            checks.expect(problem is None, f"{case}: {problem}")


def difference(found, expected, descr="<f4"):
    kind, rows = found
    if kind != descr or rows is None:
        return f"elements are {kind}, not {descr}"
    if len(rows) != len(expected) or any(len(x) != len(y) for x, y in zip(rows, expected)):
        return f"{len(rows)} rows, not {len(expected)}, or of other lengths"
    wrong = [(i, j) for i, row in enumerate(expected) for j, value in enumerate(row) if rows[i][j] != value]
    return f"{len(wrong)} elements differ, first {wrong[0]}" if wrong else None
