"""The options of ./launch/scaling, checked before anything runs."""
import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "launch/hosts"))
from hostfile import InputError, read_hostfile  # noqa: E402, F401  (others import them from here)

RESERVED = {  # options of the programs that the experiment sets, and what to use instead
    "--mesh": "--meshes before the --", "--threads": "--threads before the --",
    "--summary": "no --summary: results.jsonl has it", "--json": "no --json: results.jsonl has it",
    "--quiet": "no --quiet", "--config": "the options themselves", "--help": "it before the --, or build/train --help",
    "--version": "no --version", "--plan": "no --plan", "--evaluate": "no --evaluate: it trains nothing",
    "--checkpoint": "no --checkpoint: each run must do the same work",
    "--resume": "no --resume: each run must do the same work",
}
DESCRIPTION = """Measures how train or matmul scales with the number of ranks, and writes results.jsonl, table.md, plots
and report.html to a folder. The same command continues an experiment that was interrupted."""


@dataclasses.dataclass(frozen=True)
class Experiment:
    program: str          # train or matmul
    binary: pathlib.Path
    sizes: list           # numbers of ranks, ascending
    modes: list           # of strong, weak
    meshes: list          # ["auto"], ["all"], or names such as 2x2x1
    repeat: int           # repetitions of each case
    out: pathlib.Path
    threads: int | None   # of each rank; None: the cores of a host divided by its ranks at the largest np
    hostfile: pathlib.Path | None
    mpirun: list          # further options of mpirun
    time_limit: float     # s, of one run
    fail_below: float | None
    compare: pathlib.Path | None
    arguments: list       # of the program, as the user gave them


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise InputError(f"{message}; ./launch/scaling --help lists the options")


def whole(option, text, least=1):
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < least:
        raise InputError(f"{option} {text}: expected a whole number >= {least}")
    return int(text)


def number(option, text):
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 < value < float("inf"):
        raise InputError(f"{option} {text}: expected a number > 0")
    return value


def efficiency(option, text):
    value = number(option, text)
    if value > 1:
        raise InputError(f"{option} {text}: expected an efficiency above 0 and up to 1, such as 0.8")
    return value


def sizes_of(text):
    parts = text.split(",")
    if not all(re.fullmatch(r"[0-9]{1,6}", part) and int(part) > 0 for part in parts) or len(set(parts)) != len(parts):
        raise InputError(f"--np {text}: expected different whole numbers >= 1, such as 1,2,4")
    return sorted(map(int, parts))


def modes_of(text):
    modes = text.split(",")
    if not set(modes) <= {"strong", "weak"} or len(set(modes)) != len(modes):
        raise InputError(f"--mode {text}: expected strong, weak, or strong,weak")
    return modes


def ranks_of(mesh):
    i, j, k = map(int, mesh.split("x"))
    return i * j * k


def meshes_from(text, sizes):
    if text in ("auto", "all"):
        return [text]
    meshes = text.split(",")
    for mesh in meshes:
        if not re.fullmatch(r"[1-9][0-9]{0,5}(x[1-9][0-9]{0,5}){2}", mesh):
            raise InputError(f"--meshes {text}: expected auto, all, or meshes such as 4x1x1,2x2x1")
        if ranks_of(mesh) not in sizes:
            allowed = ",".join(map(str, sizes))
            raise InputError(f"--meshes {mesh}: has {ranks_of(mesh)} ranks; expected one of --np {allowed}")
    for np in sizes:
        if np not in map(ranks_of, meshes):
            raise InputError(f"--meshes {text}: has no mesh of {np} ranks; expected one for each of --np")
    return meshes


def program_arguments(arguments):
    for argument in arguments:
        name = argument.split("=")[0]
        if name in RESERVED:
            raise InputError(f"-- {argument}: is not for an experiment; expected {RESERVED[name]}")
    return arguments


def existing(option, path):
    path = pathlib.Path(path)
    if not path.is_file():
        raise InputError(f"{option} {path}: {'is no file' if path.exists() else 'no such file'}; expected a file")
    return path.resolve()


def writable(path):
    path = pathlib.Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"--out {path}: {error.strerror}; expected a folder that can be written") from None
    return path.resolve()


def binary_of(folder, program):
    binary = pathlib.Path(folder) / program
    if not binary.is_file():
        raise InputError(f"--build {folder}: has no program {program}; expected the folder of a build, for example of "
                         "cmake --preset release && cmake --build --preset release")
    if not os.access(binary, os.X_OK):
        raise InputError(f"--build {folder}: {program} cannot be executed; expected a program")
    if not shutil.which("mpirun"):
        raise InputError("mpirun: not found; expected Open MPI in PATH")
    return binary.resolve()


def make_parser():
    parser = Parser(prog="launch/scaling", description=DESCRIPTION, allow_abbrev=False,
                    epilog="Options of the program follow --, such as: -- --hidden 4096,4096 --batch-size 1024")
    add = parser.add_argument
    add("program", metavar="train|matmul", help="the program; or report FILE... --out DIR: makes one report of several "
        "results.jsonl")
    add("--np", default="1,2,4", help="numbers of ranks (default %(default)s)")
    add("--mode", default="strong", help="strong: the same problem for every np; weak: the same work per rank (rows of "
        "the batch / np, or m n k / np); or strong,weak (default %(default)s)")
    add("--meshes", default="auto", help="auto: the program chooses one; all; or a list such as 4x1x1,2x2x1 (default "
        "%(default)s)")
    add("--repeat", default="5", help="runs of each case, after one to warm up (default %(default)s)")
    add("--out", help="the folder of the results (default scaling-PROGRAM)")
    add("--threads", help="threads of each rank, the same for every np (default: cores of a host / its ranks at the "
        "largest np)")
    add("--hostfile", help="starts ranks on these hosts; each line must have slots=N (default: this machine, or "
        "the Slurm allocation)")
    add("--mpirun", default="", help="further options of mpirun, such as --mpirun='--map-by node'")
    add("--build", default=str(ROOT / "build"), help="the folder of the programs (default: build of the checkout)")
    add("--run-limit", default="600", help="time limit of a run, in seconds (default %(default)s)")
    add("--fail-below", help="exit code 1 if the efficiency at any np is below this number, such as 0.8")
    add("--compare", metavar="RESULTS", help="results.jsonl of an older experiment: prints which cases got slower; "
        "exit code 1 if there are any")
    return parser


def optional(convert, option, text):
    return None if text is None else convert(option, text)


def parse(words):
    """The Experiment of a command line; `words` are without the name of the script."""
    end = words.index("--") if "--" in words else len(words)
    options = make_parser().parse_args(words[:end])
    if options.program not in ("train", "matmul"):
        raise InputError(f"{options.program}: expected train, matmul or report")
    sizes = sizes_of(options.np)
    if options.fail_below and len(sizes) < 2:
        raise InputError("--fail-below: one np has no efficiency; expected several values of --np")
    return Experiment(
        program=options.program, sizes=sizes, modes=modes_of(options.mode),
        meshes=meshes_from(options.meshes, sizes), repeat=whole("--repeat", options.repeat),
        threads=optional(whole, "--threads", options.threads),
        hostfile=optional(existing, "--hostfile", options.hostfile),
        mpirun=options.mpirun.split(), time_limit=number("--run-limit", options.run_limit),
        fail_below=optional(efficiency, "--fail-below", options.fail_below),
        compare=optional(existing, "--compare", options.compare), arguments=program_arguments(words[end + 1:]),
        binary=binary_of(options.build, options.program), out=writable(options.out or f"scaling-{options.program}"))
