#!/usr/bin/env python3
"""Measures steps of training between two hosts with a slow link, on several meshes.

    slow_network.py --build build [--rate 1gbit] [--np 2] [--meshes 2x1x1,1x2x1,1x1x2] [--steps 12] [--rounds 5]
                    [--hidden 4096,4096] [--batch-size 64]

The hosts are namespaces of this machine (tests/cli/hosts.py), so this needs root. Half of the ranks are on each host,
with one thread each. Each round runs every mesh once. For each mesh it prints, per step:

    sent      bytes of one host, the larger of the two directions, counted on its network interface
    at least  the time that these bytes take at the link's rate
    step      milliseconds of training: median over the rounds [min-max]; compute and exposed communication are parts
    ratio     time of a step on the first mesh / on this mesh, in the same round

First it prints the rate that the link reaches: 64 MiB by TCP, in both directions at the same time.
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "cli"))
from hosts import Hosts  # noqa: E402
from program import run_test  # noqa: E402

INPUTS, CLASSES = 784, 10
BITS = {"mbit": 1e6, "gbit": 1e9}
TRANSFER = """
import socket, sys, threading, time
size = 64 << 20
if sys.argv[1] == "h0":
    connection = socket.create_server(("0.0.0.0", 5001)).accept()[0]
else:
    for _ in range(500):
        try:
            connection = socket.create_connection(("h0", 5001))
            break
        except ConnectionRefusedError:
            time.sleep(0.01)
begun = time.monotonic()
sender = threading.Thread(target=connection.sendall, args=(bytes(size),))
sender.start()
left = size
while left > 0:
    left -= len(connection.recv(1 << 20))
print(8 * size / (time.monotonic() - begun))
sender.join()
"""


def spread(values, form):
    return f"{statistics.median(values):{form}} [{min(values):{form}}-{max(values):{form}}]"


def measured_rates(hosts):
    commands = [hosts.inside(name, sys.executable, "-c", TRANSFER, name) for name in hosts.names]
    jobs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    return [float(job.communicate()[0]) / 1e6 for job in jobs]


class Bench:
    def __init__(self, hosts, folder, options):
        self.hosts, self.folder, self.options = hosts, folder, options

    def run(self, mesh, steps):
        """The summary of a run, and the bytes that h0 has sent and received."""
        o = self.options
        before = self.hosts.bytes_on_link("h0")
        done = self.hosts.run("mpirun", "-np", o.np, o.build / "train", "--mesh", mesh, "--steps", steps, "--epochs", 1,
                              "--data", f"synthetic:{o.steps * o.batch_size},{INPUTS},{CLASSES}", "--hidden", o.hidden,
                              "--batch-size", o.batch_size, "--threads", 1, "--quiet", "--summary", "summary.json",
                              cwd=self.folder, timeout=900)
        if done.returncode:
            sys.exit(f"{mesh}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
        moved = [after - start for after, start in zip(self.hosts.bytes_on_link("h0"), before)]
        return json.loads((self.folder / "summary.json").read_text()), moved

    def bytes_per_step(self, mesh):
        """From the difference of two runs, without what they send at their start and end."""
        short, long = (self.run(mesh, steps)[1] for steps in (2, self.options.steps))
        return max((b - a) / (self.options.steps - 2) for a, b in zip(short, long))

    def step(self, mesh):
        summary = self.run(mesh, self.options.steps)[0]
        return {"step": self.options.batch_size / summary["samples_per_second"],
                **{key: summary[f"{key}_seconds"] / self.options.steps for key in ("compute", "exposed_communication")}}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=lambda path: Path(path).resolve(), required=True)
    parser.add_argument("--rate", default="1gbit")
    parser.add_argument("--np", type=int, default=2)
    parser.add_argument("--meshes", type=lambda text: text.split(","), default=["2x1x1", "1x2x1", "1x1x2"])
    for name, value in [("--steps", 12), ("--rounds", 5), ("--batch-size", 64)]:
        parser.add_argument(name, type=int, default=value)
    parser.add_argument("--hidden", default="4096,4096")
    options = parser.parse_args()
    bits = float(options.rate[:-4]) * BITS[options.rate[-4:]]
    with tempfile.TemporaryDirectory() as folder, Hosts(2, slots=options.np // 2) as hosts:
        hosts.limit_rate(options.rate)
        print("link: {:.0f} and {:.0f} Mbit/s of data, both ways at once".format(*measured_rates(hosts)), flush=True)
        bench = Bench(hosts, Path(folder), options)
        sent = {mesh: bench.bytes_per_step(mesh) for mesh in options.meshes}
        rounds = [{mesh: bench.step(mesh) for mesh in options.meshes} for _ in range(options.rounds)]
    for mesh in options.meshes:
        found = [found[mesh] for found in rounds]
        ms = {key: spread([1e3 * f[key] for f in found], ".0f") for key in found[0]}
        ratios = [found[options.meshes[0]]["step"] / found[mesh]["step"] for found in rounds]
        print(f"{mesh}: sent {sent[mesh] / 1e6:.2f} MB, at least {8e3 * sent[mesh] / bits:.0f} ms; "
              f"step {ms['step']} ms: compute {ms['compute']}, exposed communication {ms['exposed_communication']}; "
              f"ratio {spread(ratios, '.2f')}")


run_test(main)
