#!/usr/bin/env python3
"""Training that diverges is reported with its first bad step and the layer where that began.

A plain network in f32 arithmetic gives the expected step. With other rounding an overflow may occur a step earlier or
later. So a case counts only if the plain network gives the same step also for slightly lower and higher learning rates.

usage: divergence_test.py TRAIN
"""
import ctypes
import json
import math
import random
import re
import struct
import sys
import tempfile

import saved_weights
from program import Checks, run
from trainer import Trainer

HIDDEN, ROWS, STEPS = "5,4", 8, 100
ACTIVATIONS = ["identity", "relu", "gelu", "tanh", "sigmoid"]
# (learning rate, weight decay): EXPLODING makes the gradients overflow, GROWING the weights, with any gradients.
EXPLODING = (1e9, 0.0)
GROWING = (1.0, 1e10)
CASES = [(1, "1x1x1", EXPLODING), (2, "2x1x1", EXPLODING), (2, "2x1x1", GROWING), (4, "1x2x2", EXPLODING)]


def f32(x):
    return ctypes.c_float(x).value


def finite(values):
    return all(math.isfinite(x) for x in values)


def exponential(x):
    return math.exp(x) if x < 89 else math.inf if x == x else x


def activated(kind, z):
    """(value, derivative) of the activation at z."""
    if z != z:
        return z, z
    if kind == "relu":
        return (z, 1.0) if z > 0 else (0.0, 0.0)
    if kind == "tanh":
        return math.tanh(z), 1 - math.tanh(z) ** 2
    if kind == "sigmoid":
        y = f32(1 / (1 + exponential(-z)))
        return y, y * (1 - y)
    if kind == "gelu":
        t = math.tanh(f32(0.79788456 * (z + 0.044715 * f32(z * f32(z * z)))))
        slope = f32(0.5 * z * (1 - t * t)) * f32(0.79788456 * (1 + 0.134145 * f32(z * z)))
        return f32(0.5 * z * (1 + t)), 0.5 * (1 + t) + slope
    return z, 1.0


def product(a, b):
    """A B^T; matrices are lists of rows."""
    return [[f32(sum(f32(x * y) for x, y in zip(row, other))) for other in b] for row in a]


def transposed(a):
    return [list(column) for column in zip(*a)]


class PlainNetwork:
    """Layers without biases, trained by gradient descent on all rows. weights[layer][output][input]"""

    def __init__(self, weights, activation, loss):
        self.weights = [[row[:] for row in w] for w in weights]
        self.activation, self.loss = activation, loss

    def loss_and_gradient(self, y, answer):
        if self.loss == "mse":
            errors = [f32(a - b) for a, b in zip(y, answer)]
            return f32(sum(f32(e * e) for e in errors)) / len(y), [f32(2 * e / len(y)) for e in errors]
        largest = max(y) if finite(y) else math.nan
        parts = [exponential(f32(x - largest)) for x in y]
        total = sum(parts)
        softmax = [part / total for part in parts]
        loss = math.log(total) + largest - y[answer] if total == total else math.nan
        return f32(loss), [p - (j == answer) for j, p in enumerate(softmax)]

    def step(self, x, answers, rate, decay):
        """One step. Returns (what diverged: "loss", "weight" or None; the layer or tensor where that began)."""
        inputs, slopes, began = [x], [], None
        for layer, w in enumerate(self.weights[:-1]):
            z = product(inputs[-1], w)
            both = [[activated(self.activation, z) for z in row] for row in z]
            checked = z if self.activation == "gelu" else [[y for y, _ in row] for row in both]
            if began is None and not all(map(finite, checked)):
                began = f"the outputs of layers.{layer}"
            inputs.append([[y for y, _ in row] for row in both])
            slopes.append([[slope for _, slope in row] for row in both])
        outputs = product(inputs[-1], self.weights[-1])
        losses, gradients = zip(*(self.loss_and_gradient(y, answer) for y, answer in zip(outputs, answers)))
        dy = [[f32(g / len(x)) for g in row] for row in gradients]
        for layer in reversed(range(len(self.weights))):
            w, gradient = self.weights[layer], product(transposed(dy), transposed(inputs[layer]))
            if layer > 0:
                dx = product(dy, transposed(w))
                dy = [[f32(g * slope) for g, slope in zip(*rows)] for rows in zip(dx, slopes[layer - 1])]
            for row, of_row in zip(w, gradient):
                row[:] = [f32(value - f32(rate * f32(slope + f32(decay * value)))) for value, slope in zip(row, of_row)]
        bad = [f"layers.{layer}.weight" for layer, w in enumerate(self.weights) if not all(map(finite, w))]
        if not finite(losses):
            last = len(self.weights) - 1
            return "loss", began or f"the outputs of layers.{last}, the last layer, or in the loss itself"
        return ("weight", began or bad[-1]) if bad else (None, None)


