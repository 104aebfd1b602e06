"""Runs the programs as a user does, on some ranks."""
import os
import shutil
import subprocess
import sys

SKIPPED = 77  # CTest's SKIP_RETURN_CODE


def run(program, np, *arguments, cwd, timeout=120):
    """`mpirun -np NP PROGRAM ARGUMENTS` in `cwd`; the completed process, its output as text."""
    mpirun = os.environ.get("MPIEXEC") or shutil.which("mpirun")
    if not mpirun:
        sys.exit("no mpirun")
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                       OMPI_MCA_orte_execute_quiet="1", OMP_NUM_THREADS="1",
                       OMPI_MCA_odls_base_sigkill_timeout="0")  # mpirun waits no second when a rank fails
    command = [mpirun, "--oversubscribe", "--bind-to", "none", "-np", str(np), program, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=timeout)


class Checks:
    """Counts what holds and what does not, and says so at the end."""

    def __init__(self):
        self.failures = []
        self.count = 0

    def expect(self, holds, what):
        self.count += 1
        if not holds:
            self.failures.append(what)
            print(f"FAILED: {what}")
        return holds

    def finish(self):
        print(f"{self.count} checks, {len(self.failures)} failed")
        sys.exit(1 if self.failures else 0)
