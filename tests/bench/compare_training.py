#!/usr/bin/env python3
"""Compares the training speed of train_bench with PyTorch DDP (peers/train_ddp.py).

    compare_training.py --build build/release/tests/bench --python venv/bin/python --rounds 5

--build is the folder of train_bench. --python is a Python with torch and numpy. For each case the peer first
searches its best settings, once. Each round then runs both sides of every case, one directly after the other. They
take turns to run first, so that a slow moment of the machine affects both. The table gives medians over rounds with
[min-max]. The ratio is ours / peer, of the medians, with the range of the ratios within rounds. Every run is printed on
stderr.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

PEER = Path(__file__).resolve().parent / "peers" / "train_ddp.py"
NETWORKS = (("1024,1024", 512), ("2048,2048", 1024))


class Case:
    def __init__(self, hidden, batch_size, np, threads):
        self.hidden, self.batch_size, self.np, self.threads = hidden, batch_size, np, threads
        self.peer_settings = "best"
        self.ours, self.peer = [], []

    def __str__(self):
        return f"{self.hidden} @{self.batch_size}, {self.np} x {self.threads}"


def run_json(command, **environment):
    """Runs a command and returns the last line of its stdout that is a JSON object."""
    done = subprocess.run(command, env=os.environ | environment, text=True, capture_output=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        sys.exit(f"{' '.join(command)}\nexit status {done.returncode}\n{done.stdout}{done.stderr}")
    print(lines[-1], file=sys.stderr, flush=True)
    return json.loads(lines[-1])


def task_of(case, steps):
    return ["--hidden", case.hidden, "--batch-size", str(case.batch_size), "--steps", str(steps)]


def run_ours(case, options):
    command = ["mpirun", "--bind-to", "none", "-np", str(case.np),
               str(options.build.resolve() / "train_bench"), *task_of(case, options.steps)]
    root = {f"{prefix}_ALLOW_RUN_AS_ROOT{suffix}": "1"
            for prefix in ("OMPI", "PRTE") for suffix in ("", "_CONFIRM")}
    result = run_json(command, OMP_NUM_THREADS=str(case.threads), **root)
    if (result["np"], result["threads"]) != (case.np, case.threads):
        sys.exit(f"{case}: train_bench ran as {result['np']} x {result['threads']}")
    return result


def run_peer(case, options):
    return run_json([options.python, str(PEER), *task_of(case, options.steps), "--np", str(case.np),
                     "--threads", str(case.threads), "--settings", case.peer_settings])


def speeds(results):
    return [result["samples_per_second"] for result in results]


def spread(values, form):
    low, middle, high = (format(value, form)
                         for value in (min(values), statistics.median(values), max(values)))
    return f"{middle} [{low}-{high}]"


def table_row(case):
    ours, peer = speeds(case.ours), speeds(case.peer)
    ratios = [mine / other for mine, other in zip(ours, peer)]
    ratio = statistics.median(ours) / statistics.median(peer)
    share, exposed = (statistics.median(result[key] for result in case.ours)
                      for key in ("share_of_bound", "exposed_communication"))
    return [str(case), spread(ours, ".0f"), spread(peer, ".0f"),
            f"{ratio:.2f} [{min(ratios):.2f}-{max(ratios):.2f}]", f"{share:.0%}", f"{exposed:.1%}"]


def print_table(cases):
    rows = [["network @batch, np x threads", "ours samples/s", "peer samples/s", "ours/peer",
             "of bound", "exposed comm."], *map(table_row, cases)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    print("\npeer settings")
    for case in cases:
        print(f"{case}: {case.peer_settings}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True, help="folder of train_bench")
    parser.add_argument("--python", required=True, help="a Python with torch and numpy")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    splits = sorted({(1, cores), (cores, 1)})
    cases = [Case(*network, *split) for network in NETWORKS for split in splits]
    for case in cases:
        case.peer_settings = json.dumps(run_peer(case, options)["settings"])
    sides = [(run_ours, "ours"), (run_peer, "peer")]
    for _ in range(options.rounds):
        for case in cases:
            for run, side in sides:
                getattr(case, side).append(run(case, options))
        sides.reverse()
    print_table(cases)


if __name__ == "__main__":
    main()