def divergence(weights, activation, loss, x, answers, rate, decay):
    """(step, "loss" or "weight", layer) at which the plain network diverges; None if it does not."""
    network = PlainNetwork(weights, activation, loss)
    for step in range(1, STEPS + 1):
        what, began = network.step(x, answers, rate, decay)
        if what:
            return step, what, began
    return None


def certain_divergence(*case, rate, decay):
    found = {divergence(*case, f32(rate * factor), decay) for factor in [0.5, 0.8, 1, 1.1]}
    return found.pop() if len(found) == 1 else None


class Table:
    """A CSV file with rows of three inputs and an answer; also reads the first weights of `train` for this file."""

    def __init__(self, trainer, loss):
        self.loss = loss
        self.x = [[f32(math.sin(3 * row + column + 1)) for column in range(3)] for row in range(ROWS)]
        self.answers = [[row[0]] for row in self.x] if loss == "mse" else [row % 3 for row in range(ROWS)]
        self.path = trainer.folder / f"{loss}.csv"
        columns = [a[0] for a in self.answers] if loss == "mse" else self.answers
        lines = [",".join(map(repr, [*row, answer])) for row, answer in zip(self.x, columns)]
        self.path.write_text("a,b,c,y\n" + "\n".join(lines) + "\n")

    def options(self, activation, rate, decay):
        return ["--data", self.path, "--target", "y", "--loss", self.loss, "--no-standardize", "--hidden", HIDDEN,
                "--no-bias", "--activation", activation, "--batch-size", "all", "--optimizer", "sgd", "--lr", rate,
                "--lr-schedule", "constant", "--weight-decay", decay, "--epochs", STEPS, "--quiet"]

    def first_weights(self, trainer, activation):
        trainer.run(1, *self.options(activation, 0, 0), "--steps", 1, "--save", "first.safetensors")
        path = trainer.folder / "first.safetensors"
        header, values = saved_weights.read(path)[0], saved_weights.values(path)
        weights = []
        for name in sorted(name for name in header if name.endswith(".weight")):
            rows, cols = header[name]["shape"]
            weights.append([list(values[name][row * cols:(row + 1) * cols]) for row in range(rows)])
        return weights


def check(trainer, checks, np, options, expected):
    """Runs `train`: it must end at the step `expected`, have written the losses up to that step, and save nothing."""
    step, what, began = expected
    shown = f"np {np}: {' '.join(map(str, options))}"
    files = {name: trainer.folder / name for name in ["metrics.jsonl", "model.safetensors", "summary.json"]}
    for path in files.values():
        path.unlink(missing_ok=True)
    done = run(trainer.program, np, *options, "--metrics", files["metrics.jsonl"], "--save", files["model.safetensors"],
               "--summary", files["summary.json"], cwd=trainer.folder)
    lines = done.stderr.splitlines()
    told = (rf"train: --\S+( \S+)?: training diverged at step {step}: .*{what}.* (NaN|infinite).*, "
            rf"which began in {re.escape(began)}; expected .*smaller .*")
    checks.expect(done.returncode == 2 and len(lines) == 1 and re.fullmatch(told, lines[0]),
                  f"{shown}: expected a bad {what} at step {step}, from {began}; exit {done.returncode}: {done.stderr}")
    whole = step if what == "weight" else step - 1
    metrics = files["metrics.jsonl"].read_text().splitlines() if files["metrics.jsonl"].exists() else []
    losses = [line["train_loss"] for line in map(json.loads, metrics) if "step" in line]
    checks.expect(len(losses) == whole and finite(losses), f"{shown}: expected {whole} losses, found {losses}")
    for name in ["model.safetensors", "summary.json"]:
        checks.expect(not files[name].exists(), f"{shown}: {name} was written")


