#!/usr/bin/env python3
"""`train --predictions`, and what else is made of a checkpoint alone: --evaluate, --save, --load; on other meshes, and
with other data.

usage: predictions_test.py TRAIN
"""
import csv
import math
import pathlib
import struct
import sys
import tempfile

import saved_weights
from program import Checks, files_in, run
from trainer import Trainer

MESHES = [(1, "1x1x1"), (3, "1x3x1"), (4, "1x2x2"), (4, "2x1x2")]
CLASSES = 11
NETWORK = ["--hidden", "33,18"]
TABLE = ["--data", "images", *NETWORK]
TRAINING = ["--epochs", 3, "--batch-size", 50, "--lr", 0.01, "--warmup", 5]


def write_idx(folder, rows, name, shift):
    """Images of 6 x 5 pixels whose class is visible as a bright pixel, with noise."""
    labels = [(7 * n + shift) % CLASSES for n in range(rows)]
    pixels = bytes((200 if at == label else (31 * (n + at) + shift) % 90) for n, label in enumerate(labels)
                   for at in range(30))
    (folder / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">4B3I", 0, 0, 8, 3, rows, 6, 5) + pixels)
    (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">4BI", 0, 0, 8, 1, rows) + bytes(labels))


def read(path):
    with open(path, newline="") as file:
        header, *lines = csv.reader(file)
    return header, [[float(value) for value in line] for line in lines]


def is_close(a, b, tolerance=1e-5):
    return len(a) == len(b) and all(
        len(one) == len(other) and all(abs(x - y) <= tolerance * (1 + abs(x)) for x, y in zip(one, other))
        for one, other in zip(a, b))


def check_classes(trainer, checks):
    """The accuracy and the loss of the file are those of the summary, and every mesh writes the same file."""
    trained = trainer.summary(2, *TABLE, *TRAINING, "--checkpoint", "c", "--predictions", "trained.csv")
    file = next((trainer.folder / "c").glob("step-*"))
    first = None
    for np, mesh in MESHES:
        found = trainer.summary(np, *TABLE, "--mesh", mesh, "--resume", file, "--evaluate", "--predictions", "p.csv")
        header, rows = read(trainer.folder / "p.csv")
        probabilities = [f"p{n}" for n in range(CLASSES)]
        checks.expect(header == ["row", "label", "class", "probability", *probabilities], f"{mesh}: columns {header}")
        checks.expect([row[0] for row in rows] == list(range(2100)), f"{mesh}: {len(rows)} rows, not in order")
        accuracy = sum(row[1] == row[2] for row in rows) / len(rows)
        checks.expect(accuracy == found["test_accuracy"] > 0.3,
                      f"{mesh}: accuracy {accuracy}, not {found['test_accuracy']}")
        loss = -sum(math.log(row[4 + int(row[1])]) for row in rows) / len(rows)
        checks.expect(abs(loss - found["test_loss"]) < 1e-5 * loss, f"{mesh}: loss {loss}, not {found['test_loss']}")
        sound = [row for row in rows if row[3] == max(row[4:]) == row[4 + int(row[2])] and abs(sum(row[4:]) - 1) < 1e-6]
        checks.expect(len(sound) == len(rows), f"{mesh}: {len(rows) - len(sound)} rows whose probabilities are wrong")
        first = first or rows
        checks.expect(is_close(first, rows), f"{mesh}: other predictions than on one rank")
        checks.expect(abs(found["test_loss"] - trained["test_loss"]) < 1e-5, f"{mesh}: {found['test_loss']}")
        checks.expect(found["weights_fingerprint"] == trained["weights_fingerprint"], f"{mesh}: other weights")
    checks.expect(is_close(first, read(trainer.folder / "trained.csv")[1]), "training ends with other predictions")
    return trained


def check_values(trainer, checks):
    """Regression: targets and outputs of the training rows, if there are no test rows. Its loss is that of the run."""
    lines = [f"{x},{y},{x + 2 * y},{x * y}" for x in (-1, 0, 0.5, 2) for y in (0.25, 1, 3)]
    (trainer.folder / "t.csv").write_text("x,y,s,p\n" + "\n".join(lines) + "\n")
    table = ["--data", "t.csv", "--target", "s,p", "--hidden", "17", "--loss", "mse", "--no-standardize"]
    trainer.run(1, *table, "--epochs", 3, "--save", "w.safetensors", "--quiet")
    first = None
    for np, mesh in [(1, "1x1x1"), (4, "1x2x2"), (5, "5x1x1")]:
        found = trainer.summary(np, *table, "--mesh", mesh, "--load", "w.safetensors", "--evaluate",
                                "--predictions", "p.csv")
        header, rows = read(trainer.folder / "p.csv")
        checks.expect(header == ["row", "s", "p", "predicted_s", "predicted_p"], f"{mesh}: columns {header}")
        targets = [[float(value) for value in line.split(",")[2:]] for line in lines]
        checks.expect([row[1:3] for row in rows] == targets, f"{mesh}: other targets")
        loss = sum((row[1] - row[3])**2 + (row[2] - row[4])**2 for row in rows) / len(rows) / 2
        ratio = found["train_loss"] / loss
        checks.expect(abs(ratio - 1) < 1e-5, f"{mesh}: {ratio} times the loss of the file")
        first = first or rows
        checks.expect(is_close(first, rows), f"{mesh}: other outputs than on one rank")


