#!/usr/bin/env python3
"""Runs the parts of tests/gpu_check.sh, prints one table, and writes one JSON file. Call tests/gpu_check.sh, not this.

Times come from the host's clock around many calls and a synchronize(). Calls are not timed one by one on the GPU.
"""
import argparse
import functools
import json
import pathlib
import re
import sys
import tempfile

from machine import Failed, Machine, NotRun, find_tool, row

SANITIZERS = ("memcheck", "racecheck", "synccheck")
PRECISIONS = ("f32", "tf32", "bf16")
# name: data, hidden widths, rows of a batch per GPU, steps
NETWORKS = {"small": ("synthetic:60000,784,10", "1024,1024", 512, 400),
            "large": ("synthetic:65536,1024,10", "8192,8192,8192", 8192, 60)}
TINY_NETWORKS = {"small": ("synthetic:64,8,4", "16", 8, 4), "large": ("synthetic:64,8,4", "32,32", 8, 4)}

EXPLANATION = """
ceiling: for kernels a large copy on the GPU (bytes read and written); for products the library's largest of that type;
for train the largest product measured at its start, so that the share is the MFU. GB/s: 1e9 bytes per second. Kernels
count the bytes that they must move; all_reduce has busbw = algbw 2 (N-1)/N, algbw = bytes / seconds. Times: the host's
clock around many calls and a synchronize."""


class Check:
    def __init__(self, machine, quick):
        self.machine, self.quick = machine, ["--quick"] if quick else []
        self.rows, self.failures, self.not_run = [], [], []

    def attempt(self, name, work):
        """Runs `work`, which returns rows. Stores its exception, if any, so that the other parts still run."""
        try:
            self.rows += work()
        except NotRun as reason:
            self.not_run.append({"part": name, "reason": str(reason)})
        except Failed as failure:
            self.failures.append({"part": name, "output": str(failure)})

    def tests(self):
        def ctest():
            label = "emulated" if self.machine.emulated else "gpu"
            output = self.machine.run("tests", ["ctest", "--test-dir", ".", "-L", f"^{label}$", "--output-on-failure"])
            summary = re.search(r"(\d+% tests passed), .* out of (\d+)", output)
            skipped = re.findall(r"Test +#\d+: (\S+) .*\*\*\*Skipped", output)
            if not summary or int(summary[2]) == 0:
                raise Failed(f"tests: none has the label {label}; expected a build with RECOMBINE_CUDA=ON, made here")
            if skipped:
                self.not_run.append({"part": "tests", "reason": f"skipped: {', '.join(skipped)}"})
            return [row("tests", f"ctest -L {label}", size=f"{summary[2]} tests", note=summary[1])]

        self.attempt("tests", ctest)

    def kernels_test(self):
        """The command that CMake registered for the kernels' test on a GPU, split before the name of the program."""
        kind = "emulated" if self.machine.emulated else "cuda"
        listed = json.loads(self.machine.run("list of tests", ["ctest", "--test-dir", ".", "--show-only=json-v1"]))
        for test in listed["tests"]:
            if test["name"] == f"kernels_test.{kind}.np1":
                command = test["command"]
                at = next(i for i, word in enumerate(command) if word.endswith("/kernels_test"))
                return command[:at], command[at:]
        raise Failed(f"sanitizer: no test kernels_test.{kind}.np1; expected a build with RECOMBINE_CUDA=ON")

    def sanitizer(self):
        def run(tool):
            if self.machine.emulated:
                raise NotRun("compute-sanitizer watches a GPU, and this is the emulation")
            sanitizer = [find_tool("compute-sanitizer"), "--tool", tool, "--error-exitcode", "1"]
            if tool == "memcheck":  # the code itself checks return codes, and "not ready" from a query is no error
                sanitizer += ["--report-api-errors", "no"]
            launch, program = self.kernels_test()
            self.machine.run(f"sanitizer {tool}", [*launch, *sanitizer, *program], RECOMBINE_TEST_DEVICE="cuda")
            return [row("sanitizer", f"kernels_test, {tool}", note="no report")]

        for tool in SANITIZERS:
            self.attempt(f"sanitizer {tool}", functools.partial(run, tool))

    def kernels(self):
        self.bench("kernels")

    def products(self):
        self.bench("products")

    def bench(self, part):
        command = self.machine.ranks(1, "gpu_bench", part, *self.quick)
        self.attempt(part, lambda: self.machine.rates(part, command))

    def all_reduce(self):
        def run(route):
            if self.machine.gpus == 1 and route == "nccl":
                raise NotRun("one GPU: NCCL has nothing to move")
            np = max(self.machine.gpus, 2)  # two ranks may share a GPU if collectives are staged
            command = self.machine.ranks(np, "gpu_bench", "all_reduce", route, *self.quick)
            return self.machine.rates(f"all_reduce {route}", command)

        for route in ("nccl", "staged"):
            self.attempt(f"all_reduce {route}", functools.partial(run, route))

    def train(self):
        ranks = sorted({1, self.machine.gpus})
        if len(ranks) == 1:
            self.not_run.append({"part": "train on all GPUs", "reason": "there is one"})
        for name, network in (TINY_NETWORKS if self.quick else NETWORKS).items():
            for precision in PRECISIONS:
                for np in ranks:
                    title = f"{name} {precision}, {np} GPU{'s' if np > 1 else ''}"
                    run = functools.partial(self.train_once, title, network, precision, np)
                    self.attempt(f"train {title}", run)

    def train_once(self, title, network, precision, np):
        data, hidden, batch, steps = network
        with tempfile.TemporaryDirectory() as folder:
            summary = pathlib.Path(folder) / "summary.json"
            self.machine.run(f"train {title}", self.machine.ranks(
                np, "train", "--device", "cuda", "--data", data, "--hidden", hidden, "--batch-size", str(batch * np),
                "--steps", str(steps), "--epochs", "1000", "--lr", "1e-5", "--precision", precision, "--quiet",
                "--summary", str(summary)))
            result = json.loads(summary.read_text())
        return [row("train", title, size=f"{hidden} @{batch * np}", seconds=result["seconds"],
                    value=result["gflops"] / 1e3, unit="TFLOP/s", ceiling=result["peak_gflops"] / 1e3,
                    share=result["mfu"], note=f"{result['samples_per_second']:.0f} samples/s")]


