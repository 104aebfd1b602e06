#!/usr/bin/env python3
"""The type of a product is the widest type of its files, or --dtype; one line names files of another type.

usage: matmul_types_test.py MATMUL
"""
import json
import sys
import tempfile

import machine
import npy
from multiplier import Multiplier
from program import Checks

HUGE, ONE = [[1e300, 2.0], [0.5, 4.0]], [[1.0, 0.0], [0.0, 1.0]]  # 1e300 does not fit f32
NAMES = {"<f4": "f32", "<f8": "f64"}
FILES = [("<f4", "<f4", None), ("<f8", "<f8", None), ("<f8", "<f4", None), ("<f4", "<f8", None), ("<f4", "<f4", "<f8"),
         ("<f8", "<f4", "<f4")]  # types of A, B and C0


def conversion(option, kind, to):
    """The text about a file of type `kind` that the product converts to type `to`."""
    if NAMES[kind] == to:
        return []
    return [f"{option} is {NAMES[kind]}, {'widened' if (kind, to) == ('<f4', 'f64') else 'narrowed'} to {to}"]


def check(multiplier, checks, kinds, dtype):
    options = {}
    for option, kind in zip(["--a", "--b", "--c"], kinds):
        if kind:
            rows = HUGE if (option, kind) == ("--a", "<f8") else ONE
            options[option] = f"{option[2:]}{kind[1:]}.npy"
            multiplier.file(options[option], rows, kind)
    widest = "f64" if "<f8" in kinds else "f32"
    product = widest if dtype in ["auto", None] else dtype
    held = ["bf16", "bf16", "f32"] if product == "bf16" else [product] * 3
    told = [text for (option, name), kind, to in zip(options.items(), kinds, held)
            for text in conversion(f"{option} {name}", kind, to)]
    arguments = [word for option in options.items() for word in option]
    arguments += ["--beta", 1] if kinds[2] else []
    arguments += ["--dtype", dtype] if dtype else []
    costs = machine.write(multiplier.folder / "machine.json", 1, product)
    text = multiplier.run(1, *arguments, "--machine", costs, "--out", "out.npy", "--json", "report.json")
    report = json.loads((multiplier.folder / "report.json").read_text())
    kind, rows = npy.read(multiplier.folder / "out.npy")
    shown = f"files {kinds}, --dtype {dtype}"
    checks.expect(report["dtype"] == product and kind == ("<f8" if product == "f64" else "<f4"),
                  f"{shown}: a product in {report['dtype']}, C of {kind}")
    conversions = report.get("conversions")
    checks.expect(conversions == "; ".join(told) and ("; ".join(told) + "\n" in text) and
                  ("narrowed" in text or " widened to f64" in text) == bool(told),
                  f"{shown}: told {conversions!r}, not {told}: {text}")
    if kinds[0] == "<f8" and product == "f64":
        checks.expect(rows[0][0] == 1e300, f"{shown}: C begins with {rows[0][0]}")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        multiplier = Multiplier(sys.argv[1], folder, checks)
        for kinds in FILES:
            for dtype in [None, "auto"] if kinds[2] is None else [None, "f32", "f64", "bf16"]:
                check(multiplier, checks, kinds, dtype)
        for dtype in ["f32", "f64", "bf16"]:
            check(multiplier, checks, ("<f8", "<f8", None), dtype)
    checks.finish()


main()
