"""`train` prints escape codes only to a terminal that supports them.

usage: terminal_test.py TRAIN
"""
import os
import sys
import tempfile

from program import Checks
from pseudo_terminal import output_on

ARGUMENTS = ["--data", "synthetic:100,2,2", "--hidden", "4", "--epochs", "2"]


def main():
    train = os.path.abspath(sys.argv[1])
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        for terminal, expects_codes in [("xterm", True), ("dumb", False), ("", False), (None, False)]:
            text, code = output_on(terminal, [train, *ARGUMENTS], folder)
            checks.expect(code == 0 and "train loss" in text, f"TERM={terminal}: exit code {code}: {text!r}")
            checks.expect(("\x1b" in text) == expects_codes, f"TERM={terminal}: {text!r}")
    checks.finish()


main()
