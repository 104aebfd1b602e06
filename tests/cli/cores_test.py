"""Ranks use their share of the cores in the affinity mask, and of the cores and memory that control groups allow.

usage: cores_test.py TRAIN MATMUL; exit code 77 (skipped) if a control group cannot be made, or with one core.
"""
import json
import os
import pathlib
import sys
import tempfile

from cgroups import Cgroup
from program import Checks, Skip, run, run_test, start, wait_for

DATA = ["--data", "synthetic:2000,16,2", "--hidden", "32", "--quiet"]


def ranks_of(job, program):
    """Process ids of the ranks that `job`, an mpirun, has started."""
    children = pathlib.Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
    return [pid for pid in children if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == program.name]


def masks_of_job(train, np, folder, *arguments):
    """The affinity mask of each rank's first thread during training."""
    metrics = folder / f"{len(list(folder.iterdir()))}.jsonl"
    with start(train, np, *DATA, "--epochs", 1000000, "--metrics", metrics, *arguments, cwd=folder) as job:
        wait_for(metrics.exists)
        masks = [frozenset(os.sched_getaffinity(int(rank))) for rank in ranks_of(job, train)]
        job.terminate()
        job.communicate(timeout=60)
    return masks


def check_pinning(train, folder, checks):
    allowed = frozenset(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise Skip("one core only")
    for np in [1, 2]:
        masks = masks_of_job(train, np, folder, "--threads", 1)
        checks.expect(masks == [allowed] * np, f"np {np}: expected ranks without pinning, found masks {masks}")
    pinned = masks_of_job(train, 2, folder, "--threads", 1, "--bind", "cores")
    checks.expect(len(set(pinned)) == 2 and all(len(mask) == 1 for mask in pinned), f"--bind cores: {pinned}")
    done = run(train, 2, *DATA, "--threads", len(allowed), "--bind", "cores", cwd=folder)
    checks.expect(done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "--bind cores" in done.stderr,
                  f"--bind cores with too few cores: exit {done.returncode}, {done.stderr!r}")


def threads_of(train, np, folder, *before):
    summary = folder / "threads.json"
    command = [*before, "env", "-u", "OMP_NUM_THREADS", train]
    done = run(command[0], np, *command[1:], *DATA, "--epochs", 1, "--summary", summary, cwd=folder)
    return json.loads(summary.read_text())["threads"] if done.returncode == 0 else done.stderr


def check_threads(train, folder, checks):
    cores = len(os.sched_getaffinity(0))
    first = min(os.sched_getaffinity(0))
    checks.expect(threads_of(train, 1, folder) == cores, f"np 1: expected {cores} threads, one for each core")
    for np in [1, 2]:
        found = threads_of(train, np, folder, "taskset", "-c", first)
        checks.expect(found == 1, f"np {np} on one core: {found} threads")
    with Cgroup(folder, cpus=1) as group:
        found = threads_of(train, 1, folder, group.script)
    checks.expect(found == 1, f"a quota of one core: {found} threads")


def check_memory(train, matmul, folder, checks):
    with Cgroup(folder, memory=400 << 20) as group:
        for np in [1, 2]:
            done = run(group.script, np, matmul, "--m", 6000, "--n", 6000, "--k", 6000, cwd=folder)
            checks.expect(done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "memory" in done.stderr,
                          f"6000^3 in 400 MiB, np {np}: exit {done.returncode}, {done.stderr!r}")
        done = run(group.script, 2, train, "--data", "synthetic:2000,16,2", "--hidden", "8192,8192", "--quiet",
                   cwd=folder)
        checks.expect(done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "memory" in done.stderr,
                      f"8192,8192 in 400 MiB: exit {done.returncode}, {done.stderr!r}")


def main():
    checks = Checks()
    train, matmul = (pathlib.Path(program).resolve() for program in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        check_pinning(train, folder, checks)
        check_threads(train, folder, checks)
        check_memory(train, matmul, folder, checks)
    checks.finish()


run_test(main)
