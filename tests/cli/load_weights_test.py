#!/usr/bin/env python3
"""Starts training from saved weights: on any mesh, from files of other programs, and from damaged files.

usage: load_weights_test.py TRAIN
"""
import json
import math
import os
import pathlib
import random
import struct
import sys
import tempfile

import saved_weights
from program import Checks, run
from trainer import Trainer

NETWORK = ["--data", "synthetic:60,12,3", "--hidden", "33,18"]
SHAPES = {"layers.0.weight": [33, 12], "layers.0.bias": [33], "layers.1.weight": [18, 33], "layers.1.bias": [18],
          "layers.2.weight": [3, 18], "layers.2.bias": [3]}
UNCHANGED = ["--optimizer", "sgd", "--lr", 0, "--steps", 1]  # a step that changes no weight


def write(path, tensors, dtype="F32", shapes=None):
    """Writes a safetensors file. tensors: {name: values}."""
    header, data = {}, b""
    for name, values in tensors.items():
        begin = len(data)
        data += struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": dtype, "shape": (shapes or SHAPES)[name], "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return data


def random_tensors(shapes):
    draw = random.Random(3)
    return {name: [draw.uniform(-0.5, 0.5) for _ in range(math.prod(shape))] for name, shape in shapes.items()}


def tensor_bytes(path):
    return saved_weights.read(path)[1]


def check_every_mesh_reads_the_file(trainer, checks):
    data = write(trainer.folder / "w.safetensors", random_tensors(SHAPES))
    for np, mesh in [(1, "1x1x1"), (3, "3x1x1"), (4, "1x2x2"), (4, "2x1x2"), (6, "1x3x2"), (5, "1x1x5")]:
        trainer.run(np, *NETWORK, "--mesh", mesh, "--load", "w.safetensors", *UNCHANGED, "--save", "v.safetensors",
                    "--quiet")
        checks.expect(tensor_bytes(trainer.folder / "v.safetensors") == data,
                      f"--mesh {mesh}: other bytes than in the file")
    trainer.run(2, *NETWORK, "--load", "w.safetensors", "--steps", 3, "--save", "w.safetensors")
    checks.expect(tensor_bytes(trainer.folder / "w.safetensors") != data, "--save does not replace the file of --load")


def check_training_continues_on_another_mesh(trainer, checks):
    """The loss before the first step on 3x1x1 is that of the weights saved on 1x2x2."""
    trainer.run(4, *NETWORK, "--mesh", "1x2x2", "--epochs", 4, "--batch-size", "all", "--save", "w.safetensors")
    there = trainer.losses(4, *NETWORK, "--mesh", "1x2x2", "--load", "w.safetensors", "--batch-size", "all",
                           "--steps", 3)
    here = trainer.losses(3, *NETWORK, "--mesh", "3x1x1", "--load", "w.safetensors", "--batch-size", "all",
                          "--steps", 3)
    first = trainer.losses(3, *NETWORK, "--batch-size", "all", "--steps", 3)
    close = all(abs(a - b) <= 1e-5 * a for a, b in zip(there, here, strict=True))
    checks.expect(close and here[0] != first[0], f"losses {there} and {here}, from new weights {first}")


def check_evaluate(trainer, checks):
    """--evaluate gives the scores of the end of training, does no step, and leaves the weights as they are."""
    table = ["--data", "synthetic:300,12,3", "--hidden", "33,18", "--validation", 0.2]
    trained = trainer.summary(4, *table, "--mesh", "1x2x2", "--epochs", 2, "--save", "w.safetensors")
    evaluated = trainer.summary(4, *table, "--mesh", "1x2x2", "--load", "w.safetensors", "--evaluate")
    same = [key for key in ("validation_loss", "test_loss", "weights_sha256")
            if trained[key] == evaluated[key] is not None]
    checks.expect(len(same) == 3, f"only {same} are equal after --evaluate")
    checks.expect(evaluated["steps"] == 0 and 0 < evaluated["train_loss"] < trained["train_loss"],
                  f"train_loss {evaluated['train_loss']}, while training {trained['train_loss']}")
    checks.expect(evaluated["slowest_rank"] is None and evaluated["bytes_by_kind"]["moments"] == 0, f"{evaluated}")
    text = trainer.run(3, *table, "--mesh", "1x1x3", "--load", "w.safetensors", "--evaluate").stdout
    lines = [line.split("loss")[0].strip() for line in text.splitlines() if " loss " in line]
    checks.expect(lines == ["training rows", "validation rows", "test rows"] and "epoch" not in text
                  and "may include" not in text, f"--evaluate: {text}")


def check_weights_that_overflow(trainer, checks):
    """Finite weights, but a loss that is not: exit code 2, and the message names the weights or the data, not --lr."""
    write(trainer.folder / "big",
          {name: [1e30 * value for value in values] for name, values in random_tensors(SHAPES).items()})
    for words, text in [(["--evaluate"],
                         "train: --load big: the loss with these weights is NaN; expected a finite loss"),
                        (["--steps", 2],
                         "train: --data: training diverged at step 1: the loss is NaN before the first")]:
        done = run(trainer.program, 2, *NETWORK, "--load", "big", *words, cwd=trainer.folder, timeout=60)
        checks.expect(done.returncode == 2 and done.stderr.startswith(text),
                      f"{words}: {done.returncode}: {done.stderr}")


