#!/usr/bin/env python3
"""Kills runs of `train` at random moments of every class, and resumes them: the final weights are those of the same run
that was never stopped.

usage: kill_and_resume.py TRAIN POINTS [--runs N] [--seed S] [--seconds T] [--jobs J]
POINTS is the library of tests/preload/points.cpp. Each run is a random network on a random mesh of 1 to 4 ranks. It is
killed (one rank, all ranks, or mpirun) and resumed up to three times, then resumed to its end. A third of the runs end
on another mesh: their losses may differ by 1e-4. After T seconds no further run begins. With 6 runs or more, each class
must have been hit.
"""
import argparse
import collections
import concurrent.futures
import csv
import json
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "cli"), str(HERE / "preload"), str(HERE.parent / "launch/experiment")]

from cases import meshes_of  # noqa: E402
from checkpoints import Folder  # noqa: E402
from points import CLASSES, Points, plan  # noqa: E402
from program import PATIENT, Checks, run, wait_for  # noqa: E402
from trainer import CURVE_TOLERANCE  # noqa: E402

VICTIMS = ["one rank", "all ranks", "mpirun"]
# What a killed mpirun leaves of Open MPI, with these names.
OPEN_MPI = ("ompi.", "vader_segment.", "osc_sm.")


def write_table(path, rng, rows):
    """A table of 6 features and a label of 3 classes."""
    with open(path, "w", newline="", encoding="ascii") as file:
        writer = csv.writer(file)
        writer.writerow([*"abcdef", "label"])
        for _ in range(rows):
            row = [round(rng.gauss(0, 1), 4) for _ in range(6)]
            writer.writerow([*row, (row[0] > row[1]) + (row[2] > 0.3)])


def options(rng, folder, patience):
    """A random network and a random way to train it."""
    rows = rng.randrange(150, 500)
    if rng.random() < 0.4:
        write_table(folder / "table.csv", rng, rows)
        chosen = ["--data", "table.csv", "--target", "label"]
    else:
        chosen = ["--data", f"synthetic:{rows},{rng.randrange(3, 20)},{rng.randrange(1, 5)}"]
    hidden = ",".join(str(rng.randrange(4, 40)) for _ in range(rng.randrange(1, 4)))
    optimizer = rng.choice(["sgd", "momentum", "adamw"])
    rate = {"sgd": 0.05, "momentum": 0.01, "adamw": 0.003}[optimizer]
    chosen += ["--hidden", hidden, "--optimizer", optimizer, "--lr", rate, "--seed", rng.randrange(1000),
               "--batch-size", rng.randrange(20, 70), "--epochs", rng.randrange(4, 9),
               "--warmup", rng.choice([0, 3, 20]), "--activation", rng.choice(["relu", "gelu", "tanh"]),
               "--lr-schedule", rng.choice(["constant", "cosine", "step"])]
    for option, share in [(["--clip-norm", 0.5], 0.4), (["--accumulate", 2], 0.3), (["--no-bias"], 0.2),
                          (["--weight-decay", 0.05], 0.3), (["--standardize"], 0.3)]:
        chosen += option if rng.random() < share else []
    return chosen + ["--validation", 0.2] + (["--patience", rng.randrange(1, 4)] if patience else [])


