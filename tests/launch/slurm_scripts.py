"""Submits the scripts of launch/slurm to the Slurm of slurm.py, and reads their logs."""
import pathlib
import tempfile

from slurm import Slurm  # noqa: F401, first: it finds the modules of tests/cli

from program import wait_for

LAUNCHERS = ["mpirun", "srun"]


class Scripts:
    """Each job has a folder of its own. Its RECOMBINE has links to launch/ of `repository` and to `programs`."""

    def __init__(self, slurm, repository, programs, folder, checks):
        self.slurm, self.checks, self.folder = slurm, checks, pathlib.Path(tempfile.mkdtemp(dir=folder))
        self.scripts = repository / "launch/slurm"
        self.tree = self.folder / "tree"
        self.tree.mkdir()
        (self.tree / "launch").symlink_to(repository / "launch")
        (self.tree / "build").symlink_to(programs)

    def submit(self, name, script, arguments, options=(), **settings):
        """The id of a job in self.folder / name. `settings` are variables of the script, such as LAUNCH."""
        (self.folder / name).mkdir()
        environment = {"RECOMBINE": str(self.tree), "CHECKPOINTS": "checkpoints", "BIND": "none",
                       "OMPI_MCA_mpi_yield_when_idle": "1", **settings}  # there are more ranks than cores
        return self.slurm.submit("--output=log", *options, self.scripts / script, *arguments, cwd=self.folder / name,
                                 environment=environment)

    def log(self, name):
        path = self.folder / name / "log"
        return path.read_text() if path.exists() else ""

    def expect_end(self, name, job, state="COMPLETED", code=0):
        """Waits for the end of the job. True if it ends with this state and code."""
        ended = self.slurm.wait_until_ended(job)
        return self.checks.expect(ended == (state, code),
                                  f"{name}: {ended}, expected {(state, code)}: {self.log(name)}")

    def expect_requeued(self, name, job, restarts):
        """Waits until the job is queued again. True if it is, and `restarts` is the number of its restarts."""
        def requeued():
            shown = self.slurm.job(job)
            return shown["JobState"] == "PENDING" and int(shown["Restarts"]) == restarts

        wait_for(lambda: requeued() or self.slurm.ended(job))
        return self.checks.expect(requeued(), f"{name}: not requeued: {self.slurm.job(job)}: {self.log(name)}")
