"""./launch/scaling: what it measures, keeps, continues and refuses. Most checks use a stand-in for train with known
times.

usage: scaling_test.py BUILD REPOSITORY; BUILD has train and matmul. Exit code 77 (skipped) without the modules of the
report
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from experiment import need_modules
from program import Checks, run_test, wait_for

# Takes 0.1 s / np for a step of 512 rows; its data have 1000. It fails at np = $FAIL_AT, and sleeps if $SLEEP is set.
FAKE_TRAIN = """#!/usr/bin/env python3
import json, os, sys, time
np = int(os.environ["OMPI_COMM_WORLD_SIZE"])
if str(np) == os.environ.get("FAIL_AT"):
    sys.exit("train: made-up failure")
if "--bad" in sys.argv:
    print("train: made-up bad input", file=sys.stderr)
    sys.exit(2)
if os.environ.get("SLEEP"):
    time.sleep(600)
if os.environ["OMPI_COMM_WORLD_RANK"] == "0":
    options = dict(zip(sys.argv[1:], sys.argv[2:]))
    slower = float(os.environ.get("SLOWER", "1")) * float(os.environ.get("LOSS", "1")) ** (np - 1)
    summary = {"np": np, "mesh": options.get("--mesh", f"{np}x1x1"), "samples_per_second": np * 5120 / slower,
               "batch_size": min(int(options["--batch-size"]), 1000), "processor": "made up", "version": "0",
               "build": "0", "libraries": {"Open MPI": "4"}, "compute_seconds": 1.0,
               "exposed_communication_seconds": 0.25, "input_seconds": 0.0, "evaluation_seconds": 0.0,
               "other_seconds": 0.0, "bytes_sent_per_rank": 100,
               "collectives_by_name": {}}
    with open(options["--summary"], "w") as file:
        json.dump(summary, file)
"""
# Words of the command -> words that its one line must have.
BAD = {
    "train --np 0,2": "--np 0,2: expected", "train --np 2,2": "--np 2,2: expected", "train --np x": "--np x: expected",
    "train --mode fast": "--mode fast: expected", "train --meshes 2x1": "--meshes 2x1: expected",
    "train --np 2 --meshes 3x1x1": "--meshes 3x1x1: has 3 ranks; expected",
    "train --build /nowhere": "--build /nowhere: has no program train; expected",
    "train --out /proc/nowhere": "--out /proc/nowhere: ", "train --repeat 0": "--repeat 0: expected",
    "train --compare none": "--compare none: no such file; expected",
    "train --hostfile none": "--hostfile none: no such file; expected",
    "train --hostfile empty.txt": "empty.txt: names no host; expected",
    "train --hostfile slots.txt": "slots.txt: node1 has no slots; expected",
    "train --fail-below -1": "--fail-below -1: expected", "train --fail-below 80": "--fail-below 80: expected",
    "train --np 2 --fail-below 1": "--fail-below: one np",
    "train -- --hidden 1 --hidden 2": "--hidden: given twice",
    "train -- --resume auto": "--resume: is not for an experiment; expected",
    "train -- --bad x": "train: made-up bad input",
    "train -- --mesh 1x1x1": "expected --meshes", "train -- --batch-size all": "--batch-size all: expected",
    "train -- stray": "stray: expected", "train --bogus": "--bogus", "train --threads 0": "--threads 0: expected",
    "learn": "learn: expected train, matmul or report", "": "train|matmul",
    "report none --out x": "none: cannot be read",
}


class Experiment:
    def __init__(self, repository, folder, build):
        self.script, self.folder, self.build = repository / "launch/scaling", folder, build

    def start(self, *words, **environment):
        """`environment` is added to this process's. Temporary files of a killed script stay in the test's folder."""
        added = {"TMPDIR": str(self.folder), **environment}
        return subprocess.Popen([self.script, *map(str, words)], cwd=self.folder, env={**os.environ, **added},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *words, **environment):
        with self.start(*words, **environment) as job:
            stdout, stderr = job.communicate(timeout=500)
        return subprocess.CompletedProcess(words, job.returncode, stdout, stderr)

    def fake(self, *words, **environment):
        return self.run("train", "--build", self.build, "--out", "out", *words, **environment)

    def records(self, out="out"):
        return [json.loads(line) for line in (self.folder / out / "results.jsonl").read_text().splitlines()]


def make_fake(folder):
    (folder / "build").mkdir()
    program = folder / "build/train"
    program.write_text(FAKE_TRAIN)
    program.chmod(0o755)
    return folder / "build"


def processes_of(folder):
    """Command lines of processes that name `folder`, or have it as their working directory."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            places = words + " " + os.readlink(process / "cwd")
            if int(process.name) != os.getpid() and str(folder) in places:
                found.append(words)
        except OSError:
            pass  # it has just ended
    return found


