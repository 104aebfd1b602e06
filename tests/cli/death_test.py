"""If a signal ends a rank, one line names the rank, its host, its process id and the signal. No line is printed for the
ranks that the launcher then ends.

usage: death_test.py TRAIN; exit code 77 (skipped) if no control group can be made.
"""
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from cgroups import Cgroup
from program import PATIENT, Checks, files_in, ranks_of, run_test, start, wait_for

DATA = ["--data", "synthetic:2000,16,2", "--hidden", "32", "--quiet", "--epochs", 1000000]
LINE = r"train: rank (\d+) on (\S+) \(pid (\d+)\) was ended by signal (\d+) \((.*)\)(.*)"
# A command that uses `bytes` of its control group's memory.
HOG = "echo $$ >{group}/cgroup.procs && head -c {bytes} /dev/zero | tail -c {bytes} >/dev/null"


def lines_of(job):
    """Waits for the end of the job. Returns the lines on stderr that report the end of a rank, and all of stderr."""
    try:
        stderr = job.communicate(timeout=30)[1]
    except subprocess.TimeoutExpired:
        job.kill()
        stderr = job.communicate()[1]
    return [line for line in stderr.splitlines() if "was ended by" in line], stderr


def check_signals(train, folder, checks):
    for number in [signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS]:
        metrics = folder / f"{number}.jsonl"
        with start(train, 3, *DATA, "--metrics", metrics, cwd=folder, **PATIENT) as job:
            wait_for(metrics.exists)
            process = ranks_of(job)[1]
            os.kill(process, number)
            lines, stderr = lines_of(job)
        line = (f"train: rank 1 on {socket.gethostname()} (pid {process}) was ended by signal {number:d} "
                f"({signal.strsignal(number)})")
        checks.expect(job.returncode == 128 + number and lines == [line],
                      f"{number!r}: exit {job.returncode}, {stderr!r}")


def check_orderly_ends(train, folder, checks):
    metrics = folder / "term.jsonl"
    with start(train, 2, *DATA, "--metrics", metrics, cwd=folder, **PATIENT) as job:
        wait_for(metrics.exists)
        job.terminate()
        lines, stderr = lines_of(job)
    checks.expect(job.returncode != 0 and not lines, f"TERM of mpirun: exit {job.returncode}, {stderr!r}")


def check_without_mpirun(train, folder, checks):
    metrics = folder / "alone.jsonl"
    with subprocess.Popen([train, *map(str, DATA), "--metrics", metrics], cwd=folder, stderr=subprocess.PIPE,
                          text=True) as job:
        wait_for(metrics.exists)
        job.kill()
        lines, stderr = lines_of(job)
    checks.expect(len(lines) == 1 and f"rank 0 on {socket.gethostname()} (pid {job.pid})" in lines[0],
                  f"KILL of one process without mpirun: {stderr!r}")


def check_watcher(train, folder, checks):
    """Slurm and `kill -- -GROUP` signal all processes of a job step: the watchers must outlive that."""
    metrics, saved = folder / "watched.jsonl", folder / "watched.safetensors"
    with start(train, 2, *DATA, "--metrics", metrics, "--save", saved, cwd=folder, **PATIENT) as job:
        wait_for(metrics.exists)
        rank = ranks_of(job)[0]
        watcher = int(pathlib.Path(f"/proc/{rank}/task/{rank}/children").read_text())
        for number in [signal.SIGUSR1, signal.SIGTERM, signal.SIGINT, signal.SIGHUP]:
            os.kill(watcher, number)
        time.sleep(0.2)
        unfinished = list(folder.glob(".recombine-*.tmp"))
        os.kill(rank, signal.SIGKILL)
        lines, stderr = lines_of(job)
    checks.expect(unfinished and len(lines) == 1 and f"(pid {rank}) was ended by signal 9" in lines[0],
                  f"a signal ended the watcher: {unfinished}, {stderr!r}")
    checks.expect(not [path for path in unfinished if path.name in files_in(folder)], "the watcher left its files")


def check_out_of_memory(train, folder, checks):
    limit = 300 << 20
    metrics = folder / "memory.jsonl"
    with Cgroup(folder, memory=limit) as group:
        with start(group.script, 1, train, *DATA, "--metrics", metrics, cwd=folder, **PATIENT) as job:
            wait_for(metrics.exists)
            pathlib.Path(f"/proc/{ranks_of(job)[0]}/oom_score_adj").write_text("1000")  # the kernel kills it first
            hog = subprocess.Popen(["bash", "-c", HOG.format(group=group.group, bytes=limit)],
                                   stderr=subprocess.DEVNULL)
            lines, stderr = lines_of(job)
            hog.kill()
            hog.wait()
    found = re.fullmatch(LINE, lines[0]) if len(lines) == 1 else None
    checks.expect(found and found[4] == "9" and "out of memory" in found[6] and job.returncode == 137,
                  f"out of memory: exit {job.returncode}, {stderr!r}")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        for check in [check_signals, check_orderly_ends, check_without_mpirun, check_watcher, check_out_of_memory]:
            check(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(name), checks)
    checks.finish()


run_test(main)
