"""A real Slurm on this machine, with its own configuration, key and logs. Its nodes are hosts of namespaces.

    with Slurm(nodes=1, cpus=4) as slurm:       # raises Skip if Slurm or namespaces cannot run here
        job = slurm.submit("--ntasks=4", script, "--epochs", 3, cwd=folder)
        slurm.wait_until_ended(job)

slurmctld runs on the first node. The Slurm, munge and ports of the machine are not used. When this process ends, even
by a signal, the kernel ends the hosts, and with them every daemon and job.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "cli"))

from hosts import Hosts  # noqa: E402
from program import Skip, wait_for  # noqa: E402

TOOLS = ["munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "scancel"]
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}
CONFIGURATION = """ClusterName=test
SlurmctldHost={nodes[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
TmpFS={folder}/tmp.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin={task}
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MailProg=/bin/true
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
MpiDefault=none
BatchStartTimeout=120
MessageTimeout=60
SlurmdTimeout=0
UnkillableStepTimeout=180
ReturnToService=2
SlurmdParameters=config_overrides
GresTypes=gpu
PropagateResourceLimits=NONE
NodeName={names} CPUs={cpus} Sockets=1 CoresPerSocket={cpus} ThreadsPerCore=1 RealMemory=1000 {gres}
PartitionName=main Nodes={names} Default=YES MaxTime=INFINITE State=UP
"""


class Slurm:
    """`nodes` nodes with `cpus` CPUs and `gpus` GPUs each. GPUs are plain files. CPUs may be more than the machine has,
    except with `bind`: Slurm then binds tasks to CPUs."""

    def __init__(self, nodes=1, cpus=4, gpus=0, bind=False):
        self.hosts = Hosts(nodes, slots=cpus)
        self.cpus, self.gpus, self.bind = cpus, gpus, bind

    def __enter__(self):
        missing = [tool for tool in TOOLS if not shutil.which(tool)]
        if missing:
            raise Skip(f"Slurm needs {' and '.join(missing)}")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="slurm"))
        # Open MPI's files of jobs that Slurm kills stay in TMPDIR.
        self.environment = {"SLURM_CONF": f"{self.folder}/slurm.conf", "TMPDIR": str(self.folder)}
        try:
            self.hosts.__enter__()
            self._configure()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.hosts.folder:
            self.hosts.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, *command, cwd=None, environment=None):
        """Runs a command of Slurm on the first node to its end. Returns returncode, stdout and stderr."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "SBATCH_"))}
        inside = self.hosts.inside(self.hosts.names[0], "env", "-C", str(cwd or self.folder), *map(str, command))
        return subprocess.run(inside, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60,
                              env={**inherited, **self.environment, **(environment or {})})

    def submit(self, *arguments, cwd, environment=None):
        """The id of a new job."""
        done = self.call("sbatch", "--parsable", *arguments, cwd=cwd, environment=environment)
        if done.returncode != 0:
            raise RuntimeError(f"sbatch {arguments}: {done.stderr.strip()}")
        return done.stdout.strip()

    def job(self, job):
        """What `scontrol show job` prints for one job: {"JobState": "RUNNING", ...}. {} if there is no such job."""
        shown = self.call("scontrol", "show", "job", "--oneliner", job).stdout
        return dict(re.findall(r"(\S+?)=(\S*)", shown))

    def ended(self, job):
        return self.job(job).get("JobState") in ENDED

    def wait_until_ended(self, job, timeout=120):
        """(state, exit code) of a job, such as ("FAILED", 2). If it has not ended in time: (its state, None)."""
        wait_for(lambda: self.ended(job), timeout)
        shown = self.job(job)
        code = int(shown["ExitCode"].split(":")[0]) if shown.get("JobState") in ENDED else None
        return shown.get("JobState"), code

    def _configure(self):
        names = self.hosts.names
        for folder in ["state", *(f"{kind}.{name}" for name in names for kind in ["spool", "tmp"])]:
            (self.folder / folder).mkdir()
        gres = ""
        if self.gpus:
            files = [self.folder / f"gpu{i}" for i in range(self.gpus)]
            for file in files:
                file.touch()
            (self.folder / "gres.conf").write_text("".join(f"Name=gpu File={file}\n" for file in files))
            gres = f"Gres=gpu:{self.gpus}"
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(
            nodes=names, names=",".join(names), folder=self.folder, cpus=self.cpus, gres=gres,
            task="task/affinity" if self.bind else "task/none"))
        self.folder.chmod(0o755)

    def _start(self):
        key, socket = self.folder / "munge.key", self.folder / "munge.socket"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(1024))
        first = self.hosts.names[0]
        self._daemon(first, "munged", f"--key-file={key}", f"--socket={socket}", f"--pid-file={self.folder}/munge.pid",
                     f"--log-file={self.folder}/munge.log", f"--seed-file={self.folder}/munge.seed", "--num-threads=2")
        self._daemon(first, "slurmctld", "-c")
        for name in self.hosts.names:
            self._daemon(name, "slurmd", "-N", name)
        count = str(len(self.hosts.names))
        if not wait_for(lambda: self.call("sinfo", "-h", "-t", "idle", "-o", "%D").stdout.strip() == count, 30):
            raise Skip(f"Slurm does not come up here: {self._last_lines()}")

    def _daemon(self, host, *command):
        done = subprocess.run(self.hosts.inside(host, *map(str, command)), stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=60,
                              env={**os.environ, **self.environment})
        if done.returncode != 0:
            raise Skip(f"{command[0]} does not start here: {done.stderr.strip()}; {self._last_lines()}")

    def _last_lines(self):
        """The last line of each log."""
        logs = {path.name: path.read_text().splitlines() for path in sorted(self.folder.glob("*.log"))}
        return "; ".join(f"{name}: {lines[-1]}" for name, lines in logs.items() if lines)
