#!/usr/bin/env python3
"""On a machine with one GPU: the device and the collectives that a job gets, and the jobs that are refused.

usage: gpu_choice_test.py MATMUL TRAIN --ranks 2 --collectives staged --device cuda|emulated; exit code 77 (skipped)
without a GPU.
"""
import json
import pathlib
import tempfile

import gpu
import machine
from bad_input import try_case
from multiplier import in_parallel
from program import Checks, run

SIZES = ["--m", 8, "--n", 6, "--k", 4]
DATA = ["--data", "synthetic:40,3,1", "--hidden", 4, "--steps", 2]


def check_refusals(matmul, train, ranks, folder, checks):
    streamed = ["--m", 200, "--n", 300, "--k", 400, "--memory-limit", "128KiB", "--out", "C.npy", "--machine",
                folder / machine.write(folder / "machine.json", ranks)]
    nccl = ["--device", "cuda", "--collectives", "nccl"]
    remedy = ["--collectives nccl", f"{ranks} ranks", "1 GPUs", "--collectives staged"]
    one, none = {"environment": gpu.ONE_GPU}, {"environment": gpu.NO_GPU}
    cases = [
        (matmul, [*SIZES, *nccl], remedy, one), (train, [*DATA, *nccl], remedy, one),
        (matmul, ["--device", "cuda", *streamed], ["--memory-limit", "--device cpu"], one),
        (matmul, [*SIZES, "--device", "cuda", "--kernel", "tensor"], ["--kernel tensor", "--dtype bf16"], one),
        (matmul, [*SIZES, "--device", "cuda"], ["--device cuda", "no GPU", "--device cpu"], none),
        (train, [*DATA, "--device", "cuda"], ["--device cuda", "no GPU", "--device cpu"], none),
        (matmul, [*SIZES, "--collectives", "staged"], ["--collectives", "--device cuda"], none),
        (matmul, [*SIZES, "--kernel", "tiled"], ["--kernel", "--device cuda"], none),
        (train, [*DATA, "--precision", "tf32"], ["--precision tf32", "GPU"], none),
    ]

    def problem(case):
        program, arguments, fragments, settings = case
        return try_case(program, ranks, ([*map(str, arguments)], fragments, settings))

    in_parallel(checks, problem, cases)


def check_automatic(matmul, train, ranks, folder, checks):
    """--device auto chooses the GPU if there is one, and collectives that work for ranks that share it."""
    quick = ["--machine", machine.write(folder / "machine.json", ranks)]
    jobs = [(matmul, [*SIZES, *quick, "--quiet", "--json", "r.json"]),
            (train, [*DATA, "--quiet", "--summary", "r.json"])]
    for program, arguments in jobs:
        for environment, on_gpu in [(gpu.ONE_GPU, True), (gpu.NO_GPU, False)]:
            done = run(program, ranks, *arguments, cwd=folder, environment=environment)
            what = f"{program.name} with {environment}"
            if checks.expect(done.returncode == 0, f"{what}: exit {done.returncode}: {done.stderr}"):
                device = json.loads((folder / "r.json").read_text())["device"]
                checks.expect(("compute capability" in device) == on_gpu, f"{what}: the device is {device}")


def main():
    given = gpu.arguments()
    gpu.skip_without_gpu(given, "matmul", *SIZES)
    checks = Checks()
    matmul, train = (pathlib.Path(program).resolve() for program in [given.program, given.others[0]])
    with tempfile.TemporaryDirectory() as folder:
        for check in [check_refusals, check_automatic]:
            check(matmul, train, given.ranks, pathlib.Path(folder), checks)
    checks.finish()


main()
