"""The parts of gpu_check: what each runs, and for how long at most."""
import concurrent.futures
import dataclasses
import functools
import importlib.util
import json
import os
import pathlib
import sys
import tempfile

import gpu_tests
from machine import Deadline, Failed, NotRun, find_tool, row

PRECISIONS = ("f32", "tf32", "bf16")
TEST_SECONDS = 60
FASHION_MNIST = pathlib.Path("/usr/share/datasets/fashion-mnist")


@dataclasses.dataclass
class Network:
    """Data, hidden widths, rows of a batch per GPU, and steps in each precision: about a second on an H200."""
    data: str
    hidden: str
    batch: int
    steps: dict


NETWORKS = {"small": Network("synthetic:60000,784,10", "1024,1024", 512, dict.fromkeys(PRECISIONS, 3000)),
            "large": Network("synthetic:65536,1024,10", "8192,8192,8192", 8192, {"f32": 24, "tf32": 80, "bf16": 160})}
TINY_NETWORKS = {"small": Network("synthetic:64,8,4", "16", 8, dict.fromkeys(PRECISIONS, 4)),
                 "large": Network("synthetic:64,8,4", "32,32", 8, dict.fromkeys(PRECISIONS, 4))}

# In the default order: first what is worth most, should the time not be enough. Seconds are the most that each takes.
SECONDS = {"train-small": 40, "train-large": 60, "torch": 75, "train-accuracy": 40, "all_reduce-staged": 40,
           "kernels": 40, "products": 60, "all_reduce-nccl": 60, "tests-np1": 90, "tests-staged": 90, "racecheck": 90,
           "synccheck": 90, "memcheck": 90, "tests-nccl": 120}
UNTIMED = ("tests-np1", "tests-staged", "tests-nccl", "racecheck", "synccheck", "memcheck")  # may run side by side
GROUPS = {"train": ("train-small", "train-large", "train-accuracy"), "tests": ("tests-np1", "tests-staged", "tests-nccl"),
          "sanitizer": ("racecheck", "synccheck", "memcheck"), "all_reduce": ("all_reduce-staged", "all_reduce-nccl")}


