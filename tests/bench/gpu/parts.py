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
import threading

import gpu_tests
import ncu_steps
from machine import Deadline, Failed, NotRun, find_tool, row

PRECISIONS = ("f32", "tf32", "bf16")
SHARDS = 3  # of a program under a sanitizer: if a test in one takes too long, the others still have results
# HopperTest compares with a reference on the host, which takes a minute.
# Racecheck stops at cuBLASLt's bf16 kernels for Hopper: "Internal Sanitizer Error: ... hardware exception".
SANITIZER_SKIPS = {"racecheck": "HopperTest*:GemmTypesTest*:NaNTest.*Bf16*"}
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

# In the default order: the most important part first, in case the time is too short. Seconds are the parts' limits.
SECONDS = {"train-small": 40, "train-large": 60, "torch": 75, "train-accuracy": 40, "all_reduce-staged": 40,
           "kernels": 40, "products": 60, "all_reduce-nccl": 60, "profile": 60, "racecheck": 100, "tests-np1": 60,
           "tests-staged": 60, "synccheck": 100, "memcheck": 100, "tests-nccl": 60}
# Parts that measure no time, so their programs may run at the same time. The limit is for each program.
UNTIMED = ("tests-np1", "tests-staged", "tests-nccl", "racecheck", "synccheck", "memcheck")
GROUPS = {"train": ("train-small", "train-large", "train-accuracy"),
          "tests": ("tests-np1", "tests-staged", "tests-nccl"), "sanitizer": ("racecheck", "synccheck", "memcheck"),
          "all_reduce": ("all_reduce-staged", "all_reduce-nccl")}


