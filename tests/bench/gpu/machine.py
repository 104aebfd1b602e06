"""How gpu_check runs programs: on the GPUs of this machine, or on the emulation."""
import json
import os
import shutil
import subprocess
import sys
import time

PART_SECONDS = 3600  # a command that takes longer has failed


class NotRun(Exception):
    """Why this machine cannot run a part, or some of a part."""


class Failed(Exception):
    """What went wrong, with the end of the output."""


class Machine:
    def __init__(self, build, emulated):
        self.build, self.emulated = build.resolve(), emulated
        self.environment = dict(os.environ)
        if emulated:
            self.environment["LD_LIBRARY_PATH"] = str(self.build / "cuda_on_cpu")
            self.environment["RECOMBINE_EMULATED_DEVICES"] = "2"
            self.environment["OPENBLAS_NUM_THREADS"] = "1"
        found = json.loads(self.run("gpu_bench device", self.ranks(1, "gpu_bench", "device")))
        self.device, self.gpus = found["device"], found["gpus"]

    def ranks(self, np, program, *arguments):
        return ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", str(np), str(self.build / program), *arguments]

    def run(self, name, command, **environment):
        """Standard output of a command. @raises Failed"""
        print(f"gpu_check: {name}", file=sys.stderr, flush=True)
        start = time.monotonic()
        try:
            done = subprocess.run(command, env=self.environment | environment, cwd=self.build, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PART_SECONDS, check=False)
        except OSError as error:
            raise Failed(f"{name}: {error}") from error
        except subprocess.TimeoutExpired as error:
            raise Failed(f"{name}: not done after {PART_SECONDS} s") from error
        print(f"gpu_check: {name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
        if done.returncode:
            end = "\n".join(done.stdout.splitlines()[-30:])
            raise Failed(f"{name}: exit status {done.returncode}\n{end}")
        return done.stdout

    def rates(self, name, command):
        """Runs gpu_bench, and returns its lines of JSON as rows of the table."""
        output = self.run(name, command)
        rows = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
        if not rows:
            raise Failed(f"{name}: printed no figures\n{output}")
        return rows


def find_tool(name):
    path = shutil.which(name) or shutil.which(name, path="/usr/local/cuda/bin")
    if not path:
        raise NotRun(f"{name} is not installed")
    return path


def row(part, name, **figures):
    """A row of the table. Unknown figures are null."""
    return {"part": part, "name": name, "size": "", "seconds": None, "value": None, "unit": "", "ceiling": None,
            "share": None, "note": ""} | figures
