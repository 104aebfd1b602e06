"""Several hosts on one machine. Each has its own namespaces (network, host name, processes, mounts). A bridge connects
them.

    with Hosts(2, slots=1) as hosts:            # raises Skip if this machine does not allow it
        job = hosts.start("mpirun", "-np", "2", train, cwd=folder)   # on the head node, as a user on a login node
        hosts.cut_cable("h1")
        hosts.limit_rate("1gbit")

The hosts are h0, h1, ... They share all files, except /dev/shm and what run_on(host, "mount", ...) changes. The
machine's own network stays unchanged. When this process ends, also by a signal, the kernel ends all hosts.
"""
import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from program import SETTINGS, Skip

HEAD, SWITCH = "head", "switch"
TOOLS = ["ip", "unshare", "nsenter", "mount", "hostname"]
# The first process of a host; killing it is like switching off the power.
INIT = """hostname {name} && mount -t tmpfs tmpfs /dev/shm && mount --bind {hosts} /etc/hosts &&
ip link set lo up || exit
echo ready; [ $$ = 1 ] || exec sleep infinity; while :; do sleep 1000 & wait; done"""
# Replaces ssh. As with ssh, the environment of mpirun does not reach the host.
AGENT = """#!/bin/bash
declare -A first=({firsts})
host=$1
shift
exec nsenter -t "${{first[$host]}}" -n -u -p -m -- env -i PATH="$PATH" HOME=/root TMPDIR=/dev/shm /bin/sh -c "$*"
"""


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Hosts:
    def __init__(self, count, slots=1):
        self.names = [f"h{i}" for i in range(count)]
        self.slots = slots
        self.processes = {}  # name -> the Popen of unshare
        self.first = {}      # name -> process id of the host's first process, in this process's namespace
        self.folder = None

    def __enter__(self):
        missing = [tool for tool in TOOLS if not shutil.which(tool)]
        if missing:
            raise Skip(f"hosts of namespaces need {' and '.join(missing)}")
        if os.geteuid() != 0:
            raise Skip("hosts of namespaces need root")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hosts"))
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()
            process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, *command, cwd, environment=None, output=subprocess.PIPE):
        """Starts `command` on the head node. Its output goes to text pipes; with `output=None`, to this process's.
        `environment` is added to this process's environment."""
        mpi = {"OMPI_MCA_plm_rsh_agent": str(self.folder / "agent"), "OMPI_MCA_plm_rsh_no_tree_spawn": "1",
               "OMPI_MCA_orte_default_hostfile": str(self.folder / "hostfile"),
               "OMPI_MCA_btl_tcp_if_include": "eth0", "OMPI_MCA_oob_tcp_if_include": "eth0",
               "OMPI_MCA_hwloc_base_binding_policy": "none",
               "OMPI_MCA_mpi_yield_when_idle": "1"}  # Open MPI cannot know that the hosts share cores
        return subprocess.Popen(self.inside(HEAD, "env", "-C", str(cwd), *map(str, command)), stdout=output,
                                stderr=output, text=True, preexec_fn=die_with_parent,
                                env={**os.environ, **SETTINGS, **mpi, **(environment or {})})

    def run(self, *command, cwd, timeout=120, environment=None):
        """Runs `command` on the head node to its end. Returns returncode, stdout and stderr."""
        with self.start(*command, cwd=cwd, environment=environment) as job:
            try:
                stdout, stderr = job.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                job.kill()
                raise
        return subprocess.CompletedProcess(command, job.returncode, stdout, stderr)

    def run_on(self, host, *command):
        """The output of `command` on `host`, e.g. of run_on("h1", "mount", "--bind", "other.csv", "/data.csv")."""
        return subprocess.run(self.inside(host, *map(str, command)), check=True, stdout=subprocess.PIPE,
                              text=True).stdout

    def processes_of(self, host, program):
        """Process ids (in this process's namespace) of the processes on `host` with the name `program`."""
        def of_host(process):
            return os.readlink(process / "ns/uts") == home and (process / "comm").read_text().strip() == program

        try:
            home = os.readlink(f"/proc/{self.first[host]}/ns/uts")
        except OSError:
            return []  # the host is off
        found = []
        for process in pathlib.Path("/proc").iterdir():
            try:
                if process.name.isdigit() and of_host(process):
                    found.append(int(process.name))
            except OSError:
                pass  # the process has just ended
        return found

    def limit_rate(self, rate):
        """Limits every link to `rate` (such as "1gbit") in each direction, like full-duplex cables and a switch."""
        if not shutil.which("tc"):
            raise Skip("limited links need tc")
        for name in [HEAD, *self.names]:
            for end, device in [(name, "eth0"), (SWITCH, name)]:
                # The kernel sends TCP in units of 64 KiB; with smaller bursts a link is slower than `rate`.
                self._call(end, "tc", "qdisc", "replace", "dev", device, "root", "tbf", "rate", rate, "burst", "128kb",
                           "latency", "50ms")

    def bytes_on_link(self, host):
        """Bytes that `host` has sent and received since it was created, including packet headers."""
        counted = json.loads(self.run_on(host, "ip", "-json", "-statistics", "link", "show", "eth0"))[0]["stats64"]
        return counted["tx"]["bytes"], counted["rx"]["bytes"]

    def cut_cable(self, host):
        self._ip(SWITCH, "link", "set", host, "down")

    def plug_in(self, host):
        self._ip(SWITCH, "link", "set", host, "up")

    def power_off(self, host):
        self.cut_cable(host)
        os.kill(self.first[host], signal.SIGKILL)

    def _make(self):
        everyone = [HEAD, *self.names]
        addresses = {name: f"10.99.0.{i + 1}" for i, name in enumerate(everyone)}
        lines = ["127.0.0.1 localhost", *(f"{address} {name}" for name, address in addresses.items())]
        (self.folder / "hosts").write_text("\n".join(lines) + "\n")
        (self.folder / "hostfile").write_text("".join(f"{name} slots={self.slots}\n" for name in self.names))
        self._boot(SWITCH)
        self._ip(SWITCH, "link", "add", "bridge", "type", "bridge")
        self._ip(SWITCH, "link", "set", "bridge", "up")
        for name in everyone:
            self._boot(name)
            self._ip(SWITCH, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns",
                     str(self.first[name]))
            self._ip(SWITCH, "link", "set", name, "master", "bridge", "up")
            self._ip(name, "address", "add", addresses[name] + "/24", "dev", "eth0")
            self._ip(name, "link", "set", "eth0", "up")
        agent = self.folder / "agent"
        agent.write_text(AGENT.format(firsts=" ".join(f"[{name}]={self.first[name]}" for name in self.names)))
        agent.chmod(0o755)

    def _boot(self, name):
        # The head node and the switch keep the machine's process namespace, so that they can enter the hosts.
        spaces = ["--net", "--uts", "--mount"] + (["--pid", "--mount-proc"] if name in self.names else [])
        init = INIT.format(name=name, hosts=self.folder / "hosts")
        process = subprocess.Popen(["unshare", *spaces, "--fork", "--kill-child=KILL", "bash", "-c", init],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, start_new_session=True, preexec_fn=die_with_parent)
        self.processes[name] = process
        said = process.stdout.readline().strip()
        if said != "ready":
            raise Skip(f"namespaces cannot be made here: {said}")
        self.first[name] = int(pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0])

    def inside(self, host, *command):
        """The arguments of a process that runs `command` on `host`."""
        spaces = ["-n", "-u", "-m"] + (["-p"] if host in self.names else [])
        return ["nsenter", "-t", str(self.first[host]), *spaces, "--", *command]

    def _ip(self, host, *arguments):
        self._call(host, "ip", *arguments)

    def _call(self, host, *command):
        done = subprocess.run(self.inside(host, *command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise Skip(f"{' '.join(command)}: {done.stdout.strip()}")
