"""If ranks differ, the job ends at the start with exit code 2; one line names the option, the values and the ranks.

usage: rank_options_test.py TRAIN MATMUL
For every option that --help lists, rank 1 of 3 gets another value. So a new option is tested without a change of this
file; an option that may differ is listed in FREE.
"""
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import machine
import npy
from program import SETTINGS, Checks

# Options that may differ between ranks, each with the reason and a value to try.
FREE = {
    "threads": ("hosts may have different numbers of cores", "2"),
    "quiet": ("only decides whether rank 0 prints", None),
    "config": ("each host may have the file at another path; its options are compared", "other.cfg"),
}
# Values of rank 1, by the option's placeholder, for options whose help does not list the possible words.
OTHER_VALUE = {"FILE": "other", "N": "3", "X": "0.5", "M": "9", "K": "9", "BYTES": "2GiB", "IxJxK": "3x1x1",
               "WIDTHS": "12", "COLUMNS": "b", "A.npy": "other.npy", "B.npy": "other.npy", "C.npy": "new.npy",
               "C0.npy": "other.npy", "Y.npy": "other.npy", "CHAR": ";", "WHAT": "synthetic:99,4,2", "TIME": "1h",
               "DIR": "other", "auto|FILE": "auto", "V,V,...": "0.5,0.7", "L": "0.5"}
ENVIRONMENT = {**os.environ, **SETTINGS, "OMP_NUM_THREADS": "1"}
BUILD_ID = struct.pack("<III", 4, 20, 3) + b"GNU\0"  # header of the build-id in a program file
# Options of all ranks; rank 1 gets another value of the tested option.
BASE = {"train": {"data": "synthetic:90,4,2", "hidden": "8", "epochs": "1", "quiet": None, "config": "job.cfg"},
        "matmul": {"m": "8", "n": "8", "k": "8", "quiet": None, "config": "job.cfg"}}
# The same for the tests of --a, --b and --c.
FILES = {"a": "a.npy", "b": "a.npy", "c": "a.npy", "beta": "1", "quiet": None}


def words(options):
    return [word for name, value in options.items()
            for word in ([f"--{name}"] if value is None else [f"--{name}", value])]


class Jobs:
    def __init__(self, programs, folder):
        self.programs, self.folder = programs, pathlib.Path(folder)

    def run(self, *ranks, timeout=30):
        """Runs a job; `ranks` has the program and arguments of each rank. Returns (exit code, lines of stderr)."""
        command = ["mpirun", "--oversubscribe", "--bind-to", "none"]
        for rank in ranks:
            command += ["-np", "1", *map(str, rank), ":"]
        try:
            done = subprocess.run(command[:-1], cwd=self.folder, env=ENVIRONMENT, capture_output=True, text=True,
                                  timeout=timeout)
        except subprocess.TimeoutExpired:
            return "none: the job hangs", []
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        return done.returncode, lines

    def problem(self, name, ranks, fragments):
        """Runs a job that must be refused. Returns what is wrong with the refusal, or None."""
        before = {path.name for path in self.folder.iterdir()}
        code, lines = self.run(*ranks)
        if code != 2 or len(lines) != 1 or not all(fragment in lines[0] for fragment in fragments):
            return f"{name}: exit code {code}, not 2, or not one line with {fragments}: {lines}"
        written = {path.name for path in self.folder.iterdir()} - before
        return f"{name}: files are left: {written}" if written else None


def options_of(program, folder):
    """{name: (placeholder or "", default or "", help)} of all options in --help."""
    text = subprocess.run([program, "--help"], env=ENVIRONMENT, cwd=folder, capture_output=True, text=True,
                          check=True).stdout
    option = r"^  --([\w-]+)(?: (\S+))?(?: \(=(.*?)\))?(?:  +| *\n +)(\S.*(?:\n {16,}\S.*)*)"
    return {name: (placeholder, default, " ".join(help_text.split()))
            for name, placeholder, default, help_text in re.findall(option, text, re.MULTILINE)}


def words_of(help_text):
    """The words a, b and c of a help text "which: a | b (why) | c; ..."."""
    first, *others = re.sub(r"\([^)]*\)", "", help_text).split("|")
    return [first.split()[-1], *(re.match(r"[\w-]+", other.strip()).group() for other in others)]


def other_value(placeholder, default, help_text):
    """A value for rank 1; None for a flag."""
    if placeholder == "NAME":
        return next(word for word in words_of(help_text) if word != default)
    return OTHER_VALUE[placeholder] if placeholder else None


def check_option(jobs, program, name, placeholder, default, help_text):
    """Runs a job in which option `name` differs on rank 1 of 3. Returns what is wrong, or None."""
    base = FILES if program == "matmul" and name in ("a", "b", "c") else BASE[program]
    value = FREE[name][1] if name in FREE else other_value(placeholder, default, help_text)
    changed = {key: old for key, old in base.items() if key != name}
    if name not in base or placeholder:  # otherwise a flag: rank 1 is the only one without it
        changed[name] = value
    rank, odd = [jobs.programs[program], *words(base)], [jobs.programs[program], *words(changed)]
    if name in FREE:
        code, lines = jobs.run(rank, odd, rank)
        return None if code == 0 else f"{program} --{name} may differ, but: exit code {code}: {lines}"
    return jobs.problem(f"{program} --{name} {value}", [rank, odd, rank], [f"--{name}", "rank 1 on "])


