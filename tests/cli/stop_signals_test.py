"""SIGUSR1 and SIGTERM stop a run that has --checkpoint: exit code 75, and a checkpoint of the step in which the signal
came or of one of the next two. A run that was stopped again and again ends with the weights of one that was never
stopped.

usage: stop_signals_test.py TRAIN POINTS [--moments N] [--seed S]; POINTS is the library of tests/preload/points.cpp
"""
import argparse
import json
import os
import pathlib
import random
import signal
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "preload"))

from checkpoints import Folder  # noqa: E402
from points import Points, plan  # noqa: E402
from program import PATIENT, Checks, ranks_of, run, start, wait_for  # noqa: E402

STOPPED = 75
AHEAD = 2  # steps that may follow the one in which the signal came
WAYS = [(signal.SIGUSR1, "self"), (signal.SIGTERM, "self"), (signal.SIGUSR1, "all"), (signal.SIGTERM, "all"),
        (signal.SIGUSR1, "mpirun")]
MOMENTS = ["product", "evaluation", "write", "snapshot", "time"]
NP = 3


class Job:
    """One training, which is stopped and resumed in one folder."""

    def __init__(self, arguments, folder, checks):
        self.train, self.folder, self.checks = arguments.train, pathlib.Path(folder), checks
        self.points = Points(arguments.points, self.train, folder)
        self.checkpoints = Folder(self.folder / "ck")
        self.options = ["--data", "synthetic:640,12,3", "--hidden", "24,16", "--batch-size", 64, "--validation", 0.2,
                        "--mesh", "1x3x1", "--quiet", "--epochs", 8 * arguments.moments + 8]

    def arguments(self, folder="ck"):
        return ["--checkpoint", folder, "--checkpoint-every", 7, "--resume", "auto", "--summary", "s.json",
                "--save", "w"]

    def reference(self):
        done = run(self.train, NP, *self.options, "--summary", "ref.json", cwd=self.folder,
                   environment=self.points.environment("none"))
        if not self.checks.expect(done.returncode == 0, f"never stopped: exit {done.returncode}: {done.stderr}"):
            self.checks.finish()
        self.summary = json.loads((self.folder / "ref.json").read_text())
        products = self.points.of_rank(0, "products")
        self.checks.expect(products % self.summary["steps"] == 0,
                           f"{products} products in {self.summary['steps']} steps")
        self.per_step = products // self.summary["steps"]

    def start(self, what, *more):
        return start(self.train, NP, *self.options, *(more or self.arguments()), cwd=self.folder,
                     environment={**PATIENT["environment"], **self.points.environment(self.folder / "ck", what)})

    def send_in_time(self, job, seconds, number, target):
        """Sends the signal that long after the first step. Returns how many products a rank had begun at least."""
        wait_for(lambda: self.points.of_rank(0, "products") > 0)
        time.sleep(seconds)
        products = self.points.of_rank(0, "products")
        processes = list(ranks_of(job).values())
        for process in {"self": processes[:1], "all": processes, "mpirun": [job.pid]}[target]:
            os.kill(process, number)
        return products

    def stop(self, rng, moment, number, target):
        what = plan(moment, "signal", number, target, rng.randrange(NP),
                    {"product": rng.randint(1, 30 * self.per_step), "evaluation": rng.randint(1, 12)}.get(moment, 2))
        shown = f"{signal.Signals(number).name} to {target} at {what if moment != 'time' else 'a random time'}"
        before = self.checkpoints.latest() or 0
        with self.start(what if moment != "time" else None) as job:
            if moment == "time":
                products = self.send_in_time(job, rng.uniform(0, 0.1), number, target)
            errors = job.communicate(timeout=60)[1]
        if moment != "time":
            self.checks.expect(self.points.fired, f"{shown}: the run has ended before")
            products = self.points.products
        # A product belongs to the step that it begins or continues. Between steps, the next step may have begun.
        first = before + -(-products // self.per_step)
        late = 1 if moment in ("time", "write", "snapshot") or target != "self" else 0  # the moment is less certain
        found = self.checkpoints.latest()
        self.checks.expect(job.returncode == STOPPED, f"{shown}: exit {job.returncode}: {errors}")
        self.checks.expect(found is not None and first <= found <= first + AHEAD + late,
                           f"{shown}: a checkpoint of step {found}, expected {first} to {first + AHEAD + late}")
        faults = self.checkpoints.faults()
        self.checks.expect(not faults, f"{shown}: {faults}")
        left = {path.name for path in self.folder.iterdir()} - {"ck", "points.page", "ref.json"}
        self.checks.expect(not left, f"{shown}: {left} were written")

    def finish(self):
        """The last checkpoint loads, and nothing was lost."""
        done = run(self.train, NP, *self.options, *self.arguments(), cwd=self.folder)
        if self.checks.expect(done.returncode == 0, f"resumed: exit {done.returncode}: {done.stderr}"):
            summary = json.loads((self.folder / "s.json").read_text())
            for key in ["weights_sha256", "steps", "test_loss"]:
                self.checks.expect(summary[key] == self.summary[key], f"{key}: {summary[key]}, not {self.summary[key]}")

    def ends_at_once(self, what, send, more, codes):
        """Sends signals to ranks while rank 0 stands still in a step: the job ends with one of `codes`, not 75."""
        steps = self.checkpoints.steps()
        with self.start(plan("product", "stall", 0, "self", 0, 20, 2_000_000), *more) as job:
            wait_for(lambda: self.points.stalled)
            send(job)
            errors = job.communicate(timeout=60)[1]
        self.checks.expect(job.returncode in codes, f"{what}: exit {job.returncode}, expected {codes}: {errors}")
        self.checks.expect(not self.checkpoints.faults() and self.checkpoints.steps() == steps,
                           f"{what}: {self.checkpoints.faults()}, steps {self.checkpoints.steps()}, not {steps}")

    def check_other_ends(self):
        """A second signal, a signal without --checkpoint, TERM to mpirun, and the TERM for the peers of a dead rank."""
        def twice(number):
            def send(job):
                for _ in range(2):
                    os.kill(ranks_of(job)[1], number)
                    time.sleep(0.7)  # two within half a second count as one
            return send

        for number in [signal.SIGUSR1, signal.SIGTERM]:
            self.ends_at_once(f"{number!r} twice", twice(number), [], [128 + number])
        self.ends_at_once("USR1 without --checkpoint", lambda job: os.kill(ranks_of(job)[1], signal.SIGUSR1),
                          ["--summary", "x"], [128 + signal.SIGUSR1])
        self.ends_at_once("KILL of a rank", lambda job: os.kill(ranks_of(job)[1], signal.SIGKILL), [],
                          [128 + signal.SIGKILL])
        # Open MPI ends the ranks: with TERM, and KILL one second later.
        self.ends_at_once("TERM to mpirun", lambda job: job.terminate(), [], [1, 143, -15])


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("train", type=pathlib.Path)
    parser.add_argument("points", type=pathlib.Path)
    parser.add_argument("--moments", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.train = arguments.train.resolve()
    rng, checks = random.Random(arguments.seed), Checks()
    moments = [MOMENTS[i % len(MOMENTS)] for i in range(arguments.moments)]
    with tempfile.TemporaryDirectory() as folder:
        job = Job(arguments, folder, checks)
        job.reference()
        for i, moment in enumerate(moments):
            job.stop(rng, moment, *WAYS[(i + i // len(WAYS)) % len(WAYS)])
        job.check_other_ends()
        job.finish()
    checks.finish()


main()