def check_cases(experiment, checks):
    """Every case has --repeat records. In weak scaling, ranks have equal rows. The same command measures nothing."""
    words = ["--np", "1,2,4", "--mode", "strong,weak", "--repeat", 2, "--threads", 1, "--", "--batch-size", 100]
    done = experiment.fake(*words)
    if not checks.expect(done.returncode == 0, f"cases: exit {done.returncode}, {done.stderr}"):
        return
    records = experiment.records()
    found = sorted((r["mode"], r["np"], r["repeat"], r["work"]["total"], r["work"]["per_rank"]) for r in records)
    expected = sorted((mode, np, repeat, 100 * (np if mode == "weak" else 1), 100 if mode == "weak" else 100 / np)
                      for mode in ("strong", "weak") for np in (1, 2, 4) for repeat in (1, 2))
    checks.expect(found == expected, f"cases: {found}")
    checks.expect(all(abs(r["seconds_per_unit"] - r["work"]["total"] / (5120 * r["np"])) < 1e-9 for r in records),
                  "seconds per step")
    cores = len(os.sched_getaffinity(0))
    checks.expect(all(r["oversubscribed"] == (r["np"] > cores) for r in records), "oversubscribed")
    order = [(r["np"], r["mode"]) for r in records]
    checks.expect(order[:6] == order[:5:-1], f"rounds change direction: {order}")
    for name in ("table.md", "report.html"):
        checks.expect((experiment.folder / "out" / name).stat().st_size > 0, name)
    again = experiment.fake(*words)
    checks.expect(again.returncode == 0 and experiment.records() == records, f"again: exit {again.returncode}")
    more = experiment.fake(*words[:4], "--repeat", 3, *words[6:])
    checks.expect(more.returncode == 0 and len(experiment.records()) == 18, f"one more repetition: {more.stderr}")
    other = experiment.fake(*words, "--hidden", "64")
    checks.expect(other.returncode == 2 and "other experiment" in other.stderr.replace("another", "other"),
                  f"other options in the same folder: exit {other.returncode}, {other.stderr}")


def check_mixtures(experiment, checks):
    """Results of other options are neither compared nor merged. A step with too few rows is not measured."""
    for name, more in [("some", []), ("other", ["--", "--hidden", "64"])]:
        experiment.fake("--np", 1, "--repeat", 1, "--out", name, *more)
    files = ["some/results.jsonl", "other/results.jsonl"]
    for words in [["report", *files, "--out", "mixed"],
                  ["train", "--build", experiment.build, "--np", 1, "--out", "some", "--compare", files[1]],
                  ["train", "--build", experiment.build, "--np", 4, "--out", "new", "--compare", files[0]]]:
        done = experiment.run(*words)
        checks.expect(done.returncode == 2 and done.stderr.count("\n") == 1,
                      f"{words}: exit {done.returncode}, {done.stderr}")
    done = experiment.run("report", files[0], files[0], "--out", "twice")
    checks.expect(done.returncode == 0 and len(experiment.records("twice")) == 1, f"a file twice: {done.stderr}")
    done = experiment.fake("--np", 1, "--repeat", 1, "--out", "few", "--", "--batch-size", 2000)
    checks.expect(done.returncode == 1 and "a step had 1000 rows; expected 2000" in done.stderr, f"few: {done.stderr}")
    done = experiment.fake("--np", 1, "--repeat", 1, "--out", "few")
    checks.expect(done.returncode == 0, f"a folder without a good run: {done.stderr}")


def check_meshes(experiment, checks):
    done = experiment.fake("--np", 4, "--meshes", "all", "--repeat", 1, "--out", "meshes")
    meshes = sorted(r["mesh"] for r in experiment.records("meshes"))
    checks.expect(meshes == ["1x1x4", "1x2x2", "1x4x1", "2x1x2", "2x2x1", "4x1x1"], f"meshes {meshes}, {done.stderr}")


def check_failure(experiment, checks):
    """The output of a failed run is shown. The other runs are kept, and the next call measures the failed one."""
    words = ["--np", "1,2", "--repeat", 2, "--out", "fails"]
    done = experiment.fake(*words, FAIL_AT="2")
    checks.expect(done.returncode == 1 and "made-up failure" in done.stderr,
                  f"failure: exit {done.returncode}, {done.stderr}")
    checks.expect(sorted(r["exit_code"] == 0 for r in experiment.records("fails")) == [False, True, True],
                  f"failure: {experiment.records('fails')}")
    page = (experiment.folder / "fails/report.html").read_text()
    checks.expect("made-up failure" in page, "failure: not in report.html")
    done = experiment.fake(*words)
    checks.expect(done.returncode == 0, f"after a failure: exit {done.returncode}, {done.stderr}")
    checks.expect("made-up failure" not in (experiment.folder / "fails/report.html").read_text(), "failure stays")


