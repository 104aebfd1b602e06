#!/usr/bin/env python3
"""No program or library of the build loads a library from the current folder, and matmul does not load ONNX.

usage: library_paths_test.py BUILD PROGRAM...
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from library_paths import check_paths, check_planted, entries_of
from program import Checks


def main():
    build, programs = pathlib.Path(sys.argv[1]).resolve(), [pathlib.Path(word).resolve() for word in sys.argv[2:]]
    checks = Checks()
    files = check_paths(checks, build)
    checks.expect(set(programs) <= set(files), f"{programs} are not among the {len(files)} files of {build}")
    for program in programs:
        check_planted(checks, program)
        onnx = [text for tag, text in entries_of(program) if tag == "NEEDED" and re.search("onnx|protobuf", text)]
        checks.expect(bool(onnx) == (program.name == "train"), f"{program} loads {onnx}; expected only train to")
    checks.finish()


main()
