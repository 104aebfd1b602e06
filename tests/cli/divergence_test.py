#!/usr/bin/env python3
"""Training that diverges is reported with its first bad step, for every activation, loss and number of ranks.

A plain network in f32 arithmetic gives the expected step. With other rounding an overflow may occur a step earlier or
later. So a case counts only if the plain network gives the same step also for slightly lower and higher learning rates.

usage: divergence_test.py TRAIN
"""
import ctypes
import json
import math
import re
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
        """One step. Returns (the loss is finite, the weights after the step are finite)."""
        inputs, slopes = [x], []
        for w in self.weights[:-1]:
            both = [[activated(self.activation, z) for z in row] for row in product(inputs[-1], w)]
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
        return finite(losses), all(finite(row) for w in self.weights for row in w)


def divergence(weights, activation, loss, x, answers, rate, decay):
    """(step, "loss" or "weight") at which the plain network diverges; None if it does not."""
    network = PlainNetwork(weights, activation, loss)
    for step in range(1, STEPS + 1):
        finite_loss, finite_weights = network.step(x, answers, rate, decay)
        if not finite_loss:
            return step, "loss"
        if not finite_weights:
            return step, "weight"
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
        return ["--data", self.path, "--target", "y", "--loss", self.loss, "--hidden", HIDDEN, "--no-bias",
                "--activation", activation, "--batch-size", "all", "--optimizer", "sgd", "--lr", rate,
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
    step, what = expected
    shown = f"np {np}: {' '.join(map(str, options))}"
    files = {name: trainer.folder / name for name in ["metrics.jsonl", "model.safetensors", "summary.json"]}
    for path in files.values():
        path.unlink(missing_ok=True)
    done = run(trainer.program, np, *options, "--metrics", files["metrics.jsonl"], "--save", files["model.safetensors"],
               "--summary", files["summary.json"], cwd=trainer.folder)
    lines = done.stderr.splitlines()
    told = (rf"train: --lr \S+: training diverged at step {step}: .*{what}.* (NaN|infinite).*; "
            "expected a smaller learning rate")
    checks.expect(done.returncode == 2 and len(lines) == 1 and re.fullmatch(told, lines[0]),
                  f"{shown}: expected a bad {what} at step {step}; exit {done.returncode}: {done.stderr}")
    whole = step if what == "weight" else step - 1
    metrics = files["metrics.jsonl"].read_text().splitlines() if files["metrics.jsonl"].exists() else []
    losses = [line["train_loss"] for line in map(json.loads, metrics) if "step" in line]
    checks.expect(len(losses) == whole and finite(losses), f"{shown}: expected {whole} losses, found {losses}")
    for name in ["model.safetensors", "summary.json"]:
        checks.expect(not files[name].exists(), f"{shown}: {name} was written")


def main():
    checks = Checks()
    kinds = set()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(sys.argv[1], folder, checks)
        for loss in ["mse", "cross-entropy"]:
            table = Table(trainer, loss)
            for activation in ACTIVATIONS:
                weights = table.first_weights(trainer, activation)
                for np, (rate, decay) in [(1, EXPLODING), (2, EXPLODING), (2, GROWING)]:
                    case = weights, activation, loss, table.x, table.answers
                    expected = certain_divergence(*case, rate=rate, decay=decay)
                    if expected:
                        check(trainer, checks, np, table.options(activation, rate, decay), expected)
                        kinds.add((activation, loss, expected[1]))
    for activation in ACTIVATIONS:
        for loss in ["mse", "cross-entropy"]:
            checks.expect(any(kind[:2] == (activation, loss) for kind in kinds),
                          f"{activation}, {loss}: no case with a certain step")
    checks.expect({kind[2] for kind in kinds} == {"loss", "weight"}, f"expected cases of both kinds, found {kinds}")
    checks.finish()


main()