def write_weights(path, scales):
    """Weights of a network 3-20-20-20-2 from -1 to 1, times the scale of their layer."""
    draw, header, data = random.Random(5), {}, b""
    for layer, (rows, cols) in enumerate([(20, 3), (20, 20), (20, 20), (2, 20)]):
        begin = len(data)
        values = [scales.get(layer, 1) * draw.uniform(-1, 1) for _ in range(rows * cols)]
        data += struct.pack(f"<{rows * cols}f", *values)
        header[f"layers.{layer}.weight"] = {"dtype": "F32", "shape": [rows, cols], "data_offsets": [begin, len(data)]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def check_planted_weights(trainer, checks):
    """Huge weights in one layer of a loaded file: its outputs overflow, or its weights in the first update."""
    options = ["--data", "synthetic:30,3,2", "--hidden", "20,20,20", "--no-bias", "--batch-size", "all", "--steps", 70,
               "--optimizer", "sgd", "--lr-schedule", "constant", "--load", "planted.safetensors", "--quiet"]
    last = "the outputs of layers.3, the last layer, or in the loss itself"
    cases = [(0, 1, "1x1x1"), (1, 2, "2x1x1"), (2, 4, "1x2x2"), (3, 2, "1x2x1"), (1, 4, "1x2x2")]
    for layer, np, mesh in cases:
        mesh = ["--mesh", mesh]
        write_weights(trainer.folder / "planted.safetensors", {layer: 3e38})
        began = f"the outputs of layers.{layer}" if layer < 3 else last
        check(trainer, checks, np, [*options, *mesh, "--activation", "relu", "--lr", 0.1], (1, "loss", began))
        if layer == 3:
            continue
        # 1e30 * (1 - 1e9) overflows, and tanh keeps the outputs at 1.
        write_weights(trainer.folder / "planted.safetensors", {layer: 1e30})
        decay = ["--activation", "tanh", "--lr", 1, "--weight-decay", 1e9]
        check(trainer, checks, np, [*options, *mesh, *decay], (1, "weight", f"layers.{layer}.weight"))


def check_a_bad_row_at_any_step(trainer, checks):
    """A row whose features overflow in layer 0, in a batch of its own: told with its step, before and after step 64."""
    rows, row = 90, 17
    path = trainer.folder / "row.csv"
    options = ["--data", path, "--target", "y", "--loss", "mse", "--no-standardize", "--hidden", "20,20",
               "--batch-size", 1, "--epochs", 1,
               "--optimizer", "sgd", "--lr", 1e-9, "--lr-schedule", "constant"]

    def write(features, answer):
        others = [f"{math.sin(n)},{math.cos(n)},0" for n in range(rows)]
        lines = ["a,b,y", *others[:row], f"{features},{features},{answer}", *others[row + 1:]]
        path.write_text("\n".join(lines) + "\n")

    steps = set()
    for seed, (np, mesh) in zip([1, 2, 3, 4], [(1, "1x1x1"), (2, "2x1x1"), (4, "1x2x2"), (3, "3x1x1")]):
        write(0.5, 1e6)  # finite: the step with the largest loss has the row
        losses = trainer.losses(1, *options, "--seed", seed)
        step = 1 + losses.index(max(losses))
        write(3.4e38, 0)
        expected = step, "loss", "the outputs of layers.0"
        check(trainer, checks, np, [*options, "--seed", seed, "--mesh", mesh, "--quiet"], expected)
        steps.add(step > 64)
    checks.expect(steps == {False, True}, "expected steps on both sides of 64")


def main():
    checks = Checks()
    kinds = set()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(sys.argv[1], folder, checks)
        for loss in ["mse", "cross-entropy"]:
            table = Table(trainer, loss)
            for activation in ACTIVATIONS:
                weights = table.first_weights(trainer, activation)
                for np, mesh, (rate, decay) in CASES:
                    case = weights, activation, loss, table.x, table.answers
                    expected = certain_divergence(*case, rate=rate, decay=decay)
                    if expected:
                        check(trainer, checks, np, [*table.options(activation, rate, decay), "--mesh", mesh], expected)
                        kinds.add((activation, loss, expected[1]))
        check_planted_weights(trainer, checks)
        check_a_bad_row_at_any_step(trainer, checks)
    for activation in ACTIVATIONS:
        for loss in ["mse", "cross-entropy"]:
            checks.expect(any(kind[:2] == (activation, loss) for kind in kinds),
                          f"{activation}, {loss}: no case with a certain step")
    checks.expect({kind[2] for kind in kinds} == {"loss", "weight"}, f"expected cases of both kinds, found {kinds}")
    checks.finish()


main()
