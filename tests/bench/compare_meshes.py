#!/usr/bin/env python3
"""Trains the same network on several meshes, and compares memory per rank, bytes sent per step, and speed.

    compare_meshes.py --train build/train --np 4 --rounds 5 -- --batch-size 1024

--meshes lists the meshes; the default is every mesh of --np ranks. Arguments after -- are options of train. Each rank
has one thread. Each round runs every mesh once and begins with another mesh than the round before. The table has
medians over rounds with [min-max]. The ratio is the speed divided by that of the first mesh in the same round.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "launch/experiment"))
from cases import meshes_of  # noqa: E402

PARAMETER_USES = ("weights", "gradients", "moments")


def run(options, mesh, steps):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "summary.json"
        command = ["mpirun", "--bind-to", "none", "--oversubscribe", "-np", str(options.np), str(options.train),
                   "--mesh", mesh, "--steps", str(steps), "--quiet", "--summary", str(path), *options.train_options]
        done = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, text=True, capture_output=True)
        if done.returncode:
            sys.exit(f"{' '.join(command)}\n{done.stderr}")
        return json.loads(path.read_text())


def bytes_per_step(options, mesh):
    """Bytes sent in one step: from the difference of two runs, because each run also evaluates."""
    few, more = (run(options, mesh, steps)["bytes_sent_per_rank"] for steps in (1, 3))
    return (more - few) / 2


def exposed(summary):
    waits = summary["exposed_communication_seconds"]
    return waits / (waits + summary["compute_seconds"] + summary["input_seconds"])


def table_row(mesh, sent, runs, ratios):
    held, speeds = runs[0]["bytes_by_kind"], [one["samples_per_second"] for one in runs]
    return [mesh, f"{sum(held[use] for use in PARAMETER_USES) / 1e6:.1f}", f"{held['activations'] / 1e6:.1f}",
            f"{sent / 1e6:.2f}",
            f"{statistics.median(speeds):.0f} [{min(speeds):.0f}-{max(speeds):.0f}]",
            f"{statistics.median(ratios):.2f} [{min(ratios):.2f}-{max(ratios):.2f}]",
            f"{statistics.median(map(exposed, runs)):.1%}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=pathlib.Path, required=True)
    parser.add_argument("--np", type=int, default=4)
    parser.add_argument("--meshes", help="separated by commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("train_options", nargs="*", help="options of train, after --")
    options = parser.parse_args()
    meshes = options.meshes.split(",") if options.meshes else meshes_of(options.np)
    runs = {mesh: [] for mesh in meshes}
    for number in range(options.rounds):
        turn = number % len(meshes)
        for mesh in meshes[turn:] + meshes[:turn]:
            runs[mesh].append(run(options, mesh, options.steps))
    first = runs[meshes[0]]
    print("| mesh | weights, gradient, moments: MB | activations: MB | sent per step: MB | samples/s | ratio "
          "| exposed |")
    print("|---|---|---|---|---|---|---|")
    for mesh in meshes:
        ratios = [mine["samples_per_second"] / other["samples_per_second"] for mine, other in zip(runs[mesh], first)]
        print("| " + " | ".join(table_row(mesh, bytes_per_step(options, mesh), runs[mesh], ratios)) + " |", flush=True)


if __name__ == "__main__":
    main()
