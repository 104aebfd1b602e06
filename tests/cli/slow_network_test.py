"""Counts the bytes that a step of training sends between two hosts, and compares the losses with those of one rank.

usage: slow_network_test.py TRAIN; exit code 77 (skipped) if hosts of namespaces cannot be made.

Each host has one rank. The links carry 1 Gbit/s in each direction, so these bytes decide which mesh is fast: 2x1x1
sends every gradient, 1x2x1 and 1x1x2 send only activations. tests/bench/slow_network.py measures the seconds.
"""
import json
import pathlib
import sys
import tempfile

from hosts import Hosts
from program import Checks, run_test
from trainer import Trainer, same_curve

INPUTS, HIDDEN, CLASSES, BATCH = 784, 1024, 10, 64
STEPS = 12
ARGUMENTS = ["--data", f"synthetic:{STEPS * BATCH},{INPUTS},{CLASSES}", "--hidden", f"{HIDDEN},{HIDDEN}",
             "--batch-size", BATCH, "--epochs", 1, "--threads", 1]
PARAMETERS = (INPUTS + 1) * HIDDEN + (HIDDEN + 1) * HIDDEN + (HIDDEN + 1) * CLASSES
# Bytes that a host sends in a step. To sum n bytes over two hosts, it sends n / 2 of terms and n / 2 of sums.
ACTIVATIONS = 4 * BATCH * HIDDEN
EXPECTED = {"2x1x1": 4 * PARAMETERS,
            "1x2x1": 2 * ACTIVATIONS + 16 * BATCH,           # Y of layer 2, dX of layer 3; softmax of half the classes
            "1x1x2": 2 * ACTIVATIONS + 4 * BATCH * CLASSES}  # Y of layer 1, dX of layer 2; Y of layer 3
HEADERS = 1.05     # of packets
FIXED = 16 * 1024  # bytes in a step: acknowledgements, and the signatures of calls, which ranks compare


class Pair:
    """Runs `train` on two hosts."""

    def __init__(self, hosts, folder, checks, train):
        self.hosts, self.folder, self.checks, self.train = hosts, folder, checks, train

    def run(self, mesh, steps):
        """The loss of each step, and what h0 has sent and received."""
        before = self.hosts.bytes_on_link("h0")
        metrics = self.folder / "m.jsonl"
        done = self.hosts.run("mpirun", "-np", 2, self.train, *ARGUMENTS, "--mesh", mesh, "--steps", steps, "--quiet",
                              "--metrics", metrics, cwd=self.folder)
        if not self.checks.expect(done.returncode == 0, f"{mesh}: exit {done.returncode}: {done.stderr}"):
            self.checks.finish()
        moved = [after - start for after, start in zip(self.hosts.bytes_on_link("h0"), before)]
        lines = map(json.loads, metrics.read_text().splitlines())
        return [line["train_loss"] for line in lines if "step" in line], moved

    def check(self, mesh, one_rank):
        """Checks the losses, and the bytes per step: from the difference of two runs, without their start and end."""
        _, short = self.run(mesh, 2)
        losses, long = self.run(mesh, STEPS)
        same_curve(self.checks, mesh, one_rank, losses)
        for way, a, b in zip(["sent", "received"], short, long):
            per_step = (b - a) / (STEPS - 2)
            least, most = EXPECTED[mesh], EXPECTED[mesh] * HEADERS + FIXED
            print(f"{mesh}: h0 {way} {per_step:.0f} bytes per step; expected {least} to {most:.0f}")
            self.checks.expect(least <= per_step <= most, f"{mesh}: bytes {way}")


def main():
    checks = Checks()
    train = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder, Hosts(2) as hosts:
        hosts.limit_rate("1gbit")
        one_rank = Trainer(train, folder, checks).losses(1, *ARGUMENTS)
        pair = Pair(hosts, pathlib.Path(folder), checks, train)
        for mesh in EXPECTED:
            pair.check(mesh, one_rank)
    checks.finish()


run_test(main)
