#!/usr/bin/env python3
"""Fails if shellcheck or flake8 finds anything in the scripts of launch/, tests/ and .ci/.

usage: lint_test.py shellcheck|flake8 REPOSITORY; exit code 77 (skipped) if that program is not installed.
The settings are .shellcheckrc and .flake8 in the repository. First the test checks itself: the program must find a
planted fault in each kind of file, and nothing in a good file.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FOLDERS = ("launch", "tests", ".ci")
SHELL = re.compile(rb"#!.*\b(ba)?sh$|# shellcheck shell=")
PYTHON = re.compile(rb"#!.*\bpython3?$")
# Name -> text. In each text the last line has a fault.
PLANTED = {
    "shellcheck": {"launch/run": "#!/bin/sh\necho $1\n", "launch/env": "# shellcheck shell=bash\nexport A=$1\ncd $A\n",
                   "tests/a/part.sh": "f() { rm $1; }\n", "launch/slurm/job.sbatch": "#!/bin/bash\ncd $1\n"},
    "flake8": {"launch/check": "#!/usr/bin/env python3\nimport os\n", "tests/long.py": f"x = '{'x' * 120}'\n",
               "tests/cli/name.py": "print(undefined)\n"},
}
GOOD = {"tests/good.py": "import sys\n\nprint(sys.argv, 'x')\n", "launch/good": "#!/usr/bin/env bash\necho \"$1\"\n",
        "launch/data.csv": "$1\n", "tests/good.cpp": "int f() { return 1; }\n"}


def is_for(linter, path):
    with open(path, "rb") as file:
        first = file.readline().rstrip()
    if linter == "shellcheck":
        return path.suffix in (".sh", ".sbatch") or SHELL.match(first)
    return path.suffix == ".py" or PYTHON.match(first)


def scripts_of(linter, root):
    paths = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*"))]
    return [path for path in paths if path.is_file() and "__pycache__" not in path.parts and is_for(linter, path)]


def lint(linter, options, root):
    """The number of scripts under `root`, and what the linter says about them."""
    scripts = [str(path.relative_to(root)) for path in scripts_of(linter, root)]
    if not scripts:
        sys.exit(f"no scripts for {linter} under {root}")
    done = subprocess.run([linter, *options, *scripts], cwd=root, capture_output=True, text=True)
    said = done.stdout + done.stderr
    if (done.returncode == 0) != (said == ""):
        sys.exit(f"{linter}: exit code {done.returncode}: {said}")
    return len(scripts), said


def check_the_check(linter, options):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {**PLANTED[linter], **GOOD}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        said = lint(linter, options, root)[1]
    missed = [name for name in PLANTED[linter] if name not in said]
    wrong = [name for name in GOOD if name in said]
    if missed or wrong:
        sys.exit(f"lint_test.py is broken: {linter} found nothing in {missed}, but something in {wrong}: {said}")


def main():
    linter, root = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    if not shutil.which(linter):
        print(f"skipped: {linter} is not installed")
        sys.exit(77)
    options = [f"--config={root / '.flake8'}"] if linter == "flake8" else []  # shellcheck finds its settings itself
    check_the_check(linter, options)
    count, said = lint(linter, options, root)
    print(said)
    print(f"{linter}: {count} scripts, {'with the faults above' if said else 'no fault'}")
    sys.exit(1 if said else 0)


main()
