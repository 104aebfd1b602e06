"""If one of two hosts loses its network or its power, the job ends on every host and names the lost host.

usage: lost_host_test.py TRAIN REPOSITORY; exit code 77 (skipped) if hosts of namespaces cannot be made.
"""
import pathlib
import subprocess
import sys
import tempfile
import time

from hosts import Hosts
from program import PATIENT, Checks, run_test, wait_for

DATA = ["--data", "synthetic:2000,16,2", "--hidden", "32", "--quiet", "--epochs", 1000000]
PATIENCE = 60  # s; without the settings of launch/env the job never ends


def settings_of(repository):
    """Open MPI's variables that launch/env sets."""
    command = f"env -i bash -c 'source {repository}/launch/env && env'"
    lines = subprocess.run(command, shell=True, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return dict(line.split("=", 1) for line in lines if line.startswith("OMPI_"))


def check_loss(train, settings, folder, checks, lose):
    name = lose.__name__
    metrics = folder / f"{name}.jsonl"
    with Hosts(2, slots=2) as hosts:
        with hosts.start("mpirun", "-np", 4, train, *DATA, "--metrics", metrics, cwd=folder,
                         environment={**settings, **PATIENT["environment"], "OMPI_MCA_orte_execute_quiet": "0"}) as job:
            wait_for(metrics.exists)
            time.sleep(1)
            begin = time.monotonic()
            lose(hosts, "h1")
            ended = wait_for(lambda: job.poll() is not None, PATIENCE)
            gone = wait_for(lambda: not any(hosts.processes_of(host, "train") for host in hosts.names), 15)
            seconds = time.monotonic() - begin
            job.kill()
            stderr = job.communicate()[1]
    print(f"{name}: exit {job.returncode}, all gone after {seconds:.1f} s; {stderr!r}")
    checks.expect(ended and gone and job.returncode != 0, f"{name}: ended {ended}, ranks gone {gone}")
    told = [line for line in stderr.splitlines() if "h1" in line]
    checks.expect(any("train: " in line and "ranks 2, 3" in line for line in told),
                  f"{name}: no line names h1 and its ranks: {told}")


def main():
    checks = Checks()
    train, repository = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    settings = settings_of(repository)
    with tempfile.TemporaryDirectory() as folder:
        for lose in [Hosts.cut_cable, Hosts.power_off]:
            check_loss(train, settings, pathlib.Path(folder), checks, lose)
    checks.finish()


run_test(main)
