#!/usr/bin/env python3
"""Trains as a user does, and checks the results: repeatable, the same on every number of ranks, readable.

usage: train_cli_test.py TRAIN REPOSITORY; exit code 77 (skipped) without Fashion-MNIST.
"""
import hashlib
import json
import os
import pathlib
import sys
import tempfile

import saved_weights
from program import FASHION_MNIST, SKIPPED, Checks
from trainer import Trainer, same_curve

SMALL = ["--data", "synthetic:200,12,3", "--hidden", "32"]


def check_information(trainer, checks):
    text = trainer.run(2, "--help").stdout
    for word in ["Data", "Model", "Training", "Machine", "Output", "--batch-size", "--summary"]:
        checks.expect(text.count(word) >= 1, f"--help has no {word}")
    checks.expect(text.count("usage:") == 1, "--help is printed once for all ranks")
    lines = trainer.run(2, "--version").stdout.split("\n")
    checks.expect(len(lines) == 2 and lines[0].startswith("recombine "), f"--version is one line, not {lines}")


def check_provenance(trainer, checks):
    """The summary has the libraries and the machine, on which the last bits of a result depend."""
    summary = trainer.summary(2, *SMALL, "--steps", 1)
    checks.expect(summary["hosts"] == [os.uname().nodename] and summary["version"].startswith("recombine "),
                  f"{summary}")
    checks.expect(len(summary["build"]) == 40
                  and summary["processor"].count("AVX") + summary["processor"].count("SSE") == 1,
                  f"build {summary['build']}, processor {summary['processor']}")
    checks.expect(summary["peak_burst_gflops"] == summary["peak_gflops"] > 0, f"peak on a CPU: {summary}")
    checks.expect({"oneDNN", "OpenBLAS", "Open MPI"} < set(summary["libraries"]), f"{summary['libraries']}")


def check_repeatable(trainer, checks, *arguments):
    for np in [1, 2]:
        first, second = [trainer.summary(np, *arguments, "--steps", 8)["weights_sha256"] for _ in range(2)]
        checks.expect(len(first) == 64 and first == second, f"np {np}: weights {first} and {second} in two runs")
    other = trainer.summary(2, *arguments, "--steps", 8, "--seed", 2)["weights_sha256"]
    checks.expect(other != second, "another seed gives the same weights")


def check_batch_smaller_than_ranks(trainer, checks):
    arguments = [*SMALL, "--batch-size", 3, "--steps", 20]
    same_curve(checks, "batch of 3 on 7 ranks", trainer.losses(1, *arguments), trainer.losses(7, *arguments))


def check_meshes(trainer, checks):
    """Every mesh gives the losses and the weights of one rank, except for rounding."""
    arguments = ["--data", "synthetic:200,12,3", "--hidden", "33,18", "--clip-norm", 0.5, "--batch-size", 64,
                 "--steps", 20, "--validation", "0.1", "--quiet", "--metrics", "m.jsonl", "--save", "w.safetensors"]

    def train(np, *mesh):
        trainer.run(np, *arguments, "--summary", "s.json", *mesh)
        lines = [json.loads(line) for line in (trainer.folder / "m.jsonl").read_text().splitlines()]
        losses = [line["train_loss" if "step" in line else "validation_loss"] for line in lines]
        summary = json.loads((trainer.folder / "s.json").read_text())
        return losses, saved_weights.values(trainer.folder / "w.safetensors"), summary

    expected_losses, expected, _ = train(1)
    for mesh in ["4x1x1", "1x4x1", "1x1x4", "2x2x1", "2x1x2", "1x2x2"]:
        losses, tensors, summary = train(4, "--mesh", mesh)
        same_curve(checks, f"--mesh {mesh}", expected_losses, losses)
        checks.expect(tensors.keys() == expected.keys(), f"--mesh {mesh} saves {tensors.keys()}")
        worst = max(abs(x - y) for name in expected for x, y in zip(expected[name], tensors[name], strict=True))
        checks.expect(worst < 1e-3, f"--mesh {mesh}: a saved weight differs by {worst}")
        names = set(summary["collectives_by_name"])
        cut = mesh.split("x")
        for name, there in [("compare replicas", True), ("sum gradient", cut[0] != "1"),
                            ("sum Y", cut[1:] != ["1", "1"]),
                            ("sum dX", cut[1:] != ["1", "1"]), ("sum gradient norm", cut[1:] != ["1", "1"])]:
            checks.expect((name in names) == there, f"--mesh {mesh}: {name} is {'not ' * there}among {names}")
        checks.expect(summary["mesh"] == mesh, f"--mesh {mesh}: the summary has {summary['mesh']}")


def check_step_metrics(trainer, checks):
    """Each step has a gradient norm, with and without clipping, and a time. The steps take less time than the run."""
    for options in [[], ["--clip-norm", 1e-3]]:
        summary = trainer.summary(2, *SMALL, "--mesh", "1x2x1", "--steps", 6, "--metrics", "m.jsonl", *options)
        lines = [json.loads(line) for line in (trainer.folder / "m.jsonl").read_text().splitlines()]
        steps = [line for line in lines if "step" in line]
        checks.expect(len(steps) == 6 and all(step["gradient_norm"] > 1e-3 for step in steps), f"{options}: {steps}")
        checks.expect(all(0 <= step["exposed_ms"] <= step["step_ms"] for step in steps), f"{options}: {steps}")
        total = sum(step["step_ms"] for step in steps) / 1000
        checks.expect(0 < total <= summary["seconds"], f"steps take {total} s of {summary['seconds']}")
    slowest = summary["slowest_rank"]
    checks.expect(slowest["rank"] in (0, 1) and slowest["seconds"] >= slowest["mean_seconds"] > 0
                  and slowest["part"] in ("compute", "input", "other"), f"{slowest}")
    checks.expect(trainer.summary(1, *SMALL, "--steps", 2)["slowest_rank"] is None,
                  "expected no slowest rank in a run with one rank")