class Check:
    def __init__(self, machine, results, quick):
        self.machine, self.results = machine, results
        self.quick = ["--quick"] if quick else []
        # Programs of UNTIMED run at the same time, as many as the cores allow: each has 4 ranks at most.
        self.slots = threading.Semaphore(max(1, min(6, (os.cpu_count() or 1) // 2 - 1)))

    def run(self, parts, part_seconds, whole):
        """Runs parts in order; those in UNTIMED at the same time, as far as there are cores."""
        with concurrent.futures.ThreadPoolExecutor(len(UNTIMED)) as pool:
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
        seconds = part_seconds or SECONDS[part] * (5 if self.machine.emulated else 1)
        name, _, which = part.partition("-")
        limit = functools.partial(Deadline, seconds, whole)
        work = getattr(self, name)
        self.attempt(part, limit, lambda deadline: work(*([which] if which else []),
                                                        limit if part in UNTIMED else deadline))

    def attempt(self, name, limit, work):
        """Runs `work`, which adds rows, with the deadline limit(). Stores its exception, if any, so that other parts
        still run."""
        deadline = limit()
        try:
            if deadline.left() <= 0:
                raise NotRun("no time left")
            work(deadline)
        except NotRun as reason:
            self.results.not_run(name, reason)
        except Failed as failure:
            if deadline.whole.left() <= 0:  # then the part has not failed
                self.results.not_run(name, "the whole run ended before it")
            else:
                self.results.failed(name, failure)

    def tests(self, which, limit):
        if which == "nccl" and self.machine.gpus < 2:
            raise NotRun("one GPU; NCCL needs two or more")

        def run(test, deadline):
            needs = not test.is_unit or test.environment.get("RECOMBINE_TEST_COLLECTIVES") == "nccl"  # data, or GPUs
            allowed = (0, 77) if needs else (0,)
            self.machine.run(test.name, test.command, deadline, None, allowed, **test.environment)
            self.results.row(row("tests", test.name, note="passed"))

        found = [test for test in gpu_tests.load(self.machine) if test.part == f"tests-{which}"]
        self.side_by_side([(test.name, functools.partial(run, test)) for test in found], limit)

    def side_by_side(self, works, limit):
        """Attempts each (name, work) in order, as many at a time as there are free slots; all parts share the slots."""
        def wait_and_run(name, work):
            with self.slots:
                self.attempt(name, limit, work)

        with concurrent.futures.ThreadPoolExecutor(len(works) or 1) as pool:
            for done in [pool.submit(wait_and_run, *work) for work in works]:
                done.result()

    def sanitizer(self, tool, limit):
        if self.machine.emulated:
            raise NotRun("compute-sanitizer needs a GPU, and this is the emulation")
        # Only our own kernels, which are in namespace recombine: instrumented libraries would take minutes.
        sanitizer = [find_tool("compute-sanitizer"), "--tool", tool, "--error-exitcode", "1", "--kernel-name",
                     "kns=recombine"]
        if tool == "memcheck":  # our code checks return codes, and "not ready" from a query is not an error
            sanitizer += ["--report-api-errors", "no"]
        test = next(test for test in gpu_tests.load(self.machine) if test.name == "kernels_test.cuda.np1")
        launch, program = test.split()
        program.append(f"--gtest_filter=-{SANITIZER_SKIPS.get(tool, 'HopperTest*')}")

        def run(shard, deadline):
            shards = {"GTEST_TOTAL_SHARDS": str(SHARDS), "GTEST_SHARD_INDEX": str(shard)}
            name = f"kernels_test, {tool}, part {shard + 1} of {SHARDS}"
            self.machine.run(name, [*launch, *sanitizer, *program], deadline, **test.environment, **shards)
            self.results.row(row("sanitizer", name, note="no report"))

        self.side_by_side([(f"{tool} {shard + 1}", functools.partial(run, shard)) for shard in range(SHARDS)], limit)

    def racecheck(self, limit):
        self.sanitizer("racecheck", limit)

    def synccheck(self, limit):
        self.sanitizer("synccheck", limit)

    def memcheck(self, limit):
        self.sanitizer("memcheck", limit)

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
            raise NotRun("one GPU; NCCL needs two or more")
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
            if line.get("kind") == "failure":
                self.results.failed("torch", line["output"])
            else:
                self.results.row(line)

        self.machine.run("torch", [sys.executable, "-B", str(script), cases, *self.quick], deadline, on_row=take)

    def train(self, which, deadline):
        ranks = sorted({1, self.machine.gpus})
        if which == "accuracy":
            return self.train_accuracy(deadline)
        network = (TINY_NETWORKS if self.quick else NETWORKS)[which]
        for precision in PRECISIONS:
            for np in ranks:
                title = f"{which} {precision}, {np} GPU{'s' if np > 1 else ''}"
                self.attempt(f"train {title}", lambda: deadline,
                             functools.partial(self.train_once, which, title, network, precision, np))

    def profile(self, deadline):
        """Kernels' own times in a training step, as Nsight Compute measures them."""
        if self.machine.emulated:
            raise NotRun("ncu profiles a GPU, and this is the emulation")
        ncu = find_tool("ncu")
        for which, precision in (("large", "bf16"), ("small", "bf16"), ("large", "tf32"), ("small", "f32")):
            network = (TINY_NETWORKS if self.quick else NETWORKS)[which]
            self.attempt(f"profile {which} {precision}", lambda: deadline,
                         functools.partial(self.profile_once, ncu, which, network, precision))

    def profile_once(self, ncu, which, network, precision, deadline):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "ncu.csv"
            self.machine.run(f"profile {which} {precision}", self.machine.ranks(
                1, "train", "--device", "cuda", "--data", network.data, "--hidden", network.hidden, "--batch-size",
                str(network.batch), "--steps", str(ncu_steps.STEPS), "--precision", precision, "--quiet",
                under=[ncu, *ncu_steps.OPTIONS, "--log-file", str(log)]), deadline)
            step = ncu_steps.mean_step(log.read_text())
        self.results.row(row(
            "profile", f"{which} {precision}, a step's kernels", size=f"{network.hidden} @{network.batch}",
            seconds=step.seconds, value=step.seconds * 1e6, unit="us", share=step.products_seconds / step.seconds,
            note=f"{step.launches:.0f} launches; slowest besides products: {step.longest}"))

    def summary_of(self, title, np, deadline, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            summary = pathlib.Path(folder) / "summary.json"
            arguments += ("--device", "cuda", "--quiet", "--summary", str(summary))
            self.machine.run(f"train {title}", self.machine.ranks(np, "train", *arguments), deadline)
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
        for precision in PRECISIONS[-1:] if self.quick else PRECISIONS:
            title = f"Fashion-MNIST {precision}"
            result = self.summary_of(title, 1, deadline, "--data", str(data), "--precision", precision, *quick)
            self.results.row(row("train", title, size="defaults", seconds=result["seconds"],
                                 value=result["test_accuracy"], unit="accuracy",
                                 note=f"{result['samples_per_second']:.0f} samples/s"))
