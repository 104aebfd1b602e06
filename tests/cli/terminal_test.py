"""`train` prints escape codes only to a terminal that supports them.

usage: terminal_test.py TRAIN
"""
import os
import pty
import subprocess
import sys
import tempfile

from program import SETTINGS, Checks


def output_on(terminal, train, folder):
    """Output and exit code of one rank on a terminal with TERM=`terminal` (None: TERM is not set)."""
    environment = {**os.environ, **SETTINGS, "OMP_NUM_THREADS": "1", "TERM": terminal or ""}
    if terminal is None:
        del environment["TERM"]
    ours, its = pty.openpty()
    arguments = ["--data", "synthetic:100,2,2", "--hidden", "4", "--epochs", "2"]
    with subprocess.Popen([train, *arguments], cwd=folder, env=environment, stdout=its, stdin=its) as job:
        os.close(its)
        text = b""
        try:
            while piece := os.read(ours, 4096):
                text += piece
        except OSError:  # Linux reports the closed other side as an error
            pass
    os.close(ours)
    return text.decode(), job.returncode


def main():
    train = os.path.abspath(sys.argv[1])
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        for terminal, expects_codes in [("xterm", True), ("dumb", False), ("", False), (None, False)]:
            text, code = output_on(terminal, train, folder)
            checks.expect(code == 0 and "train loss" in text, f"TERM={terminal}: exit code {code}: {text!r}")
            checks.expect(("\x1b" in text) == expects_codes, f"TERM={terminal}: {text!r}")
    checks.finish()


main()
