"""How gpu_check runs programs: on the GPUs of this machine or on the emulation, from a build or from a pack."""
import json
import math
import os
import pathlib
import re
import selectors
import shutil
import signal
import subprocess
import sys
import time

LAST_LINES = 30  # of the output of a command that failed
FIRST_CAUSES = 24  # of the earlier lines that match CAUSE, each with the two lines after it
CAUSE = re.compile(r": Failure$|^========= (?!COMPUTE)|[Ee]rror")


class NotRun(Exception):
    """Why this machine cannot run a part, or some of a part."""


class Failed(Exception):
    """What went wrong, with the end of the output."""


class WholeRun:
    """The time limit of the whole run; none if `seconds` is None. stop() ends the run at once."""

    def __init__(self, seconds=None):
        self.end = math.inf if seconds is None else time.monotonic() + seconds

    def left(self):
        return self.end - time.monotonic()

    def stop(self):
        self.end = -math.inf


class Deadline:
    """The time limit of a part: `seconds`, or the end of the whole run if that comes first."""

    def __init__(self, seconds, whole):
        self.end, self.whole = time.monotonic() + seconds, whole

    def left(self):
        return min(self.end - time.monotonic(), self.whole.left())


class Machine:
    def __init__(self, build, emulated):
        self.build, self.emulated = build.resolve(), emulated
        self.environment = os.environ | {"GTEST_COLOR": "no"}
        starter = self.build.parent / "run"  # of a pack; tests/bench/gpu/pack_run.sh
        self.in_pack = starter.exists()
        self.starter = [str(starter)] if self.in_pack else []
        if emulated:
            if not self.in_pack:
                self.environment["LD_LIBRARY_PATH"] = str(self.build / "cuda_on_cpu")
            self.environment["RECOMBINE_EMULATED_DEVICES"] = "2"
            self.environment["OPENBLAS_NUM_THREADS"] = "1"
        found = json.loads(self.run("gpu_bench device", self.ranks(1, "gpu_bench", "device"), Deadline(60, WholeRun())))
        self.device, self.gpus = found["device"], found["gpus"]

    def ranks(self, np, program, *arguments, under=()):
        return [*self.starter, "mpirun", "--oversubscribe", "--bind-to", "none", "-np", str(np),
                *under, str(self.build / program), *arguments]

    def run(self, name, command, deadline, on_row=None, allowed=(0,), **environment):
        """Runs a command until the deadline at most, and returns its output. Calls `on_row` with each line of JSON as
        soon as it is printed. @raises Failed, NotRun"""
        lines = []

        def take(line):
            lines.append(line)
            if on_row and line.startswith("{"):
                on_row(json.loads(line))

        print(f"gpu_check: {name}", file=sys.stderr, flush=True)
        start = time.monotonic()
        try:
            code = run_to(deadline, command, take, self.environment | environment, self.build)
        except OSError as error:
            raise Failed(f"{name}: {error}") from error
        end = "\n".join(causes_and_end(lines))
        print(f"gpu_check: {name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
        if code is None:
            raise Failed(f"{name}: ended after {time.monotonic() - start:.0f} s: its limit was reached\n{end}")
        if code not in allowed:
            raise Failed(f"{name}: exit status {code}\n{end}")
        if code == 77:
            raise NotRun(lines[-1] if lines else "skipped")
        return "\n".join(lines)


def causes_and_end(lines):
    """The lines of a failed command's output that show the cause, and its last lines."""
    last = max(0, len(lines) - LAST_LINES)
    causes = [i for i in range(last) if CAUSE.search(lines[i])][:FIRST_CAUSES]
    wanted = sorted({i + after for i in causes for after in range(3) if i + after < last})
    return [lines[i] for i in wanted] + (["..."] if wanted else []) + lines[last:]


def run_to(deadline, command, take, environment, folder):
    """Runs a command in its own session, and calls `take` with each line of its output. @returns the exit status; None
    if the deadline passed: then all processes of the session were ended."""
    with subprocess.Popen(command, env=environment, cwd=folder, start_new_session=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process, \
            selectors.DefaultSelector() as selector:
        os.set_blocking(process.stdout.fileno(), False)
        selector.register(process.stdout, selectors.EVENT_READ)
        rest = b""
        try:
            while deadline.left() > 0:
                ended = process.poll() is not None  # a child that still runs may keep the pipe open
                if not selector.select(0 if ended else min(0.2, max(0, deadline.left()))):
                    if ended:
                        break
                    continue
                piece = os.read(process.stdout.fileno(), 1 << 16)
                if not piece:
                    break
                *whole, rest = (rest + piece).split(b"\n")
                for line in whole:
                    take(line.decode(errors="replace"))
            if rest:
                take(rest.decode(errors="replace"))
            return process.wait(max(0.01, deadline.left()))
        except subprocess.TimeoutExpired:
            return None
        finally:
            end_session(process)


def end_session(process):
    """Ends a process that leads a session, and all processes of that session."""
    if process.poll() is None:
        process.terminate()  # mpirun then ends its ranks, and removes its files
        try:
            process.wait(4)
        except subprocess.TimeoutExpired:
            pass
    for _ in range(50):
        members = session_members(process.pid)
        if not members:
            break
        for pid in members:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        process.poll()
        time.sleep(0.02)


def session_members(session):
    """Processes of a session that are not zombies."""
    members = []
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its_session = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it has ended
            continue
        if int(its_session) == session and state != "Z":
            members.append(int(path.parent.name))
    return members


def find_tool(name):
    folders = [*pathlib.Path("/usr/local").glob("cuda*/bin"), *pathlib.Path("/opt/nvidia").glob("nsight-compute/*")]
    path = shutil.which(name) or shutil.which(name, path=os.pathsep.join(map(str, folders)))
    if not path:
        raise NotRun(f"{name} is not installed")
    return path


def row(part, name, **figures):
    """A row of the table. Unknown figures are null."""
    return {"part": part, "name": name, "size": "", "seconds": None, "value": None, "unit": "", "ceiling": None,
            "share": None, "note": ""} | figures
