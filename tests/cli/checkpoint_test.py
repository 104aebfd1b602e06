"""`train --checkpoint` and `--resume`: a run that is stopped and continued gives the weights of a run that is not."""
import json
import os
import pathlib
import re
import signal
import sys
import tempfile

from program import Checks, run, start, wait_for
from trainer import Trainer

OPTIONS = {"--data": "synthetic:1500,20,4", "--hidden": "24,16", "--batch-size": "64", "--epochs": "4",
           "--validation": "0.2", "--patience": "3", "--clip-norm": "1", "--seed": "3", "--lr-schedule": "constant"}
STOPPED = 75


def words(**changed):
    """The options, some of them changed: batch_size="65"."""
    changed = {"--" + name.replace("_", "-"): value for name, value in changed.items()}
    return [word for option in {**OPTIONS, **changed}.items() for word in option]


DATA = words()


def step_of(path):
    return int(re.fullmatch(r"step-(\d{8})\.safetensors", path.name).group(1))


def checkpoints(folder):
    return sorted(folder.glob("step-*.safetensors"), key=step_of)


def losses(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [(line["step"], line["train_loss"]) for line in lines if "step" in line]


def main():
    program, checks = pathlib.Path(sys.argv[1]).resolve(), Checks()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(program, folder, checks)
        for np, mesh in ((1, "1x1x1"), (2, "2x1x1"), (2, "1x1x2"), (4, "1x2x2")):
            whole = trainer.summary(np, *DATA, "--mesh", mesh, "--metrics", "whole.jsonl")
            name = f"at-{mesh}"
            options = (*DATA, "--mesh", mesh, "--checkpoint", name, "--metrics", f"{name}.jsonl")
            for limit in (("--steps", "23"), ("--steps", "38"), ()):  # within epoch 2; at its end; to the end
                resumed = trainer.summary(np, *options, *limit, "--resume", "auto")
            counted, predicted = resumed["bytes_by_kind"]["buffers"], resumed["predicted_bytes_by_kind"]["buffers"]
            checks.expect(whole["bytes_by_kind"]["buffers"] < counted <= predicted <= 1.03 * counted,
                          f"{mesh}: buffers of {counted} bytes, predicted {predicted}")
            checks.expect(resumed["weights_sha256"] == whole["weights_sha256"], f"{mesh}: other weights after resuming")
            checks.expect(resumed["validation_loss"] == whole["validation_loss"], f"{mesh}: another validation loss")
            checks.expect(resumed["resumed_step"] == 38 and resumed["steps"] == whole["steps"], f"{mesh}: {resumed}")
            checks.expect(losses(trainer.folder / f"{name}.jsonl") == losses(trainer.folder / "whole.jsonl"),
                          f"{mesh}: --metrics of the three parts differs from that of one run")
            again = trainer.summary(np, *options, "--resume", "auto")
            checks.expect(again["weights_sha256"] == whole["weights_sha256"], f"{mesh}: a finished run changed")
            refused = run(program, np, *options, cwd=folder)
            checks.expect(refused.returncode == 2 and "has checkpoints already" in refused.stderr,
                          f"{mesh}: a new run in a used folder: exit {refused.returncode}: {refused.stderr}")
        other_meshes(trainer, checks, whole)
        changed_schedule(trainer, checks)
        nothing_left(trainer, checks)
        refused_options(trainer, checks)
        damaged_files(trainer, checks, whole)
        stopped_by_signal(trainer, checks)
    checks.finish()


def ranks_of(job, program):
    """The processes that mpirun has started."""
    children = pathlib.Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
    return [int(pid) for pid in children if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == program.name]


def other_meshes(trainer, checks, whole):
    """The checkpoint of one mesh, continued on another: the losses of the run that was never stopped."""
    trainer.run(2, *DATA, "--mesh", "2x1x1", "--checkpoint", "moved", "--steps", "23", "--quiet")
    cut = checkpoints(trainer.folder / "moved")[-1]
    expected = losses(trainer.folder / "whole.jsonl")
    for np, mesh in ((1, "1x1x1"), (3, "1x3x1"), (4, "2x1x2")):
        trainer.run(np, *DATA, "--mesh", mesh, "--resume", cut, "--metrics", "m.jsonl", "--quiet")
        found = losses(trainer.folder / "m.jsonl")
        checks.expect([step for step, _ in found] == [step for step, _ in expected if step > 23], f"{mesh}: {found}")
        for (step, loss), (_, other) in zip(found, expected[23:]):
            checks.expect(abs(loss - other) <= 1e-4 * other, f"{mesh}: step {step}: loss {loss}, not {other}")


def changed_schedule(trainer, checks):
    """Another length stretches the schedule, and is said."""
    cut = checkpoints(trainer.folder / "moved")[-1]
    done = trainer.run(1, *words(lr_schedule="cosine", epochs="6"), "--resume", cut, "--checkpoint", "elsewhere")
    checks.expect(len(checkpoints(trainer.folder / "elsewhere")) == 1, "no checkpoint at the end in another folder")
    checks.expect("the learning rate was constant from 0.001, after" in done.stderr and
                  "cosine from 0.001 over 114 steps" in done.stderr, f"no note about the schedule: {done.stderr}")


def nothing_left(trainer, checks):
    """Neither an evaluation nor a finished run follows a schedule; the end of an epoch without a step has no NaN."""
    cut = checkpoints(trainer.folder / "moved")[-1]
    done = trainer.run(1, *words(lr="0.1"), "--resume", cut, "--evaluate")
    checks.expect("weights after step 23" in done.stdout and not done.stderr, f"{done.stdout}{done.stderr}")
    done = trainer.run(1, *DATA, "--steps", "23", "--resume", cut, "--metrics", "m.jsonl")
    epoch = json.loads((trainer.folder / "m.jsonl").read_text().splitlines()[-1])
    checks.expect("nan" not in done.stdout and epoch["samples_per_second"] == 0, f"{done.stdout}{epoch}")
    options = (*words(lr="0.1"), "--checkpoint", "at-1x1x1", "--resume", "auto")  # a finished run
    done = trainer.run(1, *options)
    checks.expect("no step is left" in done.stdout and not done.stderr, f"{done.stdout}{done.stderr}")


def refused_options(trainer, checks):
    folder = trainer.folder
    for changed, named in (({"hidden": "24,17"}, "--hidden is 24,16 in the checkpoint and 24,17 in this run"),
                           ({"seed": "4"}, "--seed"), ({"batch_size": "65"}, "--batch-size"),
                           ({"optimizer": "sgd"}, "--optimizer"), ({"clip_norm": "2"}, "--clip-norm"),
                           ({"data": "synthetic:1501,20,4"}, "--data: training rows is [1200,20] with sha256 "),
                           ({"validation": "0.1"}, "--standardize and --validation change them")):
        done = run(trainer.program, 2, *words(**changed), "--checkpoint", "moved", "--resume", "auto", cwd=folder)
        checks.expect(done.returncode == 2 and named in done.stderr and done.stderr.count("\n") == 1,
                      f"{changed}: exit {done.returncode}: {done.stderr}")
    for wrong, named in ((("--resume", "auto"), "--resume auto: expected with --checkpoint"),
                         (("--keep", "2"), "--keep: expected with --checkpoint"),
                         (("--time-limit", "1h"), "--time-limit"),
                         (("--resume", "none.safetensors"), "none.safetensors")):
        done = run(trainer.program, 1, *DATA, *wrong, cwd=folder)
        checks.expect(done.returncode == 2 and named in done.stderr, f"{wrong}: exit {done.returncode}: {done.stderr}")


def damaged_files(trainer, checks, whole):
    """A flipped bit: --resume auto takes the checkpoint before, --resume FILE is refused."""
    folder = trainer.folder / "damaged"
    options = (*DATA, "--mesh", "1x2x2")
    trainer.run(4, *options, "--checkpoint", "damaged", "--checkpoint-every", "10", "--steps", "30", "--quiet")
    newest = checkpoints(folder)[-1]
    content = bytearray(newest.read_bytes())
    content[-1000] ^= 1
    newest.write_bytes(content)
    done = run(trainer.program, 4, *options, "--resume", newest, cwd=trainer.folder)
    checks.expect(done.returncode == 2 and newest.name in done.stderr and "damaged" in done.stderr,
                  f"--resume a damaged file: exit {done.returncode}: {done.stderr}")
    done = run(trainer.program, 4, *options, "--checkpoint", "damaged", "--resume", "auto", "--summary", "s.json",
               cwd=trainer.folder)
    summary = json.loads((trainer.folder / "s.json").read_text())
    checks.expect(done.returncode == 0 and newest.name in done.stderr, f"exit {done.returncode}: {done.stderr}")
    checks.expect(summary["resumed_step"] == 20, f"continued from step {summary['resumed_step']}, not 20")
    checks.expect(summary["weights_sha256"] == whole["weights_sha256"], "other weights after a damaged checkpoint")
    for path in checkpoints(folder):
        path.write_bytes(b"")
    done = run(trainer.program, 4, *options, "--checkpoint", "damaged", "--resume", "auto", cwd=trainer.folder)
    said = all(text in done.stderr for text in ("every checkpoint is damaged", "has 0 bytes"))
    checks.expect(done.returncode == 2 and said, f"only damaged files: exit {done.returncode}: {done.stderr}")


def stopped_by_signal(trainer, checks):
    """One rank gets a signal: all write a checkpoint and end with code 75."""
    options = words(epochs="1000000", patience="1000000")
    for np, number in ((1, signal.SIGUSR1), (2, signal.SIGTERM), (3, signal.SIGUSR1)):
        folder = trainer.folder / f"signal-{np}"
        with start(trainer.program, np, *options, "--checkpoint", folder.name, "--metrics", "s.jsonl",
                   cwd=trainer.folder) as job:
            metrics = trainer.folder / "s.jsonl"
            wait_for(lambda: metrics.exists() and len(metrics.read_text().splitlines()) > 100)
            ranks = ranks_of(job, trainer.program)
            checks.expect(len(ranks) == np, f"np {np}: {len(ranks)} ranks")
            os.kill(ranks[-1], number)
            out, errors = job.communicate(timeout=60)
        checks.expect(job.returncode == STOPPED, f"np {np}: {number!r}: exit {job.returncode}: {errors}")
        checks.expect("stopped after step" in out and number.name in out, f"np {np}: {out}")
        checks.expect(len(checkpoints(folder)) == 1, f"np {np}: {list(folder.iterdir())}")
        metrics.unlink()


if __name__ == "__main__":
    main()
