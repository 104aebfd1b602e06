"""mpirun with the settings of launch/env: if a job fails, stderr gives the reason.

usage: launcher_test.py TRAIN REPOSITORY
"""
import os
import pathlib
import subprocess
import sys
import tempfile

from program import Checks, run_test


def run(repository, folder, *command):
    """Runs `command` in a shell that has sourced launch/env and has no other settings of Open MPI."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMPI_", "PMIX_"))}
    return subprocess.run(["bash", "-c", f'source {repository}/launch/env && exec "$@"', "bash", *map(str, command)],
                          cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=120, check=False)


def main():
    checks = Checks()
    train, repository = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    killed = 'if [ $OMPI_COMM_WORLD_RANK = 1 ]; then kill -KILL $$; fi; exec sleep 60'
    cases = {  # what is wrong -> (words on stderr, command)
        "the wrong folder": ("./train", ["mpirun", "-np", 4, "./train"]),
        "a misspelled program": ("trian", ["mpirun", "-np", 4, "trian"]),
        "too few slots": ("not enough slots", ["mpirun", "-np", 400, "--mca", "rmaps_base_oversubscribe", 0, train]),
        "bad input": ("train: unknown option '--bogus'", ["mpirun", "-np", 2, train, "--bogus"]),
        "a program that is killed": ("process", ["mpirun", "-np", 2, "bash", "-c", killed]),
    }
    with tempfile.TemporaryDirectory() as folder:
        for what, (words, command) in cases.items():
            done = run(repository, folder, *command)
            checks.expect(done.returncode != 0 and words in done.stderr,
                          f"{what}: exit {done.returncode}, {words!r} is not in {done.stderr!r}")
        for rank, words in [(0, "PMI_SIZE"), (1, "")]:  # as under the mpiexec of another MPI; only rank 0 prints
            done = run(repository, folder, "env", "PMI_SIZE=2", f"PMI_RANK={rank}", train, "--save", "w.safetensors")
            checks.expect(done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == (rank == 0),
                          f"not connected, rank {rank}: exit {done.returncode}, {done.stderr!r}")
            checks.expect(not os.listdir(folder), f"not connected: wrote {os.listdir(folder)}")
        done = run(repository, folder, "mpirun", "-np", 4, train, "--version")
        checks.expect(done.returncode == 0 and not done.stderr, f"--version: exit {done.returncode}, {done.stderr!r}")
    checks.finish()


run_test(main)
