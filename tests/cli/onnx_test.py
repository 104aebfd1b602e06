#!/usr/bin/env python3
"""--save FILE.onnx in onnxruntime, and --save FILE.safetensors in NumPy, give the predictions of `train`. Skipped if a
package is absent; `./launch/test` installs them from PyPI in FOLDER.

usage: onnx_test.py TRAIN FOLDER
"""
import csv
import pathlib
import random
import sys
import tempfile

from program import Checks, Skip, run, run_test
from trainer import Trainer

sys.path.insert(0, sys.argv[2])
TOLERANCE = 1e-5
# The inputs, of every kind. "label" is also the name of an output in ONNX files of classes.
COLUMNS = {"größe, \"cm\"": lambda r: f"{r.gauss(170, 10):.1f}",
           "label": lambda r: str(2_000_000 + r.randrange(100)),
           "smoker": lambda r: r.choice(["yes", "no", "Yes", "NO"]),
           "city": lambda r: r.choice(["Bonn", "Köln", "Ulm"]),
           "gappy": lambda r: r.choice(["", f"{r.gauss(0, 1e-3):.6f}"]),
           "home": lambda r: r.choice(["", "own", "rent"])}


def write_table(path, answers, rows=240):
    """Returns {column: texts}. `answers` makes the target columns of the inputs of a row."""
    r = random.Random(5)
    lines = [{name: make(r) for name, make in COLUMNS.items()} for _ in range(rows)]
    lines = [{**line, **answers(line)} for line in lines]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)
    return {name: [line[name] for line in lines] for name in lines[0]}


def species(line):
    big = float(line["größe, \"cm\""]) > 170
    return {"species": "versicolor" if line["home"] == "rent" else "setosa" if big else "Ärenmaus"}


def plus_minus(line):
    return {"y": "1" if line["smoker"].lower() == "yes" else "-1"}


def two_values(line):
    size = float(line["größe, \"cm\""])
    return {"price": f"{1000 * size + 5000 * (line['city'] == 'Bonn'):.0f}", "weight": f"{size / 2:.3f}"}


def run_onnx(path, cells):
    """Returns ({output: values}, {input: shape})."""
    import numpy
    import onnxruntime
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    feed = {}
    for value in session.get_inputs():
        texts = cells[value.name]
        number = value.type == "tensor(float)"
        column = [float(text or "nan") for text in texts] if number else texts
        feed[value.name] = numpy.array(column, dtype=numpy.float32 if number else object).reshape(-1, 1)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feed)))


def read_predictions(path):
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    return {name: [line[name] for line in lines] for name in lines[0]}


def expect_close(checks, what, found, expected, scale=1.0):
    import numpy
    found, expected = numpy.asarray(found, dtype=float), numpy.asarray(expected, dtype=float)
    error = numpy.max(numpy.abs(found - expected) / scale) if found.shape == expected.shape else numpy.inf
    checks.expect(error <= TOLERANCE, f"{what}: the largest difference is {error}; shapes {found.shape}, "
                  f"{expected.shape}")


def check(trainer, what, np, answers, *options):
    """Trains twice, and saves in both formats."""
    import numpy
    from numpy_model import NumpyModel
    checks, folder = trainer.checks, trainer.folder
    cells = write_table(folder / "t.csv", answers)
    targets = list(answers({name: cells[name][0] for name in COLUMNS}))
    train = ["--data", "t.csv", "--target", ",".join(targets), "--hidden", "19,7", "--epochs", 5, "--quiet", *options]
    trainer.run(np, *train, "--save", "m.safetensors", "--predictions", "p.csv")
    trainer.run(np, *train, "--save", "m.onnx")
    predictions = read_predictions(folder / "p.csv")
    model = NumpyModel(folder / "m.safetensors")
    inputs = {name: cells[name] for name in COLUMNS}
    expected = model.answers(inputs)
    outputs = run_onnx(folder / "m.onnx", inputs)
    if not model.table["classes"]:
        scale = numpy.std([list(map(float, cells[target])) for target in targets], axis=1)
        printed = numpy.transpose([list(map(float, predictions[f"predicted_{target}"])) for target in targets])
        expect_close(checks, f"{what}: values in NumPy", expected, printed, scale)
        expect_close(checks, f"{what}: values in ONNX", outputs["value"], printed, scale)
        return
    classes = sorted(set(cells[targets[0]]))
    checks.expect(sorted(model.table["classes"]) == classes, f"{what}: classes {model.table['classes']}")
    printed = numpy.transpose([list(map(float, predictions[name])) for name in model.table["classes"]])
    expect_close(checks, f"{what}: probabilities in NumPy", expected, printed)
    expect_close(checks, f"{what}: probabilities in ONNX", outputs["probabilities"], printed)
    sure = numpy.sort(printed, axis=1)[:, -1] - numpy.sort(printed, axis=1)[:, -2] > TOLERANCE
    labels = outputs["label_"].astype(str)
    checks.expect(numpy.all(labels[sure] == numpy.array(predictions["class"])[sure]), f"{what}: other labels in ONNX")
    checks.expect(len(set(predictions["class"])) > 1, f"{what}: a model that predicts one class shows little")