def point_of(kind, rng, np, victim, left):
    """A plan that kills `victim` in a moment of the class `kind`. `left`: what this job still has to do."""
    target = {"one rank": "self", "all ranks": "all", "mpirun": "mpirun"}[victim]
    rank = rng.randrange(np)
    product = rng.randint(1, max(1, left["products"] * 9 // 10))
    number = rng.randint(1, max(1, min(3, left["checkpoints"])))
    if kind == "computing":
        return plan("product", "signal", signal.SIGKILL, target, rank, product, rng.choice([0, 1, 30]))
    if kind == "summing":  # the next rank waits in a collective for this one, and dies there
        return plan("product", "stall", signal.SIGKILL, "other" if target == "self" else target, rank, product, 60_000)
    if kind == "evaluation":
        return plan("evaluation", "signal", signal.SIGKILL, target, rank, rng.randint(1, max(1, left["evaluated"])))
    if kind == "snapshot":
        return plan("snapshot", "signal", signal.SIGKILL, target, rank, number, rng.choice([0, 0, 20, 100]))
    if kind == "writing":
        return plan("write", "signal", signal.SIGKILL, target, rank, rng.randint(1, 3 * number))
    if kind == "fsync to rename":
        where = rng.choice(["fsynced", "rename"])
        return plan(where, "signal", signal.SIGKILL, target, 0 if where == "rename" else rank, number)
    return plan(rng.choice(["renamed", "latest", "committed"]), "signal", signal.SIGKILL, target, 0, number)


class Run:
    """One network, trained without a stop and with several, in its own folder."""

    def __init__(self, arguments, number, kinds, folder):
        self.arguments, self.number, self.folder = arguments, number, pathlib.Path(folder)
        self.rng = random.Random(1000 * arguments.seed + number)
        self.kinds = kinds
        self.np = self.rng.randint(2 if "summing" in kinds else 1, 4)
        self.mesh = self.rng.choice(meshes_of(self.np)[::-1])
        self.moves = number % 3 == 2  # to another mesh
        self.options = options(self.rng, self.folder, patience=not self.moves and self.rng.random() < 0.5)
        self.points = Points(arguments.points, arguments.train, self.folder)
        self.checkpoints = Folder(self.folder / "ck")
        for name in ["tmp", "shm"]:
            (self.folder / name).mkdir()
        self.failures, self.hits, self.missed = [], [], []

    def expect(self, holds, what):
        if not holds:
            shown = " ".join(map(str, self.options))
            self.failures.append(f"run {self.number}, np {self.np}, mesh {self.mesh}, {shown}: {what}")
        return holds

    def train(self, np, mesh, *more, what=None):
        places = {"TMPDIR": str(self.folder / "tmp"), "OMPI_MCA_btl_vader_backing_directory": str(self.folder / "shm"),
                  "OMPI_MCA_osc_sm_backing_directory": str(self.folder / "shm")}
        environment = {**PATIENT["environment"], **places, **self.points.environment(self.folder / "ck", what)}
        return run(self.arguments.train, np, *self.options, "--mesh", mesh, "--quiet", *more, cwd=self.folder,
                   environment=environment, timeout=120)

    def counted(self):
        return {name: self.points.of_rank(0, name) for name in ["products", "evaluated"]}

    def check_left(self, victim):
        """What a kill leaves: whole checkpoints, the grown metrics file, at most one temporary file."""
        self.expect(wait_for(lambda: not self.points.running(), timeout=20),
                    f"{victim} killed: processes {self.points.running()} are left")
        faults = self.checkpoints.faults(unfinished=1)
        self.expect(not faults, f"{victim} killed: {faults}")
        ours = {"ck", "tmp", "shm", "points.page", "table.csv", "ref.jsonl", "ref.json", "m.jsonl"}
        left = {path.name for path in self.folder.iterdir()} - ours
        if victim == "mpirun":  # its ranks notice it some seconds later; some runs end before
            left -= {"s.json"}
            (self.folder / "s.json").unlink(missing_ok=True)
        self.expect(not left, f"{victim} killed: {left} are left")
        for name in ["tmp", "shm"]:
            shown = [path.name for path in (self.folder / name).iterdir()]
            strange = [name for name in shown if victim != "mpirun" or not name.startswith(OPEN_MPI)]
            self.expect(not strange, f"{victim} killed: {strange} are left in {name}")
            shutil.rmtree(self.folder / name)
            (self.folder / name).mkdir()

    def left(self):
        """What is left to do after the newest checkpoint, in numbers of each kind."""
        done = self.checkpoints.latest() or 0
        share = 1 - done / self.steps
        return {"checkpoints": (self.steps - done) // self.every,
                **{kind: int(n * share) for kind, n in self.counts.items()}}

    def kill(self, kind, resumed):
        """Starts or resumes the run, and kills it. Returns false if it has ended before."""
        victim = VICTIMS[(self.number + len(self.hits)) % 3]
        what = point_of(kind, self.rng, self.np, victim, self.left())
        done = self.train(self.np, self.mesh, *resumed, what=what)
        if not self.points.fired:
            self.missed.append(what)
            self.expect(done.returncode == 0, f"{what}: exit {done.returncode}: {done.stderr}")
            return False
        self.expect(done.returncode != 0, f"{what}: the job succeeds though {victim} was killed")
        hit = self.points.waited if kind == "summing" else self.points.snapshot if kind == "snapshot" else True
        self.hits.append((kind if hit else "writing" if kind == "snapshot" else "computing", victim))
        self.check_left(victim)
        return True

    def lines(self, name):
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def compare(self, np, mesh):
        expected, found = self.lines("ref.jsonl"), self.lines("m.jsonl")
        key = ["step", "epoch", "steps_done", "order_hash"]
        order = [[line.get(name) for name in key] for line in expected]
        self.expect(order == [[line.get(name) for name in key] for line in found],
                    f"{self.hits}: {len(found)} lines of metrics, not the {len(expected)} of the run never stopped")
        tolerance = CURVE_TOLERANCE if self.moves else 0
        for a, b in zip(expected, found):
            for name in ["train_loss", "validation_loss", "epoch_train_loss", "lr"]:
                if name in a and not self.expect(abs(a[name] - b.get(name, 1e9)) <= tolerance * abs(a[name]),
                                                 f"{self.hits}, then mesh {mesh}: {b}, not {a}"):
                    return
        hashes = [json.loads((self.folder / name).read_text())["weights_sha256"] for name in ["ref.json", "s.json"]]
        if not self.moves:
            self.expect(hashes[0] == hashes[1], f"{self.hits}: other weights than those of the run never stopped")

    def do(self):
        done = self.train(self.np, self.mesh, "--metrics", "ref.jsonl", "--summary", "ref.json")
        if not self.expect(done.returncode == 0, f"exit {done.returncode}: {done.stderr}"):
            return self
        self.counts = self.counted()
        self.steps = sum("step" in line for line in self.lines("ref.jsonl"))
        self.every = self.rng.randint(1, max(1, self.steps // 4))
        resumed = ["--checkpoint", "ck", "--checkpoint-every", self.every, "--keep", self.rng.randint(1, 3),
                   "--resume", "auto", "--metrics", "m.jsonl", "--summary", "s.json"]
        for kind in self.kinds:
            if not self.kill(kind, resumed):
                break
        np = self.rng.randint(1, 4) if self.moves else self.np
        others = [mesh for mesh in meshes_of(np)[::-1] if mesh != self.mesh] or meshes_of(np)
        mesh = self.rng.choice(others) if self.moves else self.mesh
        before = self.checkpoints.steps()
        done = self.train(np, mesh, *resumed)
        if not self.expect(done.returncode == 0, f"{self.hits}, resumed: exit {done.returncode}: {done.stderr}"):
            return self
        faults = self.checkpoints.faults()
        self.expect(not faults, f"{self.hits}, resumed: {faults}")
        if before and not self.moves:
            self.expect(self.points.of_rank(0, "products") < self.counts["products"],
                        f"{self.hits}: the run began anew, though there were checkpoints {before}")
        self.compare(np, mesh)
        return self


def run_one(arguments, number, kinds):
    if time.monotonic() > arguments.end:
        return None
    with tempfile.TemporaryDirectory() as folder:
        return Run(arguments, number, kinds, folder).do()


def kinds_of(rng, runs):
    """For each run the classes of its kills, so that each class comes equally often."""
    deck = []
    for _ in range(runs):
        count = rng.choice([1, 2, 2, 3])
        while len(deck) < count:
            deck += rng.sample(CLASSES, len(CLASSES))
        yield [deck.pop(0) for _ in range(count)]


class Report:
    """The counts of all runs."""

    def __init__(self):
        self.checks, self.hits, self.missed, self.runs = Checks(), collections.Counter(), [], 0

    def take(self, arguments, kinds):
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            for one in pool.map(lambda entry: run_one(arguments, *entry), kinds):
                if one is None:
                    continue
                self.runs += 1
                self.hits.update(one.hits)
                self.missed += one.missed
                self.checks.count += 1
                for failure in one.failures:
                    self.checks.expect(False, failure)

    def finish(self, arguments):
        for kind in CLASSES:
            counts = {victim: self.hits[kind, victim] for victim in VICTIMS}
            shown = ", ".join(f"{count} of {victim}" for victim, count in counts.items())
            print(f"{kind:18} {sum(counts.values()):4} kills: {shown}")
            if arguments.only is None and arguments.runs >= 6:
                self.checks.expect(sum(counts.values()) > 0, f"no kill was in the class: {kind}")
        print(f"{self.runs} runs, {sum(self.hits.values())} kills; {len(self.missed)} runs ended before they reached "
              "the point")
        for what in self.missed[:5]:
            print(f"  not reached: {what}")
        self.checks.finish()


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("train", type=pathlib.Path)
    parser.add_argument("points", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", type=int, help="the number of one run, to repeat it")
    arguments = parser.parse_args()
    arguments.train = arguments.train.resolve()
    arguments.end = time.monotonic() + arguments.seconds
    kinds = list(enumerate(kinds_of(random.Random(arguments.seed), arguments.runs)))
    if arguments.only is not None:
        kinds = [kinds[arguments.only]]
    report = Report()
    report.take(arguments, kinds)
    for _ in range(3):  # a point may lie after the end of a run
        missing = [kind for kind in CLASSES if not any(hit[0] == kind for hit in report.hits)]
        if arguments.only is None and arguments.runs >= 6:
            report.take(arguments, [(report.runs + i, [kind]) for i, kind in enumerate(missing)])
    report.finish(arguments)


main()
