"""Memory of the default job on 4 ranks: peak RSS of each rank, and PSS of all (which counts shared pages once).

usage: memory_test.py TRAIN; exit code 77 (skipped) where Fashion-MNIST is not installed.
"""
import pathlib
import sys
import tempfile
import time

from program import FASHION_MNIST, SKIPPED, Checks, start

RANKS = 4
PEAK_RSS_KB = 400_000  # of a rank
TOTAL_PSS_KB = 600_000  # of the host


def kilobytes(process, file, key):
    """The number after `key:` in /proc/PID/file; 0 if the process has ended."""
    try:
        lines = (process / file).read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(key + ":"))


def processes_of(program, folder):
    """The /proc folders of this job's processes of `program`, which run in `folder`: ranks, and each rank's watcher."""
    def runs_it(process):
        try:
            return (process / "exe").readlink() == program and (process / "cwd").readlink() == folder
        except OSError:
            return False
    return [p for p in pathlib.Path("/proc").iterdir() if p.name.isdigit() and runs_it(p)]


def is_rank(process, program):
    try:
        return (process / "comm").read_text().strip() == program.name
    except OSError:
        return False


def watch(job, program, folder):
    """(peak RSS of each rank, largest sum of PSS of all processes) in kB, while the job runs."""
    peaks, total = {}, 0
    while job.poll() is None:
        processes = processes_of(program, folder)
        for process in processes:
            if is_rank(process, program):
                peaks[process.name] = max(peaks.get(process.name, 0), kilobytes(process, "status", "VmHWM"))
        total = max(total, sum(kilobytes(process, "smaps_rollup", "Pss") for process in processes))
        time.sleep(0.2)
    return list(peaks.values()), total


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    if not FASHION_MNIST.is_dir():
        print(f"skipped: {FASHION_MNIST} is not there")
        sys.exit(SKIPPED)
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        with start(program, RANKS, "--epochs", 1, "--save", "w.safetensors", "--quiet", cwd=folder) as job:
            peaks, total = watch(job, program, pathlib.Path(folder).resolve())
        checks.expect(job.returncode == 0, f"exit code {job.returncode}")
    print(f"peak RSS {sorted(peaks)} kB, PSS in all {total} kB")
    checks.expect(len(peaks) == RANKS and min(peaks) > 0, f"{len(peaks)} ranks were seen, not {RANKS}")
    checks.expect(max(peaks, default=0) < PEAK_RSS_KB, f"a rank took more than {PEAK_RSS_KB} kB")
    checks.expect(0 < total < TOTAL_PSS_KB, f"the ranks took {total} kB in all, not below {TOTAL_PSS_KB}")
    checks.finish()


main()
