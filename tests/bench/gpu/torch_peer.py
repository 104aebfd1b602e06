#!/usr/bin/env python3
"""Measures the networks and products of gpu_check in PyTorch, and prints a line of JSON for each.

usage: torch_peer.py NETWORKS [--quick] [--device cuda|cpu]; NETWORKS: JSON of parts.NETWORKS. It does what train does
with synthetic data: f32 inputs and targets on the GPU, batches gathered there in a random order, mean squared error,
ReLU, fused AdamW. bf16 is autocast. "graph": one step is captured as a CUDA graph and replayed.
"""
import argparse
import json
import statistics
import time

import torch
from torch import nn

ROUNDS = 5
SIZES = (4096, 8192)
TYPES = {"f32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16, "f64": torch.float64}


class Peer:
    def __init__(self, device, quick):
        self.device, self.quick = torch.device(device), quick
        self.seconds = 0.01 if quick else 0.15  # of a round

    def wait(self):
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def median_seconds(self, call):
        """The seconds of one call: the median over rounds, by the host's clock around many calls and a synchronize."""
        def round_of(calls):
            self.wait()
            start = time.perf_counter()
            for number in range(calls):
                call(number)
            self.wait()
            return (time.perf_counter() - start) / calls

        round_of(3)
        calls = max(2, round(self.seconds / round_of(3)))
        return statistics.median(round_of(calls) for _ in range(1 if self.quick else ROUNDS))

    def set_precision(self, precision):
        torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")

    def train(self, name, network, precision, way):
        self.set_precision(precision)
        rows, inputs, outputs = map(int, network["data"].removeprefix("synthetic:").split(","))
        widths = [inputs, *map(int, network["hidden"].split(",")), outputs]
        batch = network["batch"]
        layers = []
        for before, after in zip(widths, widths[1:]):
            layers += [nn.Linear(before, after), nn.ReLU()]
        model = nn.Sequential(*layers[:-1]).to(self.device)
        x_all = torch.rand(rows, inputs, device=self.device) * 2 - 1
        y_all = torch.rand(rows, outputs, device=self.device)
        order = torch.randperm(rows, device=self.device)
        chosen = torch.zeros(batch, dtype=torch.long, device=self.device)
        captured = way == "graph"
        rate = torch.tensor(1e-5, device=self.device) if captured else 1e-5
        optimizer = torch.optim.AdamW(model.parameters(), lr=rate, fused=True, capturable=captured)
        loss_of = nn.MSELoss()

        def step():
            x, y = x_all[chosen], y_all[chosen]
            optimizer.zero_grad(set_to_none=True)
            lower = precision == "bf16"
            with torch.autocast(self.device.type, torch.bfloat16, enabled=lower, cache_enabled=not captured):
                loss = loss_of(model(x), y)
            loss.backward()
            optimizer.step()

        replay = self.capture(step) if captured else step

        def call(number):
            first = number * batch % (rows - batch + 1)
            chosen.copy_(order[first:first + batch])
            replay()

        seconds = self.median_seconds(call)
        work = sum(2 * batch * a * b * (2 if number == 0 else 3)  # the first layer needs no gradient of its input
                   for number, (a, b) in enumerate(zip(widths, widths[1:])))
        self.print(name=f"{name} {precision}, {way}", size=f"{network['hidden']} @{batch}", seconds=seconds,
                   value=work / seconds / 1e12, note=f"{batch / seconds:.0f} samples/s, {1e6 * seconds:.0f} us a step",
                   compare=f"{name} {precision}", way=way, samples_per_second=batch / seconds)

    def capture(self, step):
        if self.device.type != "cuda":
            raise RuntimeError("a CPU has no graphs")
        warm_up = torch.cuda.Stream()
        warm_up.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(warm_up):
            for _ in range(4):
                step()
        torch.cuda.current_stream().wait_stream(warm_up)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        return graph.replay

    def product(self, precision, size):
        self.set_precision(precision)
        a, b = (torch.randn(size, size, device=self.device).to(TYPES[precision]) for _ in range(2))
        seconds = self.median_seconds(lambda _: torch.mm(a, b.t()))
        self.print(name=f"product {precision}", size=f"{size}^3", seconds=seconds, value=2 * size**3 / seconds / 1e12)

    def print(self, **figures):
        line = {"part": "torch", "name": "", "size": "", "seconds": None, "value": None, "unit": "TFLOP/s",
                "ceiling": None, "share": None, "note": ""} | figures
        print(json.dumps(line), flush=True)

    def attempt(self, work, *arguments):
        try:
            work(*arguments)
        except Exception as error:  # the other cases still run
            what = " ".join(str(word) for word in arguments if not isinstance(word, dict))
            print(json.dumps({"kind": "failure", "output": f"torch: {what}: {str(error)[:300]}"}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", type=json.loads)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()
    torch.manual_seed(1)
    peer = Peer(options.device, options.quick)
    for name, network in options.networks.items():
        for precision in ("f32", "tf32", "bf16"):
            for way in ("eager", "graph"):
                peer.attempt(peer.train, name, network, precision, way)
    for size in (32,) if options.quick else SIZES:
        for precision in TYPES:
            peer.attempt(peer.product, precision, size)


if __name__ == "__main__":
    main()
