#!/usr/bin/env python3
"""A model of a table, from training to its use on other tables: scores in detail, --save and --load, predictions in the
table's own terms on columns in another order, the weights of the best epoch, and --data from standard input.

usage: table_models_test.py TRAIN
"""
import csv
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile

from program import SETTINGS, Checks, run
from trainer import Trainer

KINDS = [f"kind {name}" for name in "jihgfedcba"]  # ten classes, not in the order of the alphabet
COLORS = ["red", "green", "blue, or so", ""]
COLUMNS = ["size", "color", "member", "kind", "price", "weight"]
SHORT = ["--hidden", "24", "--batch-size", 16, "--epochs", 30, "--lr", 0.01]


def make_rows(count, seed):
    """Rows with a number, texts, missing values, yes and no; kind, price and weight follow from them."""
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        size, color, member = draw.uniform(2000, 9000), draw.randrange(4), draw.random() < 0.4
        kind = KINDS[(int(size / 1400) + 2 * color + member) % 10]
        price = 250000 + 40 * size + 90000 * color + draw.gauss(0, 5000)
        weight = 0.001 * size - 0.2 * color + draw.gauss(0, 0.05)
        rows.append({"size": f"{size:.1f}", "color": COLORS[color], "member": "yes" if member else "no", "kind": kind,
                     "price": f"{price:.0f}", "weight": f"{weight:.3f}"})
    return rows


def write(path, rows, columns):
    with open(path, "w", newline="") as file:
        table = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def read(path):
    with open(path, newline="") as file:
        header, *lines = csv.reader(file)
    return header, lines


def is_close(a, b, tolerance=1e-5):
    return a is not None and b is not None and abs(a - b) <= tolerance * max(1, abs(a))


def refused(trainer, checks, words, texts, np=2):
    done = run(trainer.program, np, *words, cwd=trainer.folder)
    lines = done.stderr.splitlines()
    checks.expect(done.returncode == 2 and len(lines) == 1 and all(text in lines[0] for text in texts),
                  f"{words}: expected one line with {texts}; exit {done.returncode}: {done.stderr}")


def check_scores_of_classes(checks, found, lines):
    """The object "test" of the summary against plain counts over the predictions."""
    pairs = [(line[1], line[2]) for line in lines]
    test = found["test"]
    names = sorted(KINDS)
    checks.expect([one["name"] for one in test["classes"]] == names, f"classes {test['classes']}")
    accuracy = sum(label == kind for label, kind in pairs) / len(pairs)
    checks.expect(is_close(test["accuracy"], accuracy) and found["test_accuracy"] == test["accuracy"] > 0.5,
                  f"accuracy {test['accuracy']}, {found['test_accuracy']}, not {accuracy}")
    expected = [[pairs.count((label, kind)) for kind in names] for label in names]
    checks.expect(test["confusion"] == expected, f"confusion {test['confusion']}, not {expected}")
    for name, one in zip(names, test["classes"]):
        rows = [kind for label, kind in pairs if label == name]
        hits, predicted = rows.count(name), sum(kind == name for _, kind in pairs)
        checks.expect(one["rows"] == len(rows) and one["recall"] == (hits / len(rows) if rows else None)
                      and one["precision"] == (hits / predicted if predicted else None), f"{one}")
    for key in ("precision", "recall"):
        mean = sum(one[key] or 0 for one in test["classes"]) / len(names)
        checks.expect(is_close(test[f"macro_{key}"], mean), f"macro_{key} {test[f'macro_{key}']}, not {mean}")
    checks.expect(is_close(found["validation_accuracy"], found["validation"]["accuracy"]), f"{found['validation']}")


