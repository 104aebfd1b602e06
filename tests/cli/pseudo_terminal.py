"""Runs a program on a terminal."""
import os
import pty
import subprocess

from program import SETTINGS


def output_on(terminal, command, folder, environment=None):
    """Output and exit code of `command`, one rank without mpirun, on a terminal with TERM=`terminal` (None: TERM is not
    set). `environment` is added to this process's environment."""
    added = {**os.environ, **SETTINGS, "OMP_NUM_THREADS": "1", "TERM": terminal or "", **(environment or {})}
    if terminal is None:
        del added["TERM"]
    ours, its = pty.openpty()
    with subprocess.Popen(command, cwd=folder, env=added, stdout=its, stdin=its) as job:
        os.close(its)
        text = b""
        try:
            while piece := os.read(ours, 4096):
                text += piece
        except OSError:  # Linux reports the closed other side as an error
            pass
    os.close(ours)
    return text.decode(), job.returncode
