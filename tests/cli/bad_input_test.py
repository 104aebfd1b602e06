#!/usr/bin/env python3
"""Bad input gives one line on stderr, exit code 2 and no file, on every number of ranks.

usage: bad_input_test.py TRAIN NP
"""
import gzip
import os
import pathlib
import struct
import sys
import tempfile

from program import Checks, run

GOOD_CSV = "a,b,y\n1,2,3\n4,5,6\n7,8,9\n"


def images(count, magic=0x803):
    return struct.pack(">IIII", magic, count, 2, 2) + bytes(range(4)) * count


def labels(count, magic=0x801):
    return struct.pack(">II", magic, count) + bytes(i % 2 for i in range(count))


def idx_folder(root, name, image_bytes, label_bytes):
    folder = root / name
    folder.mkdir()
    (folder / "train-images-idx3-ubyte.gz").write_bytes(image_bytes)
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(label_bytes)
    return folder


def make_inputs(root):
    """The files that the cases name, good and bad ones."""
    files = {"good.csv": GOOD_CSV, "ragged.csv": "a,b,y\n1,2,3\n4,5\n", "word.csv": "a,b,y\n1,2,3\n4,five,6\n",
             "nan.csv": "a,b,y\n1,2,3\n4,nan,6\n", "empty.csv": "", "header.csv": "a,b,y\n",
             "unknown.cfg": "no-such-key = 3\n", "wrong.cfg": "batch-size = 0\n"}
    for name, text in files.items():
        (root / name).write_text(text)
    good_images, good_labels = gzip.compress(images(6)), gzip.compress(labels(6))
    idx_folder(root, "good", good_images, good_labels)
    idx_folder(root, "truncated", good_images[:-9], good_labels)
    idx_folder(root, "magic", gzip.compress(images(6, magic=0x802)), good_labels)
    idx_folder(root, "labels", good_images, gzip.compress(labels(5)))
    idx_folder(root, "short", gzip.compress(images(6)[:-1]), good_labels)
    idx_folder(root, "blank", b"", good_labels)
    (root / "no-images").mkdir()


def cases(root):
    """(arguments, what the line must hold)"""
    def csv(name):
        return ["--data", root / name, "--target", "y"]

    good = csv("good.csv")
    # A number out of place, a word that is none of the choices: the line names option and value.
    for option, value in [("batch-size", "0"), ("batch-size", "1.5"), ("batch-size", "-4"), ("batch-size", ""),
                          ("batch-size", "99999999999999999999"), ("lr", "nan"), ("lr", "inf"), ("lr", "-1"),
                          ("lr", "0.1x"), ("hidden", "10,-3"), ("hidden", "10,"), ("hidden", "0"), ("seed", "-1"),
                          ("epochs", "-1"), ("epochs", "0"), ("steps", "-1"), ("clip-norm", "-1"), ("threads", "0"),
                          ("warmup", "-1"), ("weight-decay", "-1"), ("activation", "softmax"),
                          ("optimizer", "adam2"), ("loss", "hinge"), ("lr-schedule", "linear"), ("device", "tpu")]:
        yield [*good, f"--{option}={value}" if value == "" else f"--{option}", *([value] if value else [])], \
            [f"--{option}", f"'{value}'" if value else option]
    yield [*good, "--validation", "1.5"], ["--validation", "1.5"]
    yield [*good, "--patience", "2"], ["--patience", "--validation"]
    yield [*good, "--no-such-option"], ["no-such-option"]
    yield [*good, "--epoch", "3"], ["--epoch"]
    yield [*good, "stray"], ["'stray'"]
    yield [*good, "--lr", "0.1", "--lr", "0.2"], ["--lr"]
    yield [*good, "--lr"], ["--lr"]

    yield ["--data", root / "none"], ["--data", "none"]
    yield ["--data", "x.txt"], ["--data", "x.txt"]
    yield csv("none.csv"), ["none.csv"]
    yield ["--data", root / "no-images"], ["--data", "no-images", "idx"]
    yield ["--data", root / "good", "--target", "y"], ["--target"]
    yield ["--data", root / "truncated"], ["train-images-idx3-ubyte.gz", "truncated"]
    yield ["--data", root / "magic"], ["train-images-idx3-ubyte.gz", "magic"]
    yield ["--data", root / "labels"], ["train-labels-idx1-ubyte.gz", "5 labels", "6 images"]
    yield ["--data", root / "short"], ["train-images-idx3-ubyte.gz", "23 bytes"]
    yield ["--data", root / "blank"], ["train-images-idx3-ubyte.gz", "empty"]
    yield ["--data", root / "good", "--loss", "mse"], ["--loss mse"]
    yield ["--data", "synthetic:10,0,3"], ["synthetic:10,0,3"]

    yield csv("ragged.csv"), ["ragged.csv", "line 3"]
    yield csv("word.csv"), ["word.csv", "line 3", "column b", "'five'"]
    yield csv("nan.csv"), ["nan.csv", "line 3", "column b", "'nan'"]
    yield csv("empty.csv"), ["empty.csv"]
    yield csv("header.csv"), ["header.csv"]
    yield ["--data", root / "good.csv"], ["--target", "good.csv"]
    yield ["--data", root / "good.csv", "--target", "z"], ["--target", "z"]

    yield [*good, "--config", "missing.cfg"], ["--config", "missing.cfg"]
    yield [*good, "--config", root / "unknown.cfg"], ["unknown.cfg", "no-such-key"]
    yield [*good, "--config", root / "wrong.cfg"], ["--batch-size", "'0'"]
    for option in ["save", "summary", "metrics"]:
        others = [word for other in ["save", "summary", "metrics"] if other != option
                  for word in (f"--{other}", f"other.{other}")]
        yield [*good, f"--{option}", "/nonexistent/file"], [f"--{option}", "/nonexistent/file"]
        yield [*good, *others, f"--{option}", "/nonexistent/file"], [f"--{option}", "/nonexistent/file"]


def check_case(checks, train, np, arguments, fragments):
    with tempfile.TemporaryDirectory() as cwd:
        done = run(train, np, *arguments, cwd=cwd)
        written = os.listdir(cwd)
    shown = " ".join(str(argument) for argument in arguments)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    checks.expect(done.returncode == 2, f"{shown}: exit code {done.returncode}, not 2; stderr: {done.stderr}")
    checks.expect(len(lines) == 1, f"{shown}: {len(lines)} lines on stderr, not one: {lines}")
    checks.expect(all(line.startswith("train: ") for line in lines), f"{shown}: not 'train: ...': {lines}")
    for fragment in fragments:
        checks.expect(fragment in done.stderr, f"{shown}: '{fragment}' is missing: {lines}")
    checks.expect(done.stdout == "", f"{shown}: wrote to stdout: {done.stdout}")
    checks.expect(not written, f"{shown}: left files: {written}")


def main():
    train, np = sys.argv[1], int(sys.argv[2])
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        make_inputs(root)
        # The good inputs are good, so each case fails for its own reason.
        for good in (["--data", root / "good"], ["--data", root / "good.csv", "--target", "y"]):
            done = run(train, np, *good, "--hidden", "4", "--epochs", "1", "--quiet", cwd=root)
            checks.expect(done.returncode == 0, f"{good}: exit code {done.returncode}: {done.stderr}")
        for arguments, fragments in cases(root):
            check_case(checks, train, np, arguments, fragments)
    checks.finish()


main()
