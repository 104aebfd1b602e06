#!/usr/bin/env python3
"""Multiplies on a GPU as a user does: every schedule on several meshes, every type, every kernel, files in and out.

usage: matmul_gpu_test.py MATMUL --ranks N --collectives nccl|staged --device cuda|emulated; exit code 77 (skipped)
without a GPU.
"""
import random
import tempfile

import gpu
import npy
from multiplier import MESHES, SCHEDULES, Multiplier, difference, in_parallel, made, product, to_bf16
from program import Checks, run

M, N, K = 37, 29, 23
FACTORS = [(1, 0), (-0.5, 0), (1, 1), (0.5, -2), (0, 0.5)]
TYPES = ["f32", "bf16", "f64"]
KERNELS = [("naive", "f32"), ("tiled", "f32"), ("naive", "bf16"), ("tiled", "bf16"), ("tensor", "bf16"),
           ("naive", "f64"), ("tiled", "f64"), ("library", "f32")]


def problem_of(report, way):
    """The first difference between a report and the options of its job, or None."""
    asked = dict(zip(way[::2], way[1::2]))
    for option in ["--mesh", "--schedule", "--recombine", "--dtype"]:
        if option in asked and report[option[2:]] != asked[option]:
            return f"{option} is {report[option[2:]]}"
    if "compute capability" not in str(report["device"]):
        return f"the device is {report['device']}"
    if report["collectives"] != asked["--collectives"]:
        return f"the collectives are {report['collectives']}"
    if report["relative_error"] is None or not report["relative_error"] < 0.01 or report["error_share_of_bound"] > 1:
        return f"errors are {report['relative_error']} and {report['error_share_of_bound']} of the bound"
    return None


class Operands:
    """A, B and C0 in files, and the expected alpha A B + beta C0."""

    def __init__(self, multiplier):
        self.a, self.b, self.c = made(M, K, 1), made(K, N, 2), made(M, N, 3)
        self.files = [multiplier.file(f"{name}.npy", rows, *kind) for name, rows, kind in
                      [("a", self.a, ["<f4", True]), ("b", self.b, ["<f8"]), ("c", self.c, ["<f4"])]]

    def options(self, alpha, beta):
        a, b, c = self.files
        return ["--a", a, "--b", b, "--alpha", alpha, "--beta", beta, *(["--c", c] if beta != 0 else [])]

    def expected(self, dtype, alpha, beta):
        exact = product(self.a, self.b, alpha, beta, self.c if beta != 0 else None)
        return [[to_bf16(x) for x in row] for row in exact] if dtype == "bf16" else exact


def check_files(multiplier, checks, np):
    """Exact products, whose bits are known, on every mesh by every schedule; types and factors take turns."""
    operands = Operands(multiplier)
    ways = [["--mesh", mesh, "--schedule", schedule] for mesh in MESHES[np] for schedule in SCHEDULES]
    ways += [["--recombine", recombine, "--mesh", f"1x1x{np}"] for recombine in ["reduce-scatter", "all-reduce"]]
    cases = [(way, TYPES[at % 3], FACTORS[at % len(FACTORS)]) for at, way in enumerate(ways)]

    def problem(case):
        way, dtype, (alpha, beta) = case
        out = multiplier.folder / f"{random.getrandbits(64):x}.npy"
        way = [*way, *multiplier.quick(np, dtype), *multiplier.route]
        report = multiplier.report(np, *operands.options(alpha, beta), *way, "--verify", "--quiet", "--out", out.name)
        if not out.exists():
            return "--out is not written"
        expected = operands.expected(dtype, alpha, beta)
        return problem_of(report, way) or difference(npy.read(out), expected, "<f8" if dtype == "f64" else "<f4")

    in_parallel(checks, problem, cases)


def check_kernels(multiplier, checks, np):
    """Computed elements, whose products are rounded, by every kernel. A CPU computes the same elements."""
    def problem(case):
        kernel, dtype = case
        way = ["--kernel", kernel, *multiplier.quick(np, dtype), *multiplier.route]
        report = multiplier.report(np, "--m", 70, "--n", 45, "--k", 83, *way, "--repeat", 2, "--verify", "--quiet")
        return problem_of(report, way)

    in_parallel(checks, problem, KERNELS if np == 1 else [("tiled", "f32"), ("tensor", "bf16")])


def check_fallback(multiplier, checks, np):
    """Rows of B do not begin at multiples of 16 bytes, so `hopper` cannot multiply on any GPU. One rank says so."""
    done = run(multiplier.program, np, "--m", 70, "--n", 45, "--k", 83, "--kernel", "hopper",
               *multiplier.quick(np, "bf16"), *multiplier.route, *multiplier.always, "--verify", cwd=multiplier.folder)
    said = [line for line in done.stderr.splitlines() if "tensor multiplies instead" in line]
    checks.expect(done.returncode == 0 and len(said) == 1, f"--kernel hopper: exit {done.returncode}: {done.stderr}")


def check_made(multiplier, checks, np):
    one_term = ["--m", 40, "--n", 30, "--k", 1, *multiplier.quick(np)]  # nothing to add up: the same bits everywhere
    on_gpu = multiplier.result(np, *one_term, *multiplier.route)
    on_cpu = Multiplier(multiplier.program, multiplier.folder, checks).result(np, *one_term, "--device", "cpu")
    problem = difference(on_gpu, on_cpu[1])
    checks.expect(problem is None, f"made elements on the GPU: {problem}")


def check_explained(multiplier, checks, np):
    """--explain shows whole numbers: they, their owners and the bytes are the same as on CPUs."""
    on_gpu = multiplier.run(np, "--explain", *multiplier.route)
    on_cpu = Multiplier(multiplier.program, multiplier.folder, checks).run(np, "--explain", "--device", "cpu")
    checks.expect("c11 = " in on_gpu and on_gpu == on_cpu, f"--explain differs from the text on CPUs: {on_gpu}")


def main():
    given = gpu.arguments()
    gpu.skip_without_gpu(given, "matmul", "--m", 1, "--n", 1, "--k", 1)
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        multiplier = Multiplier(given.program, folder, checks, ["--device", "cuda"])
        multiplier.route = ["--collectives", given.collectives]
        for check in [check_files, check_kernels, check_fallback, check_made, check_explained]:
            check(multiplier, checks, given.ranks)
    checks.finish()


main()
