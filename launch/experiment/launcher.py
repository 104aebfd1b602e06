"""Runs mpirun on this machine, on the hosts of a file, or inside a Slurm allocation; no process of a run is left."""
import ctypes
import dataclasses
import os
import re
import signal
import subprocess
import time

from options import InputError, read_hostfile

PATIENCE = 5  # s from SIGTERM to SIGKILL; in this time mpirun ends its ranks, also on other hosts


@dataclasses.dataclass(frozen=True)
class Launcher:
    name: str             # local, hostfile or slurm
    cores_of_hosts: list  # of a hostfile: the slots
    options: list         # of mpirun
    cores_per_rank: int | None = None  # if the launcher sets it

    @property
    def hosts(self):
        return len(self.cores_of_hosts)

    @property
    def cores(self):
        return sum(self.cores_of_hosts)


@dataclasses.dataclass(frozen=True)
class Finished:
    exit_code: int
    output: str     # of stdout and stderr
    seconds: float


def slots_of(path):
    """[slots of each host] of a hostfile."""
    hosts = read_hostfile(path)
    for host in hosts:
        if host.slots == 0:
            raise InputError(f"{path}: {host.name} has no slots; expected '{host.name} slots=N', N its cores")
    return [host.slots for host in hosts]


def slurm_cores(text):
    """[cores of each node] of SLURM_JOB_CPUS_PER_NODE, such as 4(x2),8."""
    cores = []
    for part in text.split(","):
        count, times = re.fullmatch(r"([0-9]+)(?:\(x([0-9]+)\))?", part).groups()
        cores += [int(count)] * int(times or 1)
    return cores


def make(experiment, environment):
    options = ["--bind-to", "none", *experiment.mpirun]
    if experiment.hostfile:
        slots = slots_of(experiment.hostfile)
        return Launcher("hostfile", slots, ["--hostfile", str(experiment.hostfile), *options])
    if "SLURM_JOB_CPUS_PER_NODE" in environment:
        cores = slurm_cores(environment["SLURM_JOB_CPUS_PER_NODE"])
        return Launcher("slurm", cores, options, int(environment.get("SLURM_CPUS_PER_TASK", "0")) or None)
    return Launcher("local", [len(os.sched_getaffinity(0))], options)


def threads_of(experiment, launcher):
    """The threads of a rank: the same for every np, so that each rank has the same hardware. mpirun fills a host before
    it uses the next."""
    cores = launcher.cores_of_hosts[0]
    return experiment.threads or launcher.cores_per_rank or max(1, cores // min(cores, experiment.sizes[-1]))


def end_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: if this script is killed, mpirun ends


def end(process):
    """Ends mpirun and its ranks."""
    process.terminate()
    try:
        process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def run(command, time_limit):
    """Runs `command` in a session of its own: Ctrl-C reaches only this script, which then ends it."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, errors="replace", start_new_session=True, preexec_fn=end_with_parent)
    try:
        output = process.communicate(timeout=time_limit)[0]
        return Finished(process.returncode, output, time.monotonic() - begin)
    except subprocess.TimeoutExpired:
        end(process)
        return Finished(124, f"ended after --run-limit {time_limit:g} s", time_limit)
    except BaseException:
        end(process)
        raise