class Check:
    def __init__(self, machine, results, quick):
        self.machine, self.results = machine, results
        self.quick = ["--quick"] if quick else []
        # No more than cores and memory of the GPU allow: 4 jobs have at most 4 ranks each.
        self.jobs = max(1, min(4, (os.cpu_count() or 1) // 4))

    def run(self, parts, part_seconds, whole):
        """Runs parts in order; those without timings next to each other, where there are cores for it."""
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            waiting = []
            for part in parts:
                work = functools.partial(self.run_part, part, part_seconds, whole)
                if part not in UNTIMED:
                    concurrent.futures.wait(waiting)
                    work()
                else:
                    waiting.append(pool.submit(work))
            for done in waiting:
                done.result()

    def run_part(self, part, part_seconds, whole):
        deadline = Deadline(part_seconds or SECONDS[part], whole)
        name, _, which = part.partition("-")
        work = getattr(self, name)
        self.attempt(part, deadline, functools.partial(work, *([which] if which else []), deadline))

    def attempt(self, name, deadline, work):
        """Runs `work`, which adds rows. Stores its exception, if any, so that the other parts still run."""
        try:
            if deadline.left() <= 0:
                raise NotRun("no time left")
            work()
        except NotRun as reason:
            self.results.not_run(name, reason)
        except Failed as failure:
            if deadline.whole.left() <= 0:  # no failure of the part
                self.results.not_run(name, "the whole run ended before it")
            else:
                self.results.failed(name, failure)

    def tests(self, which, deadline):
        found = [test for test in gpu_tests.load(self.machine) if test.part == f"tests-{which}"]
        if which == "nccl" and self.machine.gpus < 2:
            raise NotRun("one GPU: NCCL has nothing to move")

        def run(test):
            allowed = (0, 77) if test.environment.get("RECOMBINE_TEST_COLLECTIVES") == "nccl" else (0,)
            allowed = (0, 77) if not test.is_unit else allowed  # the scripts also need Fashion-MNIST
            limit = deadline.at_most(TEST_SECONDS)
            self.machine.run(test.name, test.command, limit, allowed=allowed, **test.environment)
            self.results.row(row("tests", test.name, note="passed"))

        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            for test in found:
                pool.submit(self.attempt, test.name, deadline, functools.partial(run, test))

    def sanitizer(self, tool, deadline):
        if self.machine.emulated:
            raise NotRun("compute-sanitizer watches a GPU, and this is the emulation")
        # Only our own kernels: all are in namespace recombine. Instrumented libraries would take minutes.
        sanitizer = [find_tool("compute-sanitizer"), "--tool", tool, "--error-exitcode", "1", "--kernel-name",
                     "kns=recombine"]
        if tool == "memcheck":  # the code itself checks return codes, and "not ready" from a query is no error
            sanitizer += ["--report-api-errors", "no"]
        for test in gpu_tests.load(self.machine):
            if test.name == "kernels_test.cuda.np1":
                launch, program = test.split()
                self.machine.run(tool, [*launch, *sanitizer, *program], deadline, **test.environment)
                self.results.row(row("sanitizer", f"kernels_test, {tool}", note="no report"))

    def racecheck(self, deadline):
        self.sanitizer("racecheck", deadline)

    def synccheck(self, deadline):
        self.sanitizer("synccheck", deadline)

    def memcheck(self, deadline):
        self.sanitizer("memcheck", deadline)

    def rates(self, name, command, deadline):
        """Runs a program that prints rows as lines of JSON."""
        before = self.results.count("row")
        output = self.machine.run(name, command, deadline, on_row=self.results.row)
        if self.results.count("row") == before:
            raise Failed(f"{name}: printed no figures\n{output}")

    def kernels(self, deadline):
        self.rates("kernels", self.machine.ranks(1, "gpu_bench", "kernels", *self.quick), deadline)

    def products(self, deadline):
        self.rates("products", self.machine.ranks(1, "gpu_bench", "products", *self.quick), deadline)

    def all_reduce(self, route, deadline):
        if self.machine.gpus == 1 and route == "nccl":
            raise NotRun("one GPU: NCCL has nothing to move")
        np = max(self.machine.gpus, 2)  # two ranks may share a GPU if collectives are staged
        command = self.machine.ranks(np, "gpu_bench", "all_reduce", route, *self.quick)
        self.rates(f"all_reduce {route}", command, deadline)

    def torch(self, deadline):
        if self.machine.emulated:
            raise NotRun("PyTorch needs a GPU, and this is the emulation")
        if importlib.util.find_spec("torch") is None:
            raise NotRun(f"PyTorch is not installed for {sys.executable}")
        script = pathlib.Path(__file__).with_name("torch_peer.py")
        networks = TINY_NETWORKS if self.quick else NETWORKS
        cases = json.dumps({name: dataclasses.asdict(network) for name, network in networks.items()})

        def take(line):
            (self.results.row if line.get("kind") != "failure" else lambda f: self.results.failed("torch", f["output"]))(line)

        self.machine.run("torch", [sys.executable, "-B", str(script), cases, *self.quick], deadline, on_row=take)

    def train(self, which, deadline):
        ranks = sorted({1, self.machine.gpus})
        if which == "accuracy":
            return self.train_accuracy(deadline)
        network = (TINY_NETWORKS if self.quick else NETWORKS)[which]
        for precision in PRECISIONS:
            for np in ranks:
                title = f"{which} {precision}, {np} GPU{'s' if np > 1 else ''}"
                self.attempt(f"train {title}", deadline,
                             functools.partial(self.train_once, which, title, network, precision, np, deadline))

    def summary_of(self, title, np, deadline, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            summary = pathlib.Path(folder) / "summary.json"
            command = self.machine.ranks(np, "train", "--device", "cuda", *arguments, "--quiet", "--summary", str(summary))
            self.machine.run(f"train {title}", command, deadline)
            return json.loads(summary.read_text())

    def train_once(self, which, title, network, precision, np, deadline):
        batch = network.batch * np
        result = self.summary_of(
            title, np, deadline, "--data", network.data, "--hidden", network.hidden, "--batch-size", str(batch),
            "--steps", str(network.steps[precision]), "--epochs", "100000", "--lr", "1e-5", "--precision", precision)
        speed = result["samples_per_second"]
        peer = {"compare": f"{which} {precision}", "samples_per_second": speed} if np == 1 else {}
        self.results.row(row(
            "train", title, size=f"{network.hidden} @{batch}", seconds=result["seconds"], value=result["gflops"] / 1e3,
            unit="TFLOP/s", ceiling=result["peak_gflops"] / 1e3, share=result["mfu"],
            note=f"{speed:.0f} samples/s, {1e6 * batch / speed:.0f} us a step", **peer))

    def train_accuracy(self, deadline):
        data = self.machine.build.parent / "data/fashion-mnist" if self.machine.in_pack else FASHION_MNIST
        if not data.is_dir():
            raise NotRun(f"Fashion-MNIST is not at {data}")
        quick = ["--steps", "2", "--hidden", "8", "--batch-size", "16"] if self.quick else []
        for precision in PRECISIONS:
            title = f"Fashion-MNIST {precision}"
            result = self.summary_of(title, 1, deadline, "--data", str(data), "--precision", precision, *quick)
            self.results.row(row("train", title, size="defaults", seconds=result["seconds"],
                                 value=result["test_accuracy"], unit="accuracy",
                                 note=f"{result['samples_per_second']:.0f} samples/s"))
