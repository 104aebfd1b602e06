"""Runs the programs as a user does, on some ranks."""
import os
import pathlib
import resource
import subprocess
import sys
import time

SKIPPED = 77  # CTest's SKIP_RETURN_CODE
FASHION_MNIST = pathlib.Path("/usr/share/datasets/fashion-mnist")
SETTINGS = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_orte_execute_quiet": "1",
            "OMPI_MCA_odls_base_sigkill_timeout": "0"}  # else mpirun waits seconds after a rank has failed

PATIENT = {"environment": {"OMPI_MCA_odls_base_sigkill_timeout": "1"}}  # as users have it: ranks have time to tidy up


def terminate_twice(job):
    """As `timeout` does, which tells its child and then its group."""
    job.terminate()
    time.sleep(0.02)
    job.terminate()


# Ways to end a job from outside; all but the first end mpirun before its ranks.
ENDS = {"terminated": subprocess.Popen.terminate, "terminated twice": terminate_twice, "killed": subprocess.Popen.kill}


def start(program, np, *arguments, cwd, threads=1, largest_file=None, environment=None):
    """`mpirun -np NP PROGRAM ARGUMENTS` in `cwd`, running; its output comes as text. No file can grow beyond
    `largest_file` bytes: as good as a full disk. `environment` is added to this process's."""
    def limit_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", str(np), str(program), *map(str, arguments)]
    added = {**SETTINGS, "OMP_NUM_THREADS": str(threads), **(environment or {})}
    return subprocess.Popen(command, cwd=cwd, env={**os.environ, **added},
                            preexec_fn=limit_files if largest_file else None,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(program, np, *arguments, cwd, timeout=300, **settings):
    """The finished job, with returncode, stdout and stderr."""
    with start(program, np, *arguments, cwd=cwd, **settings) as job:
        try:
            stdout, stderr = job.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            job.kill()
            raise
    return subprocess.CompletedProcess(job.args, job.returncode, stdout, stderr)


def wait_for(condition, timeout=60):
    """Whether `condition()` became true in time."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def files_in(folder):
    """The names of what is in `folder`, once no file is in the making there; a job's last ones may go right after it."""
    wait_for(lambda: not list(pathlib.Path(folder).glob("*.tmp")), timeout=10)
    return {path.name for path in pathlib.Path(folder).iterdir()}


class Skip(Exception):
    """Raised if this machine lacks something that a test needs; the message says what."""


def run_test(main):
    """Runs `main`. If it raises Skip, prints the reason and ends with CTest's exit code for a skipped test."""
    try:
        main()
    except Skip as reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)


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
