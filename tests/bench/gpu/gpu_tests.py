"""The tests on GPUs that CMake registered, as commands for this machine. A pack has its own list and needs no CTest."""
import dataclasses
import json
import pathlib
import re
import subprocess
import sys

from machine import Failed

NAME = re.compile(r"\.(cuda|emulated)(\.staged)?\.np(\d+)$")
OF_THE_EMULATION = ("LD_LIBRARY_PATH", "OPENBLAS_NUM_THREADS", "RECOMBINE_EMULATED_")


@dataclasses.dataclass
class GpuTest:
    name: str
    command: list
    environment: dict
    ranks: int
    staged: bool
    is_unit: bool  # a program of unit tests; otherwise a script that runs our programs, which takes much longer

    @property
    def part(self):
        return "tests-np1" if self.ranks == 1 else "tests-staged" if self.staged else "tests-nccl"

    def split(self):
        """The command in two parts: before the test program, and from it on."""
        at = next(i for i, word in enumerate(self.command) if re.search(r"/\w+_test$", word))
        return self.command[:at], self.command[at:]


def listed(machine):
    """The list of all tests: from CTest, or as --pack wrote it."""
    if machine.in_pack:
        text = (machine.build / "tests.json").read_text().replace("@PACK@", str(machine.build.parent))
    else:
        try:
            text = subprocess.run(["ctest", "--test-dir", str(machine.build), "--show-only=json-v1"], check=True,
                                  text=True, stdout=subprocess.PIPE).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise Failed(f"list of tests: {error}") from error
    return json.loads(text)["tests"]


def load(machine):
    """@raises Failed"""
    tests = [of(machine, test) for test in listed(machine) if NAME.search(test["name"])]
    if not tests:
        raise Failed("tests: found none for GPUs; expected a build with RECOMBINE_CUDA=ON on this machine, or a pack")
    return sorted(tests, key=lambda test: (not test.is_unit, test.name))


def of(machine, test):
    """Makes a GPU test of a test on the emulation: only names and the settings of the emulation differ."""
    _, staged, ranks = NAME.search(test["name"]).groups()
    settings = next(p["value"] for p in test["properties"] if p["name"] == "ENVIRONMENT")
    environment = dict(setting.split("=", 1) for setting in settings)
    name, command = test["name"], list(test["command"])
    is_script = pathlib.Path(command[0]).name.startswith("python")
    if is_script:
        command[0] = sys.executable
    elif machine.in_pack:
        command[0] = "mpirun"
    if not machine.emulated:
        environment = {k: v for k, v in environment.items() if not k.startswith(OF_THE_EMULATION)}
        name = name.replace(".emulated", ".cuda")
        command = ["cuda" if word == "emulated" else word for word in command]
    elif machine.in_pack:
        environment.pop("LD_LIBRARY_PATH", None)
    return GpuTest(name, [*machine.starter, *command], environment, int(ranks), staged is not None, not is_script)
