#!/usr/bin/env python3
"""Fails if clang-format would change a source file.

usage: format_test.py CLANG_FORMAT REPOSITORY
First it checks itself: it must find a text with a wrong layout.
"""
import pathlib
import shutil
import subprocess
import sys

FOLDERS = ("kernels", "distributed", "src", "tests")
SUFFIXES = {".cpp", ".hpp", ".h", ".cu", ".cuh"}


def check_layout(program, style, paths=(), text=None):
    """Runs clang-format on the files, or on the text if there are no files."""
    return subprocess.run([program, f"--style=file:{style}", "--dry-run", "--Werror", *map(str, paths)],
                          input=text, capture_output=True, text=True)


def check_the_check(program, style):
    for text, expected in (("int f() { return 1; }\n", 0), ("int  f( ){return 1;}\n", 1)):
        result = check_layout(program, style, text=text)
        if result.returncode != expected:
            sys.exit(f"format_test.py is broken: exit status {result.returncode} for {text!r}: {result.stderr}")


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    if not shutil.which(program):
        print(f"skipped: {program} is not installed")
        sys.exit(77)
    style = root / ".clang-format"
    check_the_check(program, style)
    paths = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*")) if path.suffix in SUFFIXES]
    if not paths:
        sys.exit(f"no sources under {root}")
    result = check_layout(program, style, paths)
    good = result.returncode == 0
    print(result.stderr)
    print(f"{len(paths)} files: {'as clang-format lays them out' if good else 'run clang-format -i on those above'}")
    sys.exit(0 if good else 1)


main()