def check_unknown_texts(trainer):
    """A text that the training data did not have: no category; as yes or no it makes the answer NaN."""
    import numpy
    cells = write_table(trainer.folder / "t.csv", species)
    known = run_onnx(trainer.folder / "m.onnx", cells)["value"]
    city = run_onnx(trainer.folder / "m.onnx", {**cells, "city": ["Paris"] * len(cells["city"])})["value"]
    smoker = run_onnx(trainer.folder / "m.onnx", {**cells, "smoker": ["perhaps"] * len(cells["city"])})["value"]
    trainer.checks.expect(numpy.all(numpy.isfinite(city)) and not numpy.array_equal(city, known), "an unknown city")
    trainer.checks.expect(numpy.all(numpy.isnan(smoker)), "neither yes nor no")


def check_array(trainer):
    """An array has one input: x."""
    import numpy
    import onnxruntime
    from numpy_model import NumpyModel
    folder, rng = trainer.folder, numpy.random.default_rng(3)
    x = rng.normal(50, 20, (300, 6)).astype(numpy.float32)
    numpy.save(folder / "x.npy", x)
    numpy.save(folder / "y.npy", (x[:, 0] > 50).astype(numpy.int64))
    train = ["--data", "x.npy", "--target-data", "y.npy", "--hidden", "9", "--epochs", 3, "--quiet"]
    trainer.run(2, *train, "--save", "m.safetensors")
    trainer.run(2, *train, "--save", "m.onnx")
    session = onnxruntime.InferenceSession(folder / "m.onnx", providers=["CPUExecutionProvider"])
    trainer.checks.expect([value.name for value in session.get_inputs()] == ["x"], "an array has other inputs than x")
    probabilities, labels = session.run(["probabilities", "label"], {"x": x})
    model = NumpyModel(folder / "m.safetensors")
    expected = model.answers({column["name"]: x[:, i] for i, column in enumerate(model.table["inputs"])})
    expect_close(trainer.checks, "an array in ONNX", probabilities, expected)
    trainer.checks.expect(labels.dtype == numpy.int64 and set(labels) <= {0, 1}, f"labels {labels[:5]}")


def main():
    try:
        import numpy  # noqa: F401
        import onnxruntime  # noqa: F401
        import safetensors  # noqa: F401
    except ImportError as error:
        raise Skip(f"{error}; expected the packages safetensors, numpy and onnxruntime in {sys.argv[2]}") from error
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(pathlib.Path(sys.argv[1]).resolve(), folder, checks)
        check(trainer, "text classes", 1, species, "--activation", "gelu")
        check(trainer, "whole numbers, on 3 ranks", 3, plus_minus, "--mesh", "1x3x1", "--activation", "tanh")
        check(trainer, "no bias", 2, species, "--no-bias", "--activation", "sigmoid", "--missing", "median")
        check(trainer, "two targets", 2, two_values, "--activation", "relu")
        check_unknown_texts(trainer)
        check_array(trainer)
        done = run(trainer.program, 1, "--load", "m.onnx", "--data", "x.npy", cwd=trainer.folder)
        checks.expect(done.returncode == 2 and "--load m.onnx: an ONNX file is for other programs" in done.stderr,
                      f"--load of an ONNX file: exit {done.returncode}, {done.stderr}")
    checks.finish()


run_test(main)
