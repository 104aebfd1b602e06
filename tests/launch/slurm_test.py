"""launch/slurm in a real Slurm: train.sbatch is stopped by USR1, requeued and resumed, and ends with the weights of a
run that was never stopped, by mpirun and by srun. scaling.sbatch measures three numbers of ranks and makes one report.

usage: slurm_test.py TRAIN REPOSITORY; exit code 77 (skipped) if Slurm or hosts of namespaces cannot run here, or the
Python modules of launch/scaling are missing.
"""
import json
import pathlib
import re
import sys
import tempfile

from slurm import Slurm  # first: it finds the modules of tests/cli

from checkpoints import Folder
from experiment import need_modules
from program import Checks, run_test, wait_for
from slurm_scripts import LAUNCHERS, Scripts

TRAINING = ["--data", "synthetic:2000,16,4", "--hidden", 32, "--batch-size", 64, "--lr-schedule", "constant",
            "--warmup", 0]
STEPS_OF_EPOCH = 32


def summary_of(folder):
    path = folder / "summary.json"
    return json.loads(path.read_text()) if path.exists() else {}


def stop_twice(scripts, name, job):
    """Sends USR1 as Slurm does before the time limit, after each new checkpoint. Returns the steps of the stops."""
    checkpoints, steps = Folder(scripts.folder / name / "checkpoints"), [0]
    for restarts in [1, 2]:
        wait_for(lambda: (checkpoints.latest() or 0) > steps[-1] or scripts.slurm.ended(job))
        scripts.slurm.call("scancel", "--signal=USR1", "--batch", job)
        if not scripts.expect_requeued(name, job, restarts):
            return []
        steps.append(checkpoints.latest())
    return steps[1:]


def check_resuming(scripts, launcher, checks):
    """The number of epochs is in a file. It is very large until the second stop."""
    whole, stopped = f"{launcher} whole", f"{launcher} stopped"
    arguments = [*TRAINING, "--config", "../epochs", "--checkpoint-every", 20, "--summary", "summary.json"]
    epochs = scripts.folder / "epochs"
    epochs.write_text("epochs = 1000000\n")
    job = scripts.submit(stopped, "train.sbatch", arguments, ["--ntasks=4"], LAUNCH=launcher)
    steps = stop_twice(scripts, stopped, job)
    if not steps:
        scripts.slurm.call("scancel", job)
        return
    epochs.write_text(f"epochs = {steps[-1] // STEPS_OF_EPOCH + 10}\n")
    scripts.expect_end(stopped, job)
    log = scripts.log(stopped)
    for said in [f"{what} step {step} " for step in steps for what in ["stopped after", "continues after"]]:
        checks.expect(said in log, f"{stopped}: {said!r} is not in the log: {log}")
    checks.expect(log.count("train.sbatch: exit code 75: requeued") == 2, f"{stopped}: two lines of requeueing: {log}")
    scripts.expect_end(whole, scripts.submit(whole, "train.sbatch", arguments, ["--ntasks=4"], LAUNCH=launcher))
    expected, found = (summary_of(scripts.folder / name) for name in [whole, stopped])
    for key in ["np", "steps", "weights_sha256"]:
        checks.expect(expected.get(key) == found.get(key) is not None,
                      f"{launcher}: {key}: {found.get(key)}, not {expected.get(key)}")
    checks.expect(found.get("np") == 4, f"{launcher}: {found.get('np')} ranks")
    print(f"{launcher}: stopped after steps {steps} of {found.get('steps')}: {found.get('weights_sha256')}")


def check_scaling(scripts, checks):
    """Three tasks with 1, 2 and 4 ranks, then one report. A core is free for the report, but it waits for the tasks."""
    def queue():
        return scripts.slurm.call("squeue", "--noheader", "--format=%i %j %T %r").stdout

    arguments = ["train", "--build", scripts.tree / "build", "--repeat", 2, "--", *TRAINING, "--epochs", 2]
    job = scripts.submit("scaling", "scaling.sbatch", arguments, ["--exclusive=user", "--ntasks=1"], OUT="out")
    out = scripts.folder / "scaling/out"
    wait_for(lambda: not queue(), 300)
    checks.expect(not queue(), f"scaling: jobs are left: {queue()}")
    log = scripts.log("scaling") + ((out / "report.log").read_text() if (out / "report.log").exists() else "")
    states = re.findall(r"JobState=(\S+)", scripts.slurm.call("scontrol", "show", "job", job).stdout)
    checks.expect(states == ["COMPLETED"] * 3, f"scaling: {states}: {log}")
    lines = [line for path in out.glob("*/results.jsonl") for line in path.read_text().splitlines()]
    found = sorted((run["np"], run["threads"], run["launcher"]) for run in map(json.loads, lines))
    checks.expect(found == [(np, 1, "slurm") for np in [1, 1, 2, 2, 4, 4]], f"scaling: runs {found}: {log}")
    checks.expect((out / "report.html").exists(), f"scaling: no report.html: {log}")
    table = (out / "table.md").read_text() if (out / "table.md").exists() else ""
    rows = {int(np) for np in re.findall(r"^\| *(\d+) \|", table, re.MULTILINE)}
    checks.expect(rows == {1, 2, 4}, f"scaling: the report has np {rows}: {table}")


def main():
    need_modules()
    train, repository = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder, Slurm(nodes=1, cpus=4) as slurm:
        scripts = Scripts(slurm, repository, train.parent, folder, checks)
        for launcher in LAUNCHERS:
            check_resuming(scripts, launcher, checks)
        check_scaling(scripts, checks)
    checks.finish()


run_test(main)
