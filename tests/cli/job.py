"""Runs a program under mpirun as a user would."""
import os
import subprocess

QUIET = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_orte_execute_quiet": "1",
         "OMPI_MCA_odls_base_sigkill_timeout": "0"}  # else mpirun waits seconds after a rank has failed


def mpirun(np, program, arguments, cwd, timeout=300):
    """The finished process, with stdout and stderr as text."""
    command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", str(np), program, *arguments]
    return subprocess.run(command, cwd=cwd, env={**os.environ, **QUIET}, capture_output=True, text=True,
                          timeout=timeout, check=False)