def check_classes(trainer, checks):
    folder = trainer.folder
    rows, tests = make_rows(400, 1), make_rows(120, 2)
    inputs = ["size", "color", "member"]
    write(folder / "train.csv", rows, [*inputs, "kind"])
    write(folder / "test.csv", tests, [*inputs, "kind"])
    options = ["--data", "train.csv", "--target", "kind", "--test", "test.csv", "--validation", 0.2, *SHORT]
    found = trainer.summary(2, *options, "--save", "m.safetensors", "--predictions", "trained.csv",
                            "--metrics", "m.jsonl")
    header, lines = read(folder / "trained.csv")
    checks.expect(header == ["row", "kind", "class", "probability", *sorted(KINDS)], f"classes: {header}")
    checks.expect([line[1] for line in lines] == [row["kind"] for row in tests], "the labels are not those of the file")
    best = [sorted(KINDS)[max(range(10), key=lambda n: float(line[4 + n]))] for line in lines]
    checks.expect([line[2] for line in lines] == best, "the class is not the one with the largest probability")
    check_scores_of_classes(checks, found, lines)
    epochs = [line for line in map(json.loads, (folder / "m.jsonl").read_text().splitlines()) if "step" not in line]
    checks.expect(epochs[-1]["validation_accuracy"] == found["validation_accuracy"], f"--metrics: {epochs[-1]}")

    write(folder / "other.csv", [dict(row, more="7") for row in tests], ["kind", "member", "more", "size", "color"])
    text = trainer.run(2, "--load", "m.safetensors", "--data", "other.csv", "--predictions", "other_order.csv").stdout
    checks.expect(read(folder / "other_order.csv") == (header, lines), "columns in another order: other predictions")
    checks.expect("nothing is trained" in text and "epoch " not in text, f"does not say that it only predicts: {text}")
    checks.expect("\nall rows " in text and "training rows " not in text, f"scores of rows that do not train: {text}")
    checks.expect("\n                 (they may include rows that the model was trained on)\n" in text,
                  f"does not warn of rows that were trained on: {text}")
    write(folder / "new.csv", tests, ["color", "size", "member"])
    trainer.run(2, "--load", "m.safetensors", "--data", "new.csv", "--predictions", "new_predictions.csv")
    without = (["row", *header[2:]], [[line[0], *line[2:]] for line in lines])
    checks.expect(read(folder / "new_predictions.csv") == without, "without a target: other predictions")
    for np, mesh in [(1, "1x1x1"), (3, "1x3x1")]:
        scores = trainer.summary(np, "--load", "m.safetensors", "--data", "other.csv", "--evaluate", "--mesh", mesh)
        checks.expect(is_close(scores["train_loss"], found["test_loss"]), f"--evaluate on {mesh}: {scores}")
    write(folder / "lacks.csv", tests, ["member", "kind", "color"])
    load = ["--load", "m.safetensors", "--predictions", "none.csv"]
    refused(trainer, checks, [*load, "--data", "lacks.csv"], ["lacks.csv", "'size'"])
    refused(trainer, checks, [*load, "--data", "other.csv", "--activation", "tanh"],
            ["--activation tanh", "m.safetensors has relu"])
    refused(trainer, checks, ["--load", "m.safetensors", "--data", "new.csv", "--evaluate"], ["--evaluate", "kind"])
    refused(trainer, checks, load, ["--data fashion-mnist", "size"])
    words = ["--load", "m.safetensors", "--data", "other.csv", "--predictions", "dropped.csv", "--missing", "drop"]
    text = trainer.run(2, *words).stdout
    checks.expect("--missing: not used" in text, f"--missing with a model: {text}")
    check_some_targets(trainer, checks, tests, without)
    checks.expect(not (folder / "none.csv").exists(), "none.csv was written")


def check_some_targets(trainer, checks, tests, expected):
    """Rows that lack the target are predicted too. Rows of --evaluate are scored in detail."""
    load = ["--load", "m.safetensors", "--data", "some.csv"]
    write(trainer.folder / "some.csv", [dict(row, kind="") if n % 3 else row for n, row in enumerate(tests)],
          ["color", "kind", "size", "member"])
    text = trainer.run(2, *load, "--predictions", "some_predictions.csv").stdout
    checks.expect(read(trainer.folder / "some_predictions.csv") == expected, "some targets: other predictions")
    checks.expect("rows lack 'kind': all rows are predicted" in text, f"some targets: {text}")
    scores = trainer.summary(2, *load, "--evaluate")["train"]
    checks.expect(scores["rows"] == len(tests[::3]) and len(scores["classes"]) == 10, f"--evaluate: {scores}")


