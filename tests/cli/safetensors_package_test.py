#!/usr/bin/env python3
"""The `safetensors` package of Python opens a checkpoint, and `train` opens a file of that package. Skipped if the
package or numpy is absent; `./launch/test` installs them from PyPI in FOLDER.

usage: safetensors_package_test.py TRAIN FOLDER
"""
import csv
import pathlib
import sys
import tempfile

from program import Checks, Skip, run_test
from trainer import Trainer

sys.path.insert(0, sys.argv[2])
SHAPES = {"layers.0.weight": (33, 3), "layers.0.bias": (33,), "layers.1.weight": (18, 33), "layers.1.bias": (18,),
          "layers.2.weight": (2, 18), "layers.2.bias": (2,)}
DATA = ["--data", "t.csv", "--target", "s,p", "--hidden", "33,18", "--batch-size", "16"]


def write_table(path):
    rows = [(x / 7 - 2, y / 3, (x * y) % 5 / 5) for x in range(30) for y in range(4)]
    path.write_text("x,y,z,s,p\n" + "".join(f"{x},{y},{z},{x + z},{x * y}\n" for x, y, z in rows))
    return rows


def main():
    try:
        import numpy
        from numpy_model import NumpyModel
        from safetensors import safe_open
        from safetensors.numpy import load_file, save_file
    except ImportError as error:
        raise Skip(f"{error}; expected the packages safetensors and numpy in {sys.argv[2]}") from error
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(pathlib.Path(sys.argv[1]).resolve(), folder, checks)
        rows = write_table(trainer.folder / "t.csv")
        trained = trainer.summary(3, *DATA, "--mesh", "1x3x1", "--epochs", 3, "--checkpoint", "c",
                                  "--predictions", "p.csv")
        path = next((trainer.folder / "c").glob("step-*"))

        moments = {f"optimizer.{moment}.{name}": shape for moment in ("first", "second")
                   for name, shape in SHAPES.items()}
        with safe_open(path, framework="numpy") as file:
            found = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
            metadata = file.metadata()
        checks.expect(found == SHAPES | moments, f"tensors {found}")
        checks.expect((metadata["format"], metadata["recombine_checkpoint"]) == ("pt", "2"), f"metadata {metadata}")
        checks.expect(metadata["state.step"] == str(trained["steps"]) and metadata["option.--hidden"] == "33,18",
                      f"{trained['steps']} steps; metadata {metadata}")
        checks.expect(all(isinstance(value, str) for value in metadata.values()), f"metadata {metadata}")

        tensors = load_file(path)
        checks.expect({str(tensor.dtype) for tensor in tensors.values()} == {"float32"}, "a tensor is not f32")
        checks.expect(all(numpy.any(tensors[name] != 0) for name in moments), "a moment is 0 everywhere")
        checks.expect(all(numpy.all(tensors[name] >= 0) for name in moments if ".second." in name),
                      "a second moment is negative")

        expected = NumpyModel(path).answers({name: [str(row[i]) for row in rows] for i, name in enumerate("xyz")})
        with open(trainer.folder / "p.csv", newline="") as file:
            lines = list(csv.DictReader(file))
        found = numpy.array([(line["predicted_s"], line["predicted_p"]) for line in lines], dtype=float)
        checks.expect(found.shape == expected.shape and numpy.allclose(found, expected, 1e-5, 1e-4),
                      "numpy has other outputs")

        save_file({name: tensors[name] for name in SHAPES}, trainer.folder / "package.safetensors",
                  {"made_by": "a test"})
        ours = trainer.summary(2, *DATA, "--resume", path, "--evaluate")
        theirs = trainer.summary(2, *DATA, "--load", "package.safetensors", "--evaluate")
        checks.expect(ours["train_loss"] == theirs["train_loss"] and ours["weights_sha256"] == theirs["weights_sha256"],
                      f"--load of the package's file: loss {theirs['train_loss']}, not {ours['train_loss']}")
    checks.finish()


run_test(main)
