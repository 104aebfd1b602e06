"""Shared by the tests of the programs on a GPU or on its emulation."""
import argparse
import sys

from program import SKIPPED, run

# Settings of the job's environment, for a GPU and for its emulation.
NO_GPU = {"CUDA_VISIBLE_DEVICES": "", "RECOMBINE_EMULATED_DEVICES": "0"}
ONE_GPU = {"CUDA_VISIBLE_DEVICES": "0", "RECOMBINE_EMULATED_DEVICES": "1"}
REASONS = ("--device cuda: ", "--collectives nccl: ")  # beginnings of the refusals if a machine has too few GPUs


def arguments():
    """PROGRAM OTHERS... --ranks N --collectives nccl|staged --device cuda|emulated"""
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("others", nargs="*")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--collectives", choices=["nccl", "staged"], default="staged")
    parser.add_argument("--device", choices=["cuda", "emulated"], required=True)
    return parser.parse_args()


def skip_without_gpu(given, name, *sizes):
    """Skips this test if the program finds no GPU. On an emulated GPU nothing is skipped."""
    if given.device == "emulated":
        return
    asked = [*sizes, "--device", "cuda", "--collectives", given.collectives, "--quiet"]
    done = run(given.program, given.ranks, *asked, cwd=".")
    if done.returncode == 2 and done.stderr.startswith(tuple(f"{name}: {reason}" for reason in REASONS)):
        print(f"skipped: {done.stderr.strip()}")
        sys.exit(SKIPPED)
