"""Runs the cases of an experiment, and records each run."""
import datetime
import functools
import hashlib
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile

import launcher as launching
import results
from cases import Case, cases_of, rounds_of
from options import ROOT, InputError

LINES_OF_A_FAILURE = 20
BAD_INPUT = 2  # exit code of the programs


class Measurement:
    """Lives as long as one call of the script. `records` are all records of --out, also those of earlier calls."""

    def __init__(self, experiment, workload, launcher):
        self.experiment, self.workload, self.launcher = experiment, workload, launcher
        self.threads = launching.threads_of(experiment, launcher)
        self.file = experiment.out / "results.jsonl"
        self.cases = cases_of(experiment)
        self.lock = results.lock(experiment.out)
        results.keep_whole_lines(self.file)
        self.records = results.read(self.file) if self.file.exists() else []
        self.failed = set()      # cases that failed in this call; they do not run again in it
        self.seconds = {}        # case -> times of its runs in this call
        self.require_same_experiment()

    def require_same_experiment(self):
        """Raises InputError if --out has results of other options or of another build: they are not comparable."""
        if not any(record["exit_code"] == 0 for record in self.records):
            self.records = []  # nothing is lost
            self.file.unlink(missing_ok=True)
        for record in self.records:
            for name, value in self.identity.items():
                other = record.get("experiment", {}).get(name)
                if other != value:
                    raise InputError(f"--out {self.experiment.out}: has results of another experiment ({name} {other}, "
                                     f"now {value}); expected another folder, or the same {name}")

    @functools.cached_property
    def identity(self):
        build = hashlib.sha256(self.experiment.binary.read_bytes()).hexdigest()[:16]
        return {"program": self.experiment.program, "options": self.experiment.arguments, "threads": self.threads,
                "launcher": self.launcher.name, "mpirun": self.experiment.mpirun, "cores": self.launcher.cores_of_hosts,
                "build": build}

    def run_all(self):
        """Measures the missing runs. If a signal handler raises, all finished runs are recorded."""
        plan = self.plan()
        for done, (number, case) in enumerate(plan):
            if case not in self.failed:
                self.run(number, case, f"[{done + 1}/{len(plan)}]", [c for _, c in plan[done + 1:]])

    def plan(self):
        """(round, case) of all missing runs. Round 0 warms up the cases that have a missing run."""
        have = {(Case(r["mode"], r["np"], r["asked_mesh"]), r["repeat"]) for r in self.records if r["exit_code"] == 0}
        rounds = rounds_of(self.cases, self.experiment.repeat)
        left = [(number, case) for number, cases in enumerate(rounds) if number > 0 for case in cases
                if (case, number) not in have]
        unfinished = {case for _, case in left}
        return [(0, case) for case in rounds[0] if case in unfinished] + left

    def run(self, number, case, progress, later):
        with tempfile.TemporaryDirectory(prefix="scaling") as folder:
            summary = os.path.join(folder, "summary.json")
            command = self.command(case, summary)
            started = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
            finished = launching.run(command, self.experiment.time_limit)
            record = self.record(number, case, command, finished, started)
            self.add_summary(record, summary, finished.output)
        if record["exit_code"] == BAD_INPUT and not self.records:  # the first run: all others would end like it
            raise InputError(record["output"])
        self.seconds.setdefault(case, []).append(finished.seconds)
        say(f"{progress} {case}{', warm-up' if number == 0 else ''}: {outcome(record)}; {self.left(later)}")
        if record["exit_code"] != 0:
            self.failed.add(case)
            say(record["output"])
        if number > 0 or record["exit_code"] != 0:
            self.records = [*results.without_older(self.records, record), record]
            results.append(self.file, record)

    def command(self, case, summary):
        mesh = [] if case.mesh == "auto" else ["--mesh", case.mesh]
        output = {"train": "--summary", "matmul": "--json"}[self.experiment.program]
        quiet = ["--quiet"] if self.experiment.program == "train" else []
        options = [*self.workload.options(case.mode, case.np), *mesh, "--threads", str(self.threads), *quiet]
        return ["mpirun", *self.launcher.options, "-np", str(case.np), str(self.experiment.binary), *options, output,
                summary]

    def record(self, number, case, command, finished, started):
        return {"program": self.experiment.program, "mode": case.mode, "np": case.np, "mesh": case.mesh,
                "asked_mesh": case.mesh, "repeat": number, "work": self.workload.work(case.mode, case.np),
                "seconds_per_unit": None, "oversubscribed": case.np * self.threads > self.launcher.cores,
                "threads": self.threads, "started": started, "wall_seconds": finished.seconds,
                "exit_code": finished.exit_code, "command": command, "launcher": self.launcher.name,
                "hosts": self.launcher.hosts, "cores": self.launcher.cores, "host": socket.gethostname(),
                "processor": None, "commit": commit(), "versions": {"python": platform.python_version()},
                "experiment": self.identity, "summary": None}

    def add_summary(self, record, path, output):
        """Adds what the program wrote to `path`, or the reason why the run failed."""
        if record["exit_code"] != 0:
            record["output"] = shortened(output, self.experiment.program)
            return
        try:
            with open(path, encoding="utf-8") as file:
                summary = json.load(file)
            seconds = self.workload.seconds_per_unit(record["work"], summary)
        except (OSError, ValueError) as error:
            record.update(exit_code=1, output=f"not measured: {error}")
            return
        record.update(summary=summary, mesh=summary["mesh"], processor=summary["processor"], seconds_per_unit=seconds)
        record["versions"].update(recombine=summary["version"], **summary["libraries"])

    def left(self, later):
        """How long the runs in `later` will take: for a case that has not run yet, the mean of all runs."""
        known = [s for runs in self.seconds.values() for s in runs]
        mean = sum(known) / len(known)
        seconds = sum(sum(self.seconds[c]) / len(self.seconds[c]) if c in self.seconds else mean
                      for c in later if c not in self.failed)
        return f"about {seconds / 60:.0f} min left" if seconds >= 90 else f"about {seconds:.0f} s left"


def shortened(output, program):
    """The lines of the program itself, if it wrote some; else the last lines of all, such as mpirun's."""
    lines = output.strip().splitlines()
    return "\n".join([line for line in lines if line.startswith(f"{program}: ")] or lines[-LINES_OF_A_FAILURE:])


def outcome(record):
    if record["exit_code"] != 0:
        return f"FAILED with exit code {record['exit_code']}"
    return f"{record['seconds_per_unit']:.4g} s per {'step' if record['program'] == 'train' else 'product'}"


@functools.cache
def commit():
    """The commit of the scripts, with + if files differ from it; null without git."""
    try:
        return subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--abbrev=12", "--dirty=+"], check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def say(line):
    print(line, file=sys.stderr, flush=True)
