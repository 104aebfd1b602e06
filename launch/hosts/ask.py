"""Asks all hosts at the same time, each by a script that is sent to its `sh` through the agent of mpirun (ssh)."""
import concurrent.futures
import dataclasses
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

from hostfile import InputError

AT_ONCE = 64  # connections
MARK = "recombine-probe "


@dataclasses.dataclass
class Answer:
    host: str
    problem: str = ""                              # why there is no answer, or only a part of one
    facts: dict = dataclasses.field(default_factory=dict)    # first word of a line -> the others
    data: dict = dataclasses.field(default_factory=dict)     # path -> (bytes, bytes when unpacked, hash)
    space: dict = dataclasses.field(default_factory=dict)    # name -> (free bytes, is, can, sign, path): see probe.sh
    clock_error: float = 0.0                       # s; the part that the delay of the connection does not explain

    def __getitem__(self, fact):
        return self.facts.get(fact, "")

    @property
    def reached(self):
        return "begin" in self.facts

    def read(self, lines, started, ended):
        for line in lines:
            if line.startswith(MARK):
                try:
                    self.take(*line[len(MARK):].partition(" ")[::2])
                except ValueError:
                    self.problem = f"unexpected answer '{line}'"
        if "end" in self.facts:
            self.clock_error = max(0.0, float(self["end"]) - ended) or min(0.0, float(self["begin"]) - started)

    def take(self, key, value):
        if key == "data":
            size, unpacked, digest, path = value.split(" ", 3)
            self.data[path] = (int(size), int(unpacked), digest)
        elif key == "space":
            name, free, *rest = value.split(" ", 5)
            self.space[name] = (int(free), *rest)
        else:
            self.facts[key] = value


def agent_command(setting, seconds):
    """The words of mpirun's agent: the first alternative in `setting` that is installed. Colons separate them."""
    for choice in setting.split(":"):
        words = shlex.split(choice)
        if words and shutil.which(words[0]):
            if os.path.basename(words[0]) == "ssh":
                words += ["-x", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={(seconds + 1) // 2}"]
            return words
    raise InputError(f"'{setting}' is not installed; expected ssh, or another agent in OMPI_MCA_plm_rsh_agent")


def is_here(host):
    """True if `host` is this machine: mpirun uses no agent for it."""
    names = {"localhost", "127.0.0.1", socket.gethostname(), socket.gethostname().split(".")[0]}
    return host in names


class Connections:
    """The running processes of agents. stop() ends them all; after it, no other process starts."""

    def __init__(self):
        self.lock = threading.Lock()
        self.running = set()
        self.stopped = False

    def run(self, command, seconds, **files):
        """Returns "", or why the process did not end by itself."""
        with self.lock:
            if self.stopped:
                return "stopped"
            process = subprocess.Popen(command, start_new_session=True, **files)
            self.running.add(process)
        try:
            process.wait(seconds)
            return ""
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return f"no answer within {seconds} s"
        finally:
            with self.lock:
                self.running.remove(process)

    def stop(self):
        with self.lock:
            self.stopped = True
            for process in self.running:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)


def ask_one(connections, host, command, script, seconds):
    """Input and output are files: some agents leave processes that keep a pipe open."""
    answer, started = Answer(host), time.time()
    with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        stdin.write(script.encode())
        stdin.seek(0)
        answer.problem = connections.run(command, seconds, stdin=stdin, stdout=stdout, stderr=stderr)
        ended = time.time()
        lines, said = (text_lines(file) for file in (stdout, stderr))
    answer.read(lines, started, ended)
    if not answer.problem and "end" not in answer.facts:
        answer.problem = said[-1] if said else "its shell printed nothing"
    return answer


def text_lines(file):
    file.seek(0)
    return [line.strip() for line in file.read().decode(errors="replace").split("\n") if line.strip()]


def ask_all(hosts, agent, script, seconds):
    """The answer of this machine, and those of `hosts`, in their order."""
    connections = Connections()
    jobs = [("this machine", ["sh", "-s"])]
    jobs += [(host, ["sh", "-s"] if is_here(host) else [*agent, host, "sh", "-s"]) for host in hosts]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        asked = [pool.submit(ask_one, connections, host, command, script, seconds) for host, command in jobs]
        try:
            here, *answers = [job.result() for job in asked]
        finally:
            connections.stop()
    return here, answers