def check_rows(trainer, checks):
    """`row` is the row's number in its file, also if rows are split off or left out; of --resume and --load too."""
    folder = trainer.folder
    rows = [dict(row, kind="" if n % 7 == 2 else row["kind"], size=f"{n}") for n, row in enumerate(make_rows(200, 6))]
    rows[0]["kind"] = ""
    write(folder / "rows.csv", rows, ["size", "member", "kind"])
    write(folder / "tests.csv", rows[::-1], ["kind", "size", "member"])
    kinds = {n: row["kind"] for n, row in enumerate(rows) if row["kind"]}
    write(folder / "whole.csv", make_rows(200, 6), ["size", "member", "kind"])
    options = ["--target", "kind", "--hidden", 8, "--seed", 5]
    table, share = ["--data", "rows.csv", *options], ["--test", 0.2, "--validation", 0.2]
    split = ["--data", "whole.csv", *options, *share]

    def predicted(np, *words):
        trainer.run(np, *words, "--predictions", "p.csv")
        return {int(line[0]): line[1] for line in read(folder / "p.csv")[1]}

    found = predicted(2, *table, *share, "--epochs", 1)
    checks.expect(len(found) == round(0.2 * len(kinds)) and max(found) > 100 and found.items() <= kinds.items(),
                  f"rows of --test 0.2: {found}")
    first = predicted(2, *split, "--epochs", 1, "--checkpoint", "r", "--save", "r.safetensors")
    checks.expect(len(first) == 40 and all(make_rows(200, 6)[n]["kind"] == kind for n, kind in first.items()),
                  f"rows of --test 0.2 without missing targets: {first}")
    checkpoint = next((folder / "r").glob("step-*"))
    for words in ([*split, "--resume", checkpoint], [*split, "--load", "r.safetensors"]):
        checks.expect(predicted(3, *words, "--evaluate") == first, f"{words}: other rows")
    checks.expect(predicted(1, *table, "--epochs", 1) == kinds, "rows without --test")
    found = predicted(1, *table, "--epochs", 1, "--test", "tests.csv")
    checks.expect(found == {199 - n: kind for n, kind in kinds.items()}, f"rows of --test tests.csv: {found}")
    found = predicted(1, "--data", "tests.csv", "--load", "r.safetensors")
    checks.expect(len(found) == 200 and list(found) == list(range(200)), f"rows of tests.csv: {found}")


def check_targets(trainer, checks, targets):
    """R2, error and loss in the targets' own units, and predictions in them."""
    folder = trainer.folder
    tests = make_rows(100, 4)
    columns = ["size", "color", "member", *targets]
    write(folder / "train.csv", make_rows(400, 3), columns)
    write(folder / "test.csv", tests, columns)
    options = ["--data", "train.csv", "--target", ",".join(targets), "--test", "test.csv", "--loss", "mse", *SHORT]
    found = trainer.summary(2, *options, "--save", "r.safetensors", "--predictions", "trained.csv")
    header, lines = read(folder / "trained.csv")
    checks.expect(header == ["row", *targets, *(f"predicted_{name}" for name in targets)], f"targets: {header}")
    stored = [[float(row[name]) for name in targets] for row in tests]
    count = len(targets)
    own = [[float(cell) for cell in line[1:1 + count]] for line in lines]
    checks.expect(all(is_close(a, b, 1e-6) for x, y in zip(own, stored) for a, b in zip(x, y)), "other targets")
    for n, score in enumerate(found["test"]["targets"]):
        values, predicted = [row[n] for row in stored], [float(line[1 + count + n]) for line in lines]
        mean = sum(values) / len(values)
        errors = sum((a - b)**2 for a, b in zip(values, predicted))
        r2, rmse = 1 - errors / sum((a - mean)**2 for a in values), math.sqrt(errors / len(values))
        checks.expect(score["name"] == targets[n] and is_close(score["r2"], r2, 1e-4) and score["r2"] > 0.9,
                      f"R2 {score}, not {r2}")
        checks.expect(is_close(score["rmse"] / rmse, 1, 1e-4), f"error {score}, not {rmse}")
    if count == 1:
        checks.expect(is_close(found["test_loss"] / found["test"]["rmse"]**2, 1, 1e-4), f"loss {found['test_loss']}")
    write(folder / "other.csv", tests, [*reversed(columns)])
    trainer.run(2, "--load", "r.safetensors", "--data", "other.csv", "--predictions", "other_order.csv")
    checks.expect(read(folder / "other_order.csv") == (header, lines), f"{targets}: loaded: other predictions")