def check_every_option(jobs, checks):
    cases = [(program, name, *about) for program, path in jobs.programs.items()
             for name, about in options_of(path, jobs.folder).items()]
    names = {program: [case[1] for case in cases if case[0] == program] for program in jobs.programs}
    # Detects a regular expression that finds too few options.
    checks.expect(len(names["train"]) >= 28 and len(names["matmul"]) >= 27, f"--help has few options: {names}")
    checks.expect(set(FREE) <= set(names["train"]) & set(names["matmul"]), f"FREE has unknown options: {names}")
    with ThreadPoolExecutor(4) as pool:  # most of a job's start and end is waiting
        for problem in pool.map(lambda case: check_option(jobs, *case), cases):
            checks.expect(problem is None, problem)
    print(f"{len(cases)} options")


def check_other_differences(jobs, checks, root):
    train, matmul = [[jobs.programs[name], *words(BASE[name])] for name in ("train", "matmul")]
    other_build = root / "other_train"
    before, mark, after = jobs.programs["train"].read_bytes().partition(BUILD_ID)
    other_build.write_bytes(before + mark + bytes(20) + after[20:])
    other_build.chmod(0o755)
    cases = [
        ("another program", [train, matmul, train], ["program: rank 1 on ", " has matmul, rank 0 on ", " has train"]),
        ("another program first", [matmul, train, train], ["program: rank 1 on ", "of 2 that differ"]),
        ("another build", [train, [other_build, *train[1:]], train], ["build: rank 1 on "]),
        ("a rank that cannot read its options", [train, [*train, "--lr", "x"], train], ["rank 1 on ", "--lr 'x'"]),
        ("two such ranks", [train, [*train, "--lr", "x"], [*train, "--lr", "y"]], ["rank 1 on ", "--lr 'x'"]),
        ("a file of options", [train, train[:1] + words({**BASE["train"], "config": "lr.cfg"}), train],
         ["--lr: rank 1 on ", " has 0.5, rank 0 on ", " has none"]),
        ("another folder",
         [matmul[:1] + words(FILES)] * 2 + [["-wdir", root / "apart", jobs.programs["matmul"], *words(FILES)]],
         ["--a a.npy: rank 2 on ", "sha256"]),
        ("a folder without the file",
         [matmul[:1] + words(FILES)] * 2 + [["-wdir", root, jobs.programs["matmul"], *words(FILES)]],
         ["--a a.npy: rank 2 on ", "No such file"]),
        ("machine files", [matmul + ["--machine", "m.json"]] * 2 +
         [["-wdir", root / "apart", *matmul[:1], *words({**BASE["matmul"], "config": root / "work" / "job.cfg"}),
           "--machine", "m.json"]],
         ["--machine m.json: rank 2 on "]),
    ]
    for variable in ["ONEDNN_DEFAULT_FPMATH_MODE", "NVIDIA_TF32_OVERRIDE", "NCCL_ALGO",
                     "OMPI_MCA_coll_tuned_allreduce_algorithm"]:
        cases.append((variable, [train, ["env", f"{variable}=2", *train], train],
                      [f"environment variable {variable}: rank 1 on ", " has 2, rank 0 on "]))
    with ThreadPoolExecutor(4) as pool:
        for problem in pool.map(lambda case: jobs.problem(*case), cases):
            checks.expect(problem is None, problem)


def check_equal_ranks(jobs, checks):
    """Equal values in different spellings are accepted."""
    train, matmul = [[jobs.programs[name], *words(BASE[name])] for name in ("train", "matmul")]
    same = [(train + ["--lr", "0.5"], train[:1] + words({**BASE["train"], "config": "lr.cfg"})),
            (train + ["--seed", "1"], train), (matmul + ["--alpha", "1e-1"], matmul + ["--alpha=0.10"])]
    for first, second in same:
        code, lines = jobs.run(first, second)
        checks.expect(code == 0, f"{first[1:]} and {second[1:]}: exit code {code}: {lines}")


def main():
    programs = {"train": pathlib.Path(sys.argv[1]).resolve(), "matmul": pathlib.Path(sys.argv[2]).resolve()}
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "work").mkdir()
        (root / "apart").mkdir()
        for name, text in [("job.cfg", "# none\n"), ("other.cfg", "\n"), ("lr.cfg", "lr = 5e-1\n")]:
            (root / "work" / name).write_text(text)
        for place, last in [("work", 4.0), ("apart", 5.0)]:
            npy.write(root / place / "a.npy", [[1.0, 2.0], [3.0, last]])
            npy.write(root / place / "other.npy", [[1.0, 2.0], [3.0, last]])
        machine.write(root / "work" / "m.json", 3, "f32")
        (root / "apart" / "m.json").write_text((root / "work" / "m.json").read_text() + " ")
        jobs = Jobs(programs, root / "work")
        check_every_option(jobs, checks)
        check_other_differences(jobs, checks, root)
        check_equal_ranks(jobs, checks)
    checks.finish()


main()
