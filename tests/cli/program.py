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
            "EVENT_NOEPOLL": "1",  # else mpirun may print a warning of libevent below a rank's error
            "OMPI_MCA_odls_base_sigkill_timeout": "0"}  # else mpirun waits seconds after a rank has failed

# As for users: ranks have time to remove their files.
PATIENT = {"environment": {"OMPI_MCA_odls_base_sigkill_timeout": "1"}}


def terminate_twice(job):
    """Sends two SIGTERM, as `timeout` does: one to its child, one to its process group."""
    job.terminate()
    time.sleep(0.02)
    job.terminate()


# Ways to end a job from outside. All but the first end mpirun before its ranks.
ENDS = {"terminated": subprocess.Popen.terminate, "terminated twice": terminate_twice, "killed": subprocess.Popen.kill}


def start(program, np, *arguments, cwd, threads=1, largest_file=None, environment=None):
    """Starts `mpirun -np NP PROGRAM ARGUMENTS` in `cwd`, with text pipes. No file can grow beyond `largest_file` bytes,
    which acts like a full disk. `environment` is added to this process's environment."""
    def limit_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", str(np), str(program), *map(str, arguments)]
    added = {**SETTINGS, "OMP_NUM_THREADS": str(threads), **(environment or {})}
    return subprocess.Popen(command, cwd=cwd, env={**os.environ, **added},
                            preexec_fn=limit_files if largest_file else None,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(program, np, *arguments, cwd, timeout=300, **settings):
    """Runs the job to its end. Returns returncode, stdout and stderr."""
    with start(program, np, *arguments, cwd=cwd, **settings) as job:
        try:
            stdout, stderr = job.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            job.kill()
            raise
    return subprocess.CompletedProcess(job.args, job.returncode, stdout, stderr)


def ranks_of(job):
    """{rank: process id} of the ranks that `job`, an mpirun, has started."""
    def rank_of(process):
        environment = pathlib.Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
        return [int(entry.split(b"=")[1]) for entry in environment if entry.startswith(b"OMPI_COMM_WORLD_RANK=")][0]

    children = pathlib.Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
    return {rank_of(child): int(child) for child in children}


def wait_for(condition, timeout=60):
    """Waits until `condition()` is true. False if it is not in time."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def files_in(folder):
    """The names in `folder`, after temporary files are removed: that may be shortly after the end of a job."""
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
    """Counts the checks that hold and those that fail, and prints the counts at the end."""

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