def check_exports(trainer, checks, trained):
    """--save and --load of a checkpoint: the weights alone, on any mesh; other options and data than in training."""
    file = next((trainer.folder / "c").glob("step-*"))
    names = [name for name in saved_weights.read(file)[0] if not name.startswith("optimizer.")]
    checks.expect(len(names) == 6 < len(saved_weights.read(file)[0]), f"{file.name} has {names}")
    stored = saved_weights.values(file)
    scores = []
    for np, mesh in [(1, "1x1x1"), (3, "1x1x3")]:
        other = ["--mesh", mesh, "--batch-size", 70, "--optimizer", "sgd", "--seed", 9, "--evaluate"]
        for source in ("--resume", "--load"):
            found = trainer.summary(np, *TABLE, *other, source, file, "--save", "w.safetensors")
            saved = saved_weights.values(trainer.folder / "w.safetensors")
            checks.expect(saved == {name: stored[name] for name in names}, f"{source} on {mesh}: saved other weights")
            scores.append([found[key] for key in ("train_loss", "test_loss", "test_accuracy")])
            checks.expect(found["steps"] == found["samples"] == 0 and None not in scores[-1],
                          f"{source} on {mesh}: {found}")
            steps = trained["steps"] if source == "--resume" else None
            checks.expect(found["resumed_step"] == steps, f"{source} on {mesh}: resumed_step {found['resumed_step']}")
    checks.expect(is_close(scores[:1] * len(scores), scores), f"other scores on other meshes: {scores}")
    write_idx(trainer.folder / "fewer", 40, "train", 1)
    write_idx(trainer.folder / "fewer", 23, "t10k", 2)
    fewer = ["--data", "fewer", *NETWORK, "--resume", file, "--evaluate"]
    found = trainer.summary(4, *fewer, "--mesh", "1x2x2", "--predictions", "p.csv")
    rows = read(trainer.folder / "p.csv")[1]
    checks.expect(len(rows) == 23 and sum(row[1] == row[2] for row in rows) / 23 == found["test_accuracy"],
                  f"other data: {len(rows)} rows, {found['test_accuracy']}")


def check_refused(trainer, checks):
    """One line, exit code 2, and no file."""
    folder, file = trainer.folder, next((trainer.folder / "c").glob("step-*"))
    trainer.run(1, *TABLE, "--steps", 1, "--save", "plain.safetensors", "--quiet")
    evaluate, before = ["--evaluate", "--predictions", "new.csv"], files_in(folder)
    (folder / "other.csv").write_text("a,y\n1,2\n3,4\n")
    cases = [
        ([*TABLE, "--resume", file, *evaluate, "--no-bias"], "--no-bias is"),
        ([*TABLE, "--resume", file, *evaluate, "--activation", "gelu"],
         "--activation is relu in the checkpoint and gelu in this run"),
        (["--data", "images", "--hidden", "33", "--resume", file, *evaluate],
         "--hidden is 33,18 in the checkpoint and 33 in this run"),
        (["--data", "synthetic:60,12,3", *NETWORK, "--resume", file, *evaluate],
         "--data synthetic:60,12,3: has 12 inputs"),
        ([*TABLE, "--resume", "plain.safetensors", *evaluate], "--resume plain.safetensors"),
        ([*TABLE, "--resume", "none", *evaluate], "--resume none"),
        ([*TABLE, "--resume", "c", *evaluate], "--resume c"),
        ([*TABLE, "--resume", "auto", *evaluate], "--resume auto: expected with --checkpoint DIR; or --resume FILE"),
        ([*TABLE, *evaluate], "--evaluate: expected with --load FILE or --resume FILE"),
        ([*TABLE, "--resume", file, "--evaluate", "--predictions", "none/p.csv"], "--predictions none/p.csv"),
        ([*TABLE, "--resume", file, "--evaluate", "--predictions", file], "is the file of --resume too"),
        ([*TABLE, "--resume", file, "--evaluate", "--save", file], "is the file of --resume too"),
        (["--data", "other.csv", "--target", "y", "--hidden", "", "--predictions", "other.csv"],
         "is the file of --data too"),
        ([*TABLE, "--resume", file, *evaluate, "--summary", "new.csv"], "is the file of --predictions too")]
    for words, text in cases:
        done = run(trainer.program, 3, *words, "--mesh", "1x3x1", cwd=folder)
        told = done.stderr.count("\n") == 1 and text in done.stderr
        checks.expect(done.returncode == 2 and told, f"{words}: exit {done.returncode}: {done.stderr}")
    checks.expect(files_in(folder) == before | {"other.csv"}, f"there are {files_in(folder)}")


def check_room(trainer, checks):
    """If the disk has no room for the file, the error comes before training."""
    folder = trainer.folder
    script = folder / "limited.sh"
    script.write_text('#!/bin/bash\nulimit -f 400\nexec "$@"\n')  # KiB
    script.chmod(0o755)
    before = files_in(folder)
    done = run(script, 1, trainer.program, *TABLE, "--epochs", 100000, "--predictions", "new.csv", cwd=folder)
    checks.expect(done.returncode == 2 and "--predictions new.csv: cannot write there: File too large" in done.stderr,
                  f"no room: exit {done.returncode}: {done.stderr}")
    checks.expect(files_in(folder) == before, f"no room: there are {files_in(folder)}")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(pathlib.Path(sys.argv[1]).resolve(), folder, checks)
        for name in ("images", "fewer"):
            (trainer.folder / name).mkdir()
        write_idx(trainer.folder / "images", 900, "train", 0)
        write_idx(trainer.folder / "images", 2100, "t10k", 5)  # more than two batches of evaluation
        trained = check_classes(trainer, checks)
        check_values(trainer, checks)
        check_exports(trainer, checks, trained)
        check_refused(trainer, checks)
        check_room(trainer, checks)
    checks.finish()


main()
