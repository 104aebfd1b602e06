#!/usr/bin/env python3
"""Measures the cost of waiting: programs next to two busy loops on two cores, more ranks than cores, short collectives.

    starve.py --build build [--base OTHER/build] [--python venv/bin/python] [--rounds 3] [--only REGEX]

--build and --base are folders of programs: new and old. --python is a Python with torch and numpy, for PyTorch DDP in
the same rounds. Each case runs alone, and next to the busy loops (or to a second job, or with more ranks than cores).
All builds run in turn in every round. Next to one busy loop per core, a ratio of 2 is fair. Prints medians, with the
range in brackets.
"""
import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PEER = Path(__file__).resolve().parent / "peers" / "train_ddp.py"
SETTINGS = {f"OMPI_ALLOW_RUN_AS_ROOT{suffix}": "1" for suffix in ("", "_CONFIRM")}
HIDDEN = "256,256"


@contextlib.contextmanager
def busy_loops(count):
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    time.sleep(0.1)
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def start(command, threads):
    return subprocess.Popen(list(map(str, command)), env={**os.environ, **SETTINGS, "OMP_NUM_THREADS": str(threads)},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(job):
    stdout, stderr = job.communicate(timeout=900)
    if job.returncode:
        sys.exit(f"{' '.join(job.args)}\nexit status {job.returncode}\n{stdout}{stderr}")
    return stdout


def mpirun(np, *command):
    return ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", np, *command]


def trainers(build, folder, np, threads, batch, jobs=1):
    """Runs several jobs at the same time, and returns their summaries."""
    paths = [Path(folder) / f"{j}.json" for j in range(jobs)]
    running = [start(mpirun(np, build / "train", "--hidden", HIDDEN, "--batch-size", batch, "--epochs", 2, "--quiet",
                            "--summary", path), threads) for path in paths]
    for job in running:
        finish(job)
    return [json.loads(path.read_text()) for path in paths]


def train_seconds(np, threads, batch):
    return lambda build, folder: trainers(build, folder, np, threads, batch)[0]["seconds"]


def peer_seconds(batch):
    def run(python, _):
        out = finish(start([python, PEER, "--hidden", HIDDEN, "--batch-size", batch, "--steps", 400, "--np", 2,
                            "--threads", 1, "--settings", "default"], 1))
        return 1 / json.loads(out.splitlines()[-1])["samples_per_second"]
    return run


def suite_seconds(build, _):
    begun = time.monotonic()
    finish(start(mpirun(2, build / "distributed_test"), 1))
    return time.monotonic() - begun


def next_to_busy_loops(run):
    def measure(program, folder):
        alone = run(program, folder)
        with busy_loops(2):
            return {"alone": alone, "busy": run(program, folder)}
    return measure


def two_jobs(build, folder):
    seconds = [max(s["seconds"] for s in trainers(build, folder, 1, 1, 256, jobs)) for jobs in (1, 2)]
    return {"alone": seconds[0], "busy": seconds[1]}


def above_cores(build, folder):
    summary = trainers(build, folder, 4, 1, 256)[0]
    return {"exposed": summary["exposed_communication_seconds"] / summary["seconds"],
            "rate": summary["samples_per_second"]}


def short_collectives(build, _):
    out = finish(start(mpirun(2, build / "collectives_bench", 1), 1))
    rows = {line.split()[1]: line.split() for line in out.splitlines() if line.startswith("all_reduce")}
    return {size: (float(rows[size][2]), float(rows[size][5])) for size in ("8", "65536")}


def spread(values, form):
    low, high = min(values), max(values)
    return f"{statistics.median(values):{form}} [{low:{form}}-{high:{form}}]"


def show_ratios(found):
    ratios = [f["busy"] / f["alone"] for f in found]
    return (f"alone {spread([f['alone'] for f in found], '.3g')}  then {spread([f['busy'] for f in found], '.3g')}  "
            f"ratio {spread(ratios, '.2f')}")


def show_shares(found):
    return (f"exposed {spread([f['exposed'] for f in found], '.1%')}  "
            f"samples/s {spread([f['rate'] for f in found], '.0f')}")


def show_collectives(found):
    return "  ".join(f"{size} B: us {spread([f[size][0] for f in found], '.2f')}  "
                     f"MPI's {spread([f[size][1] for f in found], '.2f')}  "
                     f"ratio {spread([f[size][0] / f[size][1] for f in found], '.2f')}" for size in ("8", "65536"))


CASES = [  # name, who runs it, how, how it is printed, largest expected value
    *[(f"np 2 x 1, batch {batch}, next to 2 busy loops", "ours", next_to_busy_loops(train_seconds(2, 1, batch)),
       show_ratios, "ratio <= 2.3") for batch in (256, 64)],
    *[(f"PyTorch DDP, np 2 x 1, batch {batch}, s/sample", "peer", next_to_busy_loops(peer_seconds(batch)), show_ratios,
       "-") for batch in (256, 64)],
    *[(f"np 1 x 2, batch {batch}, next to 2 busy loops", "ours", next_to_busy_loops(train_seconds(1, 2, batch)),
       show_ratios, "ratio <= 2.3") for batch in (256, 64)],
    ("two jobs of np 1 x 1 at once", "ours", two_jobs, show_ratios, "ratio <= 1.15"),
    ("distributed_test np 2, next to 2 busy loops", "ours", next_to_busy_loops(suite_seconds), show_ratios,
     "ratio <= 3"),
    ("np 4 x 1 on the cores there are, batch 256", "ours", above_cores, show_shares, "-"),
    ("all_reduce among 2 ranks", "ours", short_collectives, show_collectives, "ratio <= 1.2"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--python")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    builds = {"now": options.build.resolve()}
    if options.base:
        builds["before"] = options.base.resolve()
    programs = {"ours": builds, "peer": {"peer": options.python} if options.python else {}}
    with tempfile.TemporaryDirectory() as folder:
        for name, who, measure, show, most in CASES:
            if not re.search(options.only, name):
                continue
            found = {label: [] for label in programs[who]}
            for _ in range(options.rounds):
                for label, program in programs[who].items():
                    found[label].append(measure(program, folder))
            for label, values in found.items():
                print(f"{name:<45} {label:<6} {show(values)}  (expected: {most})", flush=True)


if __name__ == "__main__":
    main()