def check_names_of_other_programs(trainer, checks):
    """A state_dict of a Sequential: layers.0, layers.2 ... layers.10, sorted as text, biases before weights."""
    hidden = [8, 7, 6, 5, 4]
    extents = list(zip([*hidden, 3], [12, *hidden]))
    ours = {}
    for layer, (rows, cols) in enumerate(extents):
        ours |= {f"layers.{layer}.weight": [rows, cols], f"layers.{layer}.bias": [rows]}
    values = random_tensors(ours)
    renamed = {name: f"layers.{2 * int(name.split('.')[1])}.{name.split('.')[2]}" for name in ours}
    shapes = {renamed[name]: shape for name, shape in ours.items()}
    write(trainer.folder / "torch.safetensors",
          {renamed[name]: values[name] for name in sorted(ours, key=renamed.get)}, shapes=shapes)
    text = trainer.run(2, "--data", "synthetic:60,12,3", "--hidden", ",".join(map(str, hidden)),
                       "--load", "torch.safetensors", *UNCHANGED, "--mesh", "1x2x1", "--save", "v.safetensors").stdout
    order = ", ".join(f"layers.{2 * layer}.weight" for layer in range(len(extents)))
    checks.expect(f"layers, in order: {order}\n" in text, f"the order of the layers is not printed: {text}")
    expected = b"".join(struct.pack(f"<{len(values[name])}f", *values[name]) for name in ours)
    checks.expect(tensor_bytes(trainer.folder / "v.safetensors") == expected, "tensors of a state_dict are mixed up")


def check_bad_files(trainer, checks):
    folder, good = trainer.folder, random_tensors(SHAPES)

    def changed(name, **change):
        tensors = dict(good)
        write(folder / name, change.pop("tensors", tensors), **change)
        return name

    def raw(name, content):
        (folder / name).write_bytes(content)
        return name

    whole = (folder / changed("whole")).read_bytes()
    size = 4 * 33  # two tensors at the same place
    first = f"[{4 * 33 * 12}, {4 * 33 * 12 + size}]"
    other_shapes = dict(SHAPES, **{"layers.1.weight": [33, 18]})
    with_nan = dict(good, **{"layers.1.bias": [0.0] * 7 + [math.nan] + [0.0] * 10})
    missing = {name: values for name, values in good.items() if name != "layers.2.bias"}
    os.mkfifo(folder / "fifo")
    one_name = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 1 << 60]}}).encode()
    cases = [
        (changed("shape", shapes=other_shapes), ["tensor layers.1.weight has 18 inputs; expected 33"]),
        (changed("type", dtype="BF16"), ["tensor layers.0.weight has type BF16", "expected F32"]),
        (changed("nan", tensors=with_nan), ["tensor layers.1.bias has nan at element 7", "expected finite"]),
        (changed("missing", tensors=missing), ["has 3 weights and 2 biases; expected one bias for each"]),
        (changed("extra", tensors=dict(good, more=[1.0]), shapes=dict(SHAPES, more=[1, 1])),
         ["has 4 weights and 3 biases", "expected one bias for each"]),
        (changed("cube", tensors=dict(good, more=[1.0]), shapes=dict(SHAPES, more=[1, 1, 1])),
         ["tensor more has 3 dimensions"]),
        (raw("longer", whole + b"12"), ["tensors end at byte", "where the file ends"]),
        (raw("overlap", whole.replace(first.encode(), b"[0, %d]" % size + b" " * (len(first) - len(f"[0, {size}]")))),
         ["tensor layers.0.weight begins at byte 0"]),
        (raw("fraction", whole.replace(b"[33, 12]", b"[33.,12]")), ["no JSON of tensors"]),
        (raw("float", whole.replace(b"[33, 12]", b"[3e1, 9]")),
         ["tensor layers.0.weight: shape has 30.0; expected whole numbers"]),
        (raw("short", whole[:-5]), ["tensor layers.2.bias lies at", "cut short"]),
        (raw("shorter", whole[:50]), ["announce a header of", "cut short"]), (raw("tiny", b"1234"), ["has 4 bytes"]),
        (raw("huge", struct.pack("<Q", 1 << 60) + b"{}"), ["announce a header of 1152921504606846976 bytes"]),
        (raw("negative", struct.pack("<Q", (1 << 64) - 1) + b"{}"), ["announce a header of"]),
        (raw("text", struct.pack("<Q", 4) + b"abcd" + bytes(64)), ["no JSON of tensors"]),
        (raw("list", struct.pack("<Q", 2) + b"[]" + bytes(64)), ["no JSON of tensors"]),
        (raw("none", struct.pack("<Q", 2) + b"{}"), ["has no weights", "expected one for each layer"]),
        (raw("keys", struct.pack("<Q", 8) + b'{"a":{}}' + bytes(64)), ["no JSON of tensors"]),
        (raw("deep", struct.pack("<Q", 1 << 20) + b"[" * (1 << 20)), ["no JSON of tensors"]),
        (raw("offsets", struct.pack("<Q", len(one_name)) + one_name + bytes(64)), ["tensor a lies at bytes"]),
        ("fifo", ["is a FIFO"]), ("nowhere", ["nowhere"]), (".", ["is a folder"])]
    for name, texts in cases:
        done = run(trainer.program, 2, *NETWORK, "--load", name, "--steps", 1, "--mesh", "1x1x2", "--save", "no",
                   cwd=folder, timeout=60)
        lines = done.stderr.splitlines()
        told = (len(lines) == 1 and lines[0].startswith(f"train: --load {name}")
                and all(text in lines[0] for text in texts))
        checks.expect(done.returncode == 2 and told, f"{name}: exit {done.returncode}: {done.stderr}")
        checks.expect(not (folder / "no").exists(), f"{name}: a file was saved")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(pathlib.Path(sys.argv[1]).resolve(), folder, checks)
        check_every_mesh_reads_the_file(trainer, checks)
        check_training_continues_on_another_mesh(trainer, checks)
        check_evaluate(trainer, checks)
        check_weights_that_overflow(trainer, checks)
        check_names_of_other_programs(trainer, checks)
        check_bad_files(trainer, checks)
    checks.finish()


main()