def check_best_epoch(trainer, checks):
    """Small and noisy data: the validation loss is lowest long before the end."""
    folder = trainer.folder
    write(folder / "few.csv", make_rows(90, 5), ["size", "color", "member", "kind"])
    options = ["--data", "few.csv", "--target", "kind", "--validation", 0.3, "--hidden", "64", "--batch-size", 8,
               "--lr", 0.02, "--epochs", 25, "--warmup", 0, "--weight-decay", 0]
    best = trainer.summary(2, *options, "--keep-best", "--save", "best.safetensors", "--metrics", "m.jsonl",
                           "--checkpoint", "c", "--checkpoint-every", 40, "--keep", 99)
    losses = [line["validation_loss"] for line in map(json.loads, (folder / "m.jsonl").read_text().splitlines())
              if "validation_loss" in line]
    epoch = 1 + losses.index(min(losses))
    checks.expect(1 < epoch < len(losses) == 25 and best["best_epoch"] == epoch, f"best epoch {best['best_epoch']}")
    checks.expect(is_close(best["validation_loss"], min(losses)), f"{best['validation_loss']}, not {min(losses)}")
    last = trainer.summary(2, *options)
    checks.expect(last["best_epoch"] is None and is_close(last["validation_loss"], losses[-1]), f"{last}")
    predicted, counted = best["predicted_bytes_by_kind"]["weights"], best["bytes_by_kind"]["weights"]
    checks.expect(predicted == counted == 2 * last["bytes_by_kind"]["weights"], f"weights: {predicted}, {counted}")
    text = trainer.run(2, *options, "--patience", 3).stdout
    checks.expect(f"weights of epoch {epoch}, which had the lowest validation loss" in text and "stopped early" in text,
                  f"--patience: {text}")

    data = ["--data", "few.csv", "--validation", 0.3, "--evaluate"]
    loaded = trainer.summary(1, *data, "--load", "best.safetensors")
    checks.expect(is_close(loaded["validation_loss"], min(losses)), f"--load: {loaded['validation_loss']}")
    files = sorted((folder / "c").glob("step-*"))
    for words, expected, kept in [([], min(losses), epoch), (["--keep-last"], losses[-1], None)]:
        found = trainer.summary(3, *data, "--mesh", "1x1x3", "--resume", files[-1], *words)
        checks.expect(is_close(found["validation_loss"], expected) and found["best_epoch"] == kept,
                      f"--resume {words}: {found['validation_loss']}, {found['best_epoch']}")
    for file in files[1:-1:2]:  # before and after the best epoch
        resumed = trainer.summary(2, *options, "--keep-best", "--resume", file)
        checks.expect(resumed["weights_sha256"] == best["weights_sha256"] and resumed["best_epoch"] == epoch,
                      f"resumed from {file.name}: other weights, of epoch {resumed['best_epoch']}")
    refused(trainer, checks, [*options, "--resume", files[0]], ["expected --keep-best"])


def check_screen(trainer, checks):
    text = trainer.run(2, "--data", "few.csv", "--target", "kind", "--validation", 0.2, "--test", 0.2, "--hidden", 8,
                       "--epochs", 120).stdout
    lines = text.splitlines()
    table = [line.split() for line in lines if line.split() and line.split()[0].isdigit() and len(line.split()) == 7]
    checks.expect("train loss valid. loss   test loss" in text and 15 <= len(table) <= 21 and table[-1][0] == "120",
                  f"the table of epochs has {len(table)} lines: {lines[:12]}")
    checks.expect("defaults for these data: --batch-size" in text, f"defaults are not shown: {lines[:8]}")
    checks.expect("test rows:" in text and "rows of each class (down) by predicted class" in text, f"scores: {text}")


def check_standard_input(trainer, checks):
    words = ["--target", "kind", "--hidden", 8, "--epochs", 2]
    expected = trainer.summary(2, "--data", "few.csv", *words)
    command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", "2", trainer.program, "--data", "-", *words,
               "--quiet", "--summary", "stdin.json"]
    environment = {**os.environ, **SETTINGS, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(list(map(str, command)), cwd=trainer.folder, env=environment, timeout=100,
                          capture_output=True, input=(trainer.folder / "few.csv").read_bytes())
    if checks.expect(done.returncode == 0, f"standard input: exit {done.returncode}: {done.stderr.decode()}"):
        found = json.loads((trainer.folder / "stdin.json").read_text())
        checks.expect(found["weights_sha256"] == expected["weights_sha256"], "standard input: other weights")


def check_divergence(trainer, checks):
    """Inputs in the thousands, unscaled: the remedy is to scale them, not a smaller rate."""
    words = ["--data", "few.csv", "--target", "kind", "--no-standardize", "--optimizer", "sgd", "--lr", 1e30, "--quiet"]
    refused(trainer, checks, words, ["diverged", "--standardize; column 'size' goes from 2", " to 8"])
    refused(trainer, checks, [*words[:4], "--optimizer", "sgd", "--lr", 1e30, "--quiet"],
            ["diverged", "expected a smaller learning rate"])


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(pathlib.Path(sys.argv[1]).resolve(), folder, checks)
        check_classes(trainer, checks)
        check_rows(trainer, checks)
        check_targets(trainer, checks, ["price"])
        check_targets(trainer, checks, ["weight", "price"])
        check_best_epoch(trainer, checks)
        check_screen(trainer, checks)
        check_standard_input(trainer, checks)
        check_divergence(trainer, checks)
    checks.finish()


main()
