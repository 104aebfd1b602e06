"""Evaluates a file of --save FILE.safetensors or a checkpoint with NumPy alone, in f64. Its metadata must be enough."""
import json

import numpy
from safetensors import safe_open

ACTIVATIONS = {"identity": lambda x: x, "relu": lambda x: numpy.maximum(x, 0), "tanh": numpy.tanh,
               "sigmoid": lambda x: 1 / (1 + numpy.exp(-x)),
               "gelu_tanh": lambda x: x / 2 * (1 + numpy.tanh(numpy.sqrt(2 / numpy.pi) * (x + 0.044715 * x**3)))}


def inputs_of(column, cells):
    """The network's inputs [rows, width] for the cells of a column: texts, "" for a missing one."""
    if column["kind"] == "category":
        texts = column["categories"] + [""] * column["has_missing"]
        return numpy.array([[cell == text for text in texts] for cell in cells], dtype=float)
    if column["kind"] == "yes_no":
        words = [word.lower() for word in column["categories"]]
        values = [words.index(cell.lower()) if cell else column["fill"] for cell in cells]
    else:
        values = [float(cell) if cell else column["fill"] for cell in cells]
    return ((numpy.array(values, dtype=float) - column["mean"]) / column["deviation"])[:, None]


class NumpyModel:
    def __init__(self, path):
        with safe_open(path, framework="numpy") as file:
            self.tensors = {name: file.get_tensor(name).astype(float) for name in file.keys()
                            if name.startswith("layers.")}  # a checkpoint has moments, too
            metadata = file.metadata()
        self.table = json.loads(metadata["recombine.table"])
        self.activation = ACTIVATIONS[metadata["recombine.activation"]]

    def outputs(self, x):
        layers = sum(name.endswith("weight") for name in self.tensors)
        for layer in range(layers):
            x = x @ self.tensors[f"layers.{layer}.weight"].T + self.tensors.get(f"layers.{layer}.bias", 0)
            x = self.activation(x) if layer + 1 < layers else x
        return x

    def answers(self, cells):
        """Probabilities [rows, classes], or values [rows, targets]. @param cells  {column: texts}"""
        columns = [inputs_of(column, cells[column["name"]]) for column in self.table["inputs"]]
        y = self.outputs(numpy.concatenate(columns, axis=1))
        if not self.table["classes"]:
            mean, deviation = ([target[key] for target in self.table["targets"]] for key in ("mean", "deviation"))
            return y * deviation + mean
        y = numpy.exp(y - y.max(axis=1, keepdims=True))
        return y / y.sum(axis=1, keepdims=True)
