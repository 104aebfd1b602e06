#!/usr/bin/env python3
"""Compares the test accuracy of weights in `train` and in PyTorch, on Fashion-MNIST: of a checkpoint of `train`, and of
a file that PyTorch wrote. Fails if they differ by more than 1e-6.

    python3 -m venv venv && venv/bin/pip install torch numpy safetensors
    source launch/env; venv/bin/python tests/bench/torch_weights.py --train build/train --np 2 --mesh 1x2x1
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import safetensors.torch
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parent / "peers"))
from train_ddp import read_idx

DATA = "/usr/share/datasets/fashion-mnist"


class Network(torch.nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(n, m) for n, m in zip(widths, widths[1:]))

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        return self.layers[-1](x)


def read(name):
    images, labels = (read_idx(DATA, f"{name}-{what}-ubyte") for what in ("images-idx3", "labels-idx1"))
    return images.flatten(1).float() / 255, labels.long()


def accuracy(network):
    images, labels = read("t10k")
    with torch.no_grad():
        return (network(images).argmax(1) == labels).double().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    defaults = {"train": "build/train", "np": "2", "mesh": "1x2x1", "hidden": "256,128", "epochs": "2"}
    for name, default in defaults.items():
        parser.add_argument("--" + name, default=default)
    options = parser.parse_args()
    network = Network([784, *map(int, options.hidden.split(",")), 10])
    train = str(pathlib.Path(options.train).resolve())
    with tempfile.TemporaryDirectory() as folder:
        def run(*words):
            command = ["mpirun", "-np", options.np, train, "--mesh", options.mesh, "--hidden", options.hidden]
            subprocess.run([*command, "--quiet", "--summary", "s.json", *words], check=True, cwd=folder)
            return json.loads(pathlib.Path(folder, "s.json").read_text())["test_accuracy"]

        def compare(what, ours):
            print(f"{what}: train {ours:.6f}, PyTorch {accuracy(network):.6f}")
            return abs(ours - accuracy(network)) <= 1e-6

        ours = run("--epochs", options.epochs, "--checkpoint", "c")
        tensors = safetensors.torch.load_file(next(pathlib.Path(folder, "c").glob("step-*")))
        network.load_state_dict({name: value for name, value in tensors.items() if not name.startswith("optimizer.")})
        same = compare("checkpoint of train", ours)

        images, labels = read("train")
        optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
        for rows in torch.arange(len(images)).split(500):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(images[rows]), labels[rows]).backward()
            optimizer.step()
        safetensors.torch.save_file(network.state_dict(), pathlib.Path(folder, "torch.safetensors"))
        same = compare("file of PyTorch", run("--load", "torch.safetensors", "--evaluate")) and same
    sys.exit(0 if same else "the accuracies differ")


main()
