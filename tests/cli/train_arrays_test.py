#!/usr/bin/env python3
"""`train` on arrays: .npy files of every type, and IDX folders under every publisher's names.

usage: train_arrays_test.py TRAIN
"""
import gzip
import json
import random
import struct
import sys
import tempfile

import npy
from program import Checks, run
from trainer import Trainer, same_curve

ROWS, PIXELS, CLASSES = 120, 12, 3
PLAIN = ["--hidden", 8, "--epochs", 2, "--batch-size", 16, "--test", 0.2, "--validation", 0.1]


def made(seed=1):
    """Whole numbers from 0 to 100, and a class in 1, 5, 9 that depends on them."""
    draw = random.Random(seed)
    rows = [[draw.randrange(101) for _ in range(PIXELS)] for _ in range(ROWS)]
    return rows, [1 + 4 * (row[0] * CLASSES // 101) for row in rows]


def array(folder, name, descr, rows, shape=None, fortran=False):
    path = folder / name
    npy.write(path, rows, descr, fortran)
    if shape:
        content = path.read_bytes()
        size = len(rows) * len(rows[0]) * int(descr[2:])
        path.write_bytes(npy.header(descr, shape, fortran) + content[-size:])
    return name


def check_types(trainer, checks):
    """The values decide, not their type: all train alike, on any number of ranks. u1 is an image: not standardized."""
    rows, labels = made()
    folder = trainer.folder
    array(folder, "y.npy", "<i8", [[label] for label in labels])
    array(folder, "X.npy", "<f4", rows)
    expected = trainer.losses(1, "--data", "X.npy", "--target-data", "y.npy", *PLAIN)
    for descr in ["<f2", ">f4", "<f8", "<i2", ">i4", "<i8", "<u8"]:
        data = array(folder, "other.NPY", descr, rows, fortran=descr[1] == "f")
        same_curve(checks, f"X of {descr}", expected,
                   trainer.losses(2, "--data", data, "--target-data", "y.npy", *PLAIN))
    cube = array(folder, "cube.npy", "<f4", rows, f"({ROWS}, 2, 3, 2)")
    same_curve(checks, "X of 4 dimensions", expected,
               trainer.losses(3, "--data", cube, "--target-data", "y.npy", *PLAIN))
    for descr in ["|u1", ">f8"]:
        array(folder, "z.npy", descr, [[label] for label in labels], f"({ROWS},)")
        same_curve(checks, f"Y of {descr}", expected,
                   trainer.losses(2, "--data", "X.npy", "--target-data", "z.npy", *PLAIN, "--loss", "cross-entropy"))
    images = array(folder, "images.npy", "|u1", rows)
    factor = [[x / 255 for x in row] for row in rows]
    array(folder, "scaled.npy", "<f4", factor)
    same_curve(checks, "X of u1", trainer.losses(1, "--data", "scaled.npy", "--target-data", "y.npy", *PLAIN,
                                                 "--no-standardize"),
               trainer.losses(2, "--data", images, "--target-data", "y.npy", *PLAIN))


def check_answers(trainer, checks):
    """Labels keep their names, also at prediction without targets. Regression with several targets."""
    rows, labels = made()
    array(trainer.folder, "X.npy", "<f8", rows)
    array(trainer.folder, "y.npy", "<i4", [[label] for label in labels])
    done = trainer.run(2, "--data", "X.npy", "--target-data", "y.npy", "--test", 0.2, "--save", "m.safetensors")
    checks.expect("y.npy: whole numbers, 3 different: classes (--loss mse for a regression)" in done.stdout,
                  f"classes are not told: {done.stdout}")
    trainer.run(2, "--load", "m.safetensors", "--data", "X.npy", "--predictions", "p.csv")
    header, *lines = (trainer.folder / "p.csv").read_text().splitlines()
    found = [line.split(",")[1] for line in lines]
    right = sum(name == str(label) for name, label in zip(found, labels))
    checks.expect(len(lines) == ROWS and set(found) <= {"1", "5", "9"} and right > 0.8 * ROWS,
                  f"{right} of {len(lines)} predictions are right: {header}, {lines[:3]}")
    array(trainer.folder, "two.npy", ">f8", [[row[0] * 1000.0, row[1] - row[2]] for row in rows])
    test = trainer.summary(2, "--data", "X.npy", "--target-data", "two.npy", "--test", 0.2)["test"]
    checks.expect([target["name"] for target in test["targets"]] == ["target 1", "target 2"] and
                  all(target["r2"] > 0.8 for target in test["targets"]), f"two targets: {test}")


def check_rows(trainer, checks):
    """`row` of --predictions is the row of X.npy, also if only the test rows are predicted. Of an IDX folder too."""
    rows, _ = made()
    labels = [n % 10 for n in range(ROWS)]
    array(trainer.folder, "y.npy", "<i4", [[label] for label in labels])
    (trainer.folder / "own").mkdir()
    (trainer.folder / "own" / "train-images-idx3-ubyte").write_bytes(
        idx(8, (ROWS, 3, 4), bytes(x for row in rows for x in row)))
    (trainer.folder / "own" / "train-labels-idx1-ubyte").write_bytes(idx(8, (ROWS,), bytes(labels)))
    for data in (["--data", array(trainer.folder, "f.npy", "<f4", rows), "--target-data", "y.npy"],
                 ["--data", array(trainer.folder, "u.npy", "|u1", rows), "--target-data", "y.npy"],
                 ["--data", "own"]):
        trainer.run(2, *data, *PLAIN, "--predictions", "p.csv")
        lines = [line.split(",")[:2] for line in (trainer.folder / "p.csv").read_text().splitlines()[1:]]
        numbers = [int(number) for number, _ in lines]
        same = all(int(label) == labels[number] for number, (_, label) in zip(numbers, lines))
        checks.expect(len(lines) == 0.2 * ROWS and numbers == sorted(set(numbers)) and numbers[-1] > 60 and same,
                      f"{data}: other rows: {lines}")


def check_defaults(trainer, checks):
    """A few small images are trained long enough without any option. Synthetic data keep their fixed defaults."""
    rows, labels = made()
    array(trainer.folder, "y.npy", "<i4", [[label] for label in labels])
    data = array(trainer.folder, "images.npy", "|u1", rows, f"({ROWS}, 3, 2, 2)")
    words = ["--data", data, "--target-data", "y.npy", "--test", 0.2, "--seed", 3, "--summary", "s.json"]
    text = trainer.run(2, *words).stdout
    accuracy = json.loads((trainer.folder / "s.json").read_text())["test_accuracy"]
    checks.expect("defaults for these data: --hidden 256,256 --batch-size 16 --epochs " in text and accuracy > 0.8,
                  f"few images: accuracy {accuracy}: {text}")
    text = trainer.run(1, "--data", "synthetic:99,4,2", "--hidden", 8).stdout
    checks.expect("batches of 99, 8 steps" in text and "defaults for" not in text, f"synthetic data: {text}")


def idx(code, shape, content):
    return struct.pack(f">{1 + len(shape)}I", code << 8 | len(shape), *shape) + content


def check_folders(trainer, checks):
    rows, labels = made()
    images = idx(8, (ROWS, 3, 4), bytes(x for row in rows for x in row))
    plain, numbers = trainer.folder / "mnist", idx(8, (ROWS,), bytes(labels))
    names = {"mnist": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", numbers),
             "kaggle": ("train-images.idx3-ubyte", "train-labels.idx1-ubyte", numbers),
             "qmnist": ("qmnist-train-images-idx3-ubyte", "qmnist-train-labels-idx2-int",
                        idx(12, (ROWS, 2), b"".join(struct.pack(">2i", label, -7) for label in labels))),
             "emnist": ("emnist-letters-train-images-idx3-ubyte", "emnist-letters-train-labels-idx1-ubyte", numbers)}
    for folder, (image_file, label_file, content) in names.items():
        (trainer.folder / folder).mkdir()
        with gzip.open(trainer.folder / folder / f"{image_file}.gz", "wb") as file:
            file.write(images)
        (trainer.folder / folder / label_file).write_bytes(content)
    expected = trainer.losses(1, "--data", plain, *PLAIN)
    (trainer.folder / "emnist" / "emnist-digits-train-labels-idx1-ubyte").write_bytes(numbers)
    for place in ["kaggle", "qmnist", "emnist/emnist-letters"]:
        same_curve(checks, place, expected, trainer.losses(2, "--data", place, *PLAIN))
    (trainer.folder / "floats").mkdir()
    (trainer.folder / "floats" / "train-vectors-idx2-float").write_bytes(
        idx(13, (ROWS, PIXELS), struct.pack(f">{ROWS * PIXELS}f", *(x for row in rows for x in row))))
    (trainer.folder / "floats" / "train-labels-idx1-ubyte").write_bytes(numbers)
    array(trainer.folder, "X.npy", "<f4", rows)
    array(trainer.folder, "y.npy", "<i4", [[label] for label in labels])
    same_curve(checks, "vectors of floats",
               trainer.losses(1, "--data", "X.npy", "--target-data", "y.npy", *PLAIN),
               trainer.losses(2, "--data", "floats", *PLAIN))


def check_refused(trainer, checks):
    rows, labels = made()
    array(trainer.folder, "X.npy", "<f4", rows)
    array(trainer.folder, "y.npy", "<i4", [[label] for label in labels])
    array(trainer.folder, "short.npy", "<i4", [[label] for label in labels[1:]])
    rows[7][3] = float("nan")
    array(trainer.folder, "nan.npy", "<f4", rows)
    (trainer.folder / "objects.npy").write_bytes(npy.header("|O", "(2, 2)", False) + b"pickled")
    (trainer.folder / "X.npz").write_bytes(b"PK\x03\x04" * 20)
    (trainer.folder / "empty").mkdir()
    for arguments, parts in [
            (["--data", "X.npy"], ["--target-data: missing", f"Y.npy with {ROWS} rows"]),
            (["--data", "X.npy", "--target-data", "short.npy"], [f"short.npy: has {ROWS - 1} rows; expected {ROWS}"]),
            (["--data", "nan.npy", "--target-data", "y.npy"], ["nan.npy: element [7,3] is NaN"]),
            (["--data", "objects.npy", "--target-data", "y.npy"], ["Python objects", "A.astype('float32')"]),
            (["--data", "X.npz", "--target-data", "y.npy"], ["X.npz", "several arrays"]),
            (["--data", "X.npy", "--target-data", "y.npy", "--validation", "X.npy"],
             ["--validation X.npy", "fraction"]),
            (["--data", "X.npy", "--target-data", "y.npy", "--target", "y"], ["--target", "no named columns"]),
            (["--data", "mnist", "--target-data", "y.npy"], ["--target-data y.npy", "labels"]),
            (["--data", "empty"], ["--data empty: has no IDX files", "train-images-idx3-ubyte"]),
            (["--data", "emnist"], ["emnist-digits, emnist-letters", "--data emnist/emnist-digits"]),
            (["--data", "emnist/emnist-digits"], ["no images emnist-digits-train-images-idx3-ubyte"])]:
        done = run(trainer.program, 2, *arguments, cwd=trainer.folder)
        told = [line for line in done.stderr.splitlines() if line.startswith("train: ")]
        checks.expect(done.returncode == 2 and len(told) == 1 and all(part in told[0] for part in parts),
                      f"{arguments}: exit {done.returncode}, {done.stderr!r}, not {parts}")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(sys.argv[1], folder, checks)
        check_types(trainer, checks)
        check_answers(trainer, checks)
        check_rows(trainer, checks)
        check_defaults(trainer, checks)
        check_folders(trainer, checks)
        check_refused(trainer, checks)
    checks.finish()


main()