def print_table(rows):
    def figure(value):
        return "" if value is None else f"{value:.4g}"

    cells = [["part", "what", "size", "figure", "", "ceiling", "share", ""]]
    cells += [[r["part"], r["name"], r["size"], figure(r["value"]), r["unit"], figure(r["ceiling"]),
               "" if r["share"] is None else f"{r['share']:.1%}", r["note"]] for r in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    print(EXPLANATION)


class OneLineParser(argparse.ArgumentParser):
    def error(self, message):
        print(f"gpu_check: {message}", file=sys.stderr)
        sys.exit(2)


def parse():
    parts = ("tests", "sanitizer", "kernels", "products", "all_reduce", "train")
    parser = OneLineParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("gpu_check.json"))
    parser.add_argument("--parts", default=",".join(parts))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--emulated", action="store_true")
    options = parser.parse_args()
    options.parts = options.parts.split(",")
    for part in options.parts:
        if part not in parts:
            parser.error(f"--parts '{part}': expected one of {', '.join(parts)}")
    if not (options.build / "gpu_bench").exists():
        parser.error(f"--build {options.build}: has no gpu_bench; expected a whole build with RECOMBINE_CUDA=ON")
    try:  # fail now, not after an hour of measurements
        options.json.touch()
    except OSError as error:
        parser.error(f"--json {options.json}: cannot write there: {error.strerror}; expected a path in a writable folder")
    options.quick = options.quick or options.emulated
    return options


def main():
    options = parse()
    machine = Machine(options.build, options.emulated)
    check = Check(machine, options.quick)
    for part in options.parts:
        getattr(check, part)()
    print(f"{machine.gpus} x {machine.device}")
    if options.emulated:
        print("EMULATED: no figure below is a GPU's")
    elif options.quick:
        print("QUICK: sizes are too small for the figures to say anything")
    print_table(check.rows)
    for part in check.not_run:
        print(f"not run: {part['part']}: {part['reason']}")
    for failure in check.failures:
        print(f"FAILED: {failure['output']}")
    report = {"device": machine.device, "gpus": machine.gpus, "emulated": options.emulated, "quick": options.quick,
              "parts": options.parts, "rows": check.rows, "not_run": check.not_run, "failures": check.failures}
    options.json.write_text(json.dumps(report, indent=2) + "\n")
    print(f"written: {options.json}")
    return 1 if check.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"gpu_check: {failure}")
