"""If a rank makes a wrong call, the job ends on each route.

usage: wrong_call_test.py PROGRAM ROUTE:RANKS ...; exit code 77 (skipped) if a route needs a GPU and there is none.
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "cli"))
import gpu  # noqa: E402
from program import SKIPPED, Checks, run  # noqa: E402

FAULTS = {"count": "all_reduce of 99999 f32 (sum)", "type": "all_reduce of 100000 i32 (sum)",
          "operation": "broadcast of 100000 f32 from rank 0",
          "exchange": "exchange of 10 elements sent and 10 received", "order": "broadcast of 10 f32 from rank 0",
          "end": "no more collectives"}
RIGHT = "all_reduce of 100000 f32 (sum)"


def run_fault(program, route, ranks, fault, folder):
    start = time.monotonic()
    try:
        job = run(program, ranks, route, fault, folder, cwd=folder, timeout=60,
                  environment={"RECOMBINE_EMULATED_MISMATCH": "hang"})
    except subprocess.TimeoutExpired:
        return None, 60
    return job, time.monotonic() - start


def check(checks, program, route, ranks):
    with tempfile.TemporaryDirectory() as folder:
        job, right_seconds = run_fault(program, route, ranks, "none", folder)
        reasons = tuple(f"wrong_call: {reason}" for reason in gpu.REASONS)
        if job is not None and job.returncode == 2 and job.stderr.startswith(reasons):
            print(f"skipped: {job.stderr.strip()}")
            sys.exit(SKIPPED)
        checks.expect(job is not None and job.returncode == 0 and job.stdout.count("loss") == ranks,
                      f"{route}: expected a result for right calls: {job}")
    for fault, called in FAULTS.items():
        with tempfile.TemporaryDirectory() as folder:
            job, seconds = run_fault(program, route, ranks, fault, folder)
            what = f"{route} on {ranks} ranks, {fault}: "
            if not checks.expect(job is not None, what + "hangs"):
                continue
            print(f"{what}{seconds:.2f} s in all, {right_seconds:.2f} s with right calls")
            checks.expect(job.returncode == 1, f"{what}exit code {job.returncode}: {job.stderr}")
            found = re.search(r"rank (\d) calls (.*), but rank (\d) calls (.*), as call \d+ of a group of", job.stderr)
            if checks.expect(found is not None, f"{what}expected a message that names two ranks: {job.stderr}"):
                checks.expect(str(ranks - 1) in (found[1], found[3]), f"{what}the wrong rank is not named: {found[0]}")
                calls = (found[2], found[4]) if found[1] != str(ranks - 1) else (found[4], found[2])
                checks.expect(calls[0].startswith(RIGHT) and calls[1].startswith(called), f"{what}says {found[0]}")
            checks.expect("loss" not in job.stdout, f"{what}a loss was reported: {job.stdout}")
            checks.expect(not list(pathlib.Path(folder).iterdir()), f"{what}a file was written")


def main():
    program, *routes = pathlib.Path(sys.argv[1]).resolve(), *sys.argv[2:]
    checks = Checks()
    for route in routes:
        name, ranks = route.split(":")
        check(checks, program, name, int(ranks))
    checks.finish()


if __name__ == "__main__":
    main()