def check_memory(trainer, checks):
    """The bytes of each use are as predicted, and j and k divide the bytes of weights, gradients and moments."""
    network = ["--data", "synthetic:2000,64,16", "--hidden", "256,256", "--steps", 2]
    whole = trainer.summary(1, *network)["bytes_by_kind"]
    for mesh in ["4x1x1", "1x4x1", "1x1x4", "2x2x1", "2x1x2", "1x2x2"]:
        summary = trainer.summary(4, *network, "--mesh", mesh)
        counted, predicted = summary["bytes_by_kind"], summary["predicted_bytes_by_kind"]
        checks.expect(list(counted) == ["weights", "gradients", "moments", "activations", "data", "buffers"],
                      f"{counted}")
        for kind, value in predicted.items():
            checks.expect(abs(counted[kind] - value) <= 0.01 * value,
                          f"--mesh {mesh}: {kind} {counted[kind]}, predicted {value}")
        i, j, k = map(int, mesh.split("x"))
        for kind in ["weights", "gradients", "moments"]:
            checks.expect(counted[kind] <= 1.02 * whole[kind] / (j * k),
                          f"--mesh {mesh}: {kind} {counted[kind]} of {whole[kind]}")
        if mesh == "1x2x2":
            checks.expect(counted["activations"] <= 1.02 * whole["activations"] / 2, f"{counted} of {whole}")


def check_saved_file(trainer, checks):
    digest = trainer.summary(3, *SMALL, "--steps", 4, "--save", "w.safetensors")["weights_sha256"]
    header, data = saved_weights.read(trainer.folder / "w.safetensors")
    shapes = {name: tensor["shape"] for name, tensor in header.items()}
    expected = {"layers.0.weight": [32, 12], "layers.0.bias": [32], "layers.1.weight": [3, 32], "layers.1.bias": [3]}
    checks.expect(shapes == expected, f"the saved tensors are {shapes}, not {expected}")
    end = 0
    for name, tensor in header.items():
        begin, after = tensor["data_offsets"]
        size = 4
        for extent in tensor["shape"]:
            size *= extent
        checks.expect(tensor["dtype"] == "F32" and begin == end and after - begin == size, f"{name}: {tensor}")
        end = after
    checks.expect(end == len(data), f"{len(data)} bytes of tensors, {end} announced")
    checks.expect(hashlib.sha256(data).hexdigest() == digest, "weights_sha256 is not that of the saved tensors")


def check_ad_spend(trainer, checks, repository):
    table = repository / "launch" / "examples" / "ad_spend.csv"
    for batch in ["1", "2", "all"]:
        loss = trainer.summary(
            2, "--data", table, "--target", "conversions", "--hidden", "", "--no-bias", "--activation", "identity",
            "--loss", "mse", "--optimizer", "sgd", "--lr", 0.01, "--epochs", 200, "--batch-size", batch)["train_loss"]
        checks.expect(0 <= loss < 0.05, f"ad_spend.csv with --batch-size {batch}: train_loss {loss}, not below 0.05")


def check_regression_has_no_accuracy(trainer, checks):
    summary = trainer.summary(2, *SMALL, "--epochs", 1, "--metrics", "m.jsonl")
    epoch = json.loads((trainer.folder / "m.jsonl").read_text().splitlines()[-1])
    checks.expect(epoch["test_loss"] == summary["test_loss"] > 0, f"{epoch} and {summary}")
    checks.expect(epoch["test_accuracy"] is None and summary["test_accuracy"] is None, f"{epoch} and {summary}")


def check_patience(trainer, checks, repository):
    """If the validation loss does not improve, the second epoch is the last. The console shows the validation loss."""
    table = repository / "launch" / "examples" / "ad_spend.csv"
    text = trainer.run(2, "--data", table, "--target", "conversions", "--validation", 0.5, "--patience", 1, "--lr", 0,
                       "--epochs", 9).stdout
    checks.expect("valid. loss" in text and "stopped early" in text and "\n     2 " in text and "\n     3 " not in text,
                  f"--patience 1 --lr 0: {text}")


def check_curves(trainer, checks):
    """The default job's first steps do not depend on the number of ranks."""
    for options in [[], ["--optimizer", "sgd", "--lr", 0.05]]:
        expected = trainer.losses(1, "--steps", 20, *options)
        checks.expect(len(expected) == 20 and expected[-1] < expected[0],
                      f"{options}: the loss does not fall: {expected}")
        for np in [2, 3, 4, 7]:
            same_curve(checks, f"Fashion-MNIST {options} np {np}", expected,
                       trainer.losses(np, "--steps", 20, *options))


def main():
    program, repository = sys.argv[1], pathlib.Path(sys.argv[2])
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(program, folder, checks)
        check_information(trainer, checks)
        check_provenance(trainer, checks)
        check_repeatable(trainer, checks, *SMALL)
        check_batch_smaller_than_ranks(trainer, checks)
        check_meshes(trainer, checks)
        check_step_metrics(trainer, checks)
        check_memory(trainer, checks)
        check_saved_file(trainer, checks)
        check_ad_spend(trainer, checks, repository)
        check_regression_has_no_accuracy(trainer, checks)
        check_patience(trainer, checks, repository)
        if FASHION_MNIST.is_dir():
            check_repeatable(trainer, checks, "--hidden", "32")
            check_curves(trainer, checks)
        elif not checks.failures:
            print(f"skipped: {FASHION_MNIST} is not there")
            sys.exit(SKIPPED)
    checks.finish()


main()