def check_verdicts(experiment, checks):
    """--fail-below and --compare end with 1 if something is too slow."""
    words = ["--np", "1", "--repeat", 5, "--out"]
    for name, slower in [("base", "1"), ("same", "1.001"), ("slow", "1.1")]:
        compare = [] if name == "base" else ["--compare", "base/results.jsonl"]
        done = experiment.fake(*words, name, *compare, SLOWER=slower)
        checks.expect(done.returncode == (1 if name == "slow" else 0),
                      f"{name}: exit {done.returncode}, {done.stdout[-500:]}")
    cores = len(os.sched_getaffinity(0))
    if cores > 1:
        for loss, code in [("1", 0), ("1.5", 1)]:
            done = experiment.fake("--np", f"1,2,{4 * cores}", "--repeat", 2, "--threads", 1, "--out", f"limit{loss}",
                                   "--fail-below", "0.9", LOSS=loss)
            checks.expect(done.returncode == code and "does not count it" in done.stdout,
                          f"--fail-below, {loss}: exit {done.returncode}, {done.stdout[-300:]}")


def check_interrupts(experiment, checks):
    """After Ctrl-C and SIGTERM, the finished runs are kept and reported. No process is left, even after SIGKILL."""
    words = ["--np", "1", "--repeat", 2, "--out", "ended"]
    experiment.fake(*words)
    for number, code in [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]:
        with experiment.start("train", "--build", experiment.build, *words[:3], 3, *words[4:], SLEEP="1") as job:
            wait_for(lambda: any("OMPI" in p or "mpirun" in p for p in processes_of(experiment.folder)))
            job.send_signal(number)
            stderr = job.communicate(timeout=60)[1]
        gone = wait_for(lambda: not processes_of(experiment.folder), 15)
        checks.expect(job.returncode == code, f"signal {number}: exit {job.returncode}, {stderr}")
        checks.expect(gone, f"signal {number}: left {processes_of(experiment.folder)}")
        checks.expect(len(experiment.records("ended")) == 2, f"signal {number}: records")
        checks.expect((experiment.folder / "ended/report.html").exists(), f"signal {number}: no report")
    done = experiment.fake(*words[:3], 3, *words[4:])
    checks.expect(done.returncode == 0 and len(experiment.records("ended")) == 3, f"continued: {done.stderr}")


def check_bad_input(experiment, checks):
    (experiment.folder / "empty.txt").write_text("# none\n")
    (experiment.folder / "slots.txt").write_text("node1\n")
    for command, words in BAD.items():
        at = ["--build", str(experiment.build)] if "--build" not in command and command[:5] == "train" else []
        first, *rest = command.split() or [""]
        done = experiment.run(*([first] if first else []), *at, *rest)
        one_line = done.stderr.count("\n") == 1 and not done.stdout
        checks.expect(done.returncode == 2 and words in done.stderr and one_line,
                      f"{command}: exit {done.returncode}, {done.stdout!r}, {done.stderr!r}")


def check_programs(repository, build, folder, checks):
    """The real programs, strong and weak, on 1 and 2 ranks; and one report of both."""
    experiment = Experiment(repository, folder, build)
    small = {"train": ["--data", "synthetic:2000,16,4", "--hidden", "32", "--batch-size", "100", "--steps", "20"],
             "matmul": ["--m", "64", "--n", "96", "--k", "128"]}
    for program, options in small.items():
        done = experiment.run(program, "--build", build, "--np", "1,2", "--mode", "strong,weak", "--repeat", 2, "--out",
                              program, "--", *options)
        checks.expect(done.returncode == 0, f"{program}: exit {done.returncode}, {done.stderr}")
        records = experiment.records(program)
        checks.expect(len(records) == 8 and all(r["seconds_per_unit"] > 0 for r in records),
                      f"{program}: {len(records)} records")
    sizes = {(r["mode"], r["np"]): r["work"]["size"] for r in experiment.records("matmul")}
    checks.expect(sizes[("weak", 1)] == "64x96x128" and sizes[("weak", 2)] == "81x121x161", f"weak products {sizes}")
    done = experiment.run("report", "train/results.jsonl", "matmul/results.jsonl", "--out", "both")
    checks.expect(done.returncode == 0, f"report: exit {done.returncode}, {done.stderr}")


def main():
    need_modules()
    build, repository = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="scaling_test") as name:
        folder = pathlib.Path(name)
        experiment = Experiment(repository, folder, make_fake(folder))
        for check in (check_bad_input, check_cases, check_mixtures, check_meshes, check_failure, check_verdicts,
                      check_interrupts):
            check(experiment, checks)
        check_programs(repository, build, folder, checks)
    checks.finish()


run_test(main)
