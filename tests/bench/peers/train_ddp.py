#!/usr/bin/env python3
"""Training speed of PyTorch DistributedDataParallel (gloo, CPU, f32) on the task of train_bench.

    python3 -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python train_ddp.py --np 2 --threads 1 --hidden 1024,1024 --batch-size 512

A dense network (ReLU, bias) learns Fashion-MNIST with AdamW. The images stay in memory as uint8;
each step gathers rows of a random permutation and converts them, as a fast loop by hand would.
The script spawns the ranks, which share the global batch. It prints one line of JSON:
samples_per_second is the median over chunks of steps, each timed by its slowest rank.

--settings is "default" (plain DDP, fused AdamW), a JSON object that changes some of these settings,
or "best": changes them one by one, keeps a change if the median rises, and reports the fastest trial.
  ddp                      False at np = 1: nothing to reduce, so neither buckets nor hooks.
  bucket_cap_mb            Small buckets overlap with backward early, large ones send less often.
  gradient_as_bucket_view  Gradients live in the buckets: saves copying them in and out.
  static_graph, broadcast_buffers   The graph never changes and has no buffers: less bookkeeping.
  optimizer                "fused" updates in one pass; "foreach" is the other fast AdamW.
  set_to_none              zero_grad drops the gradients, or fills them with zeros.
  flush_denormal           AdamW's moments of dead inputs decay into slow denormals.
  bind                     Pins rank r, with all its threads, to the r-th group of cores.
Matrix products stay true f32: torch.set_float32_matmul_precision is left at "highest".
"""
import argparse
import gzip
import json
import os
import statistics
import tempfile
import time
import warnings

import numpy
import torch
import torch.distributed as dist

DEFAULT = {"ddp": True, "bucket_cap_mb": 25, "gradient_as_bucket_view": False,
           "static_graph": False, "broadcast_buffers": True, "optimizer": "fused",
           "set_to_none": True, "flush_denormal": False, "bind": False}
DDP_ARGUMENTS = ("bucket_cap_mb", "gradient_as_bucket_view", "static_graph", "broadcast_buffers")
warnings.filterwarnings("ignore", "`broadcast_buffers` is deprecated")


def read_idx(folder, name):
    with gzip.open(os.path.join(folder, name + ".gz")) as file:
        content = file.read()
    shape = numpy.frombuffer(content, ">u4", count=content[3], offset=4)
    return torch.tensor(numpy.frombuffer(content, "u1", offset=4 + 4 * len(shape)).reshape(shape))


def endless_batches(images, labels, batch_size, rank, ranks):
    """This rank's share of each global batch. All ranks use the same permutations."""
    generator = torch.Generator().manual_seed(1)
    share = batch_size // ranks
    while True:
        order = torch.randperm(len(images), generator=generator)
        for start in range(0, len(images) - batch_size + 1, batch_size):
            rows = order.narrow(0, start + rank * share, share)
            pixels = images.index_select(0, rows).float().mul_(1 / 255)
            yield pixels, labels.index_select(0, rows)


def build_network(hidden, settings):
    torch.manual_seed(0)
    layers = []
    for inputs, outputs in zip([784, *hidden], [*hidden, 10]):
        layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    arguments = {name: settings[name] for name in DDP_ARGUMENTS}
    ddp = torch.nn.parallel.DistributedDataParallel
    return ddp(network, **arguments) if settings["ddp"] else network


def measure(options, settings, rank, data, cores):
    """Trains a new network. Returns samples/s of each chunk, and the last loss of this rank."""
    own_cores = cores[rank * options.threads:][:options.threads] if settings["bind"] else cores
    for thread in os.listdir("/proc/self/task"):
        os.sched_setaffinity(int(thread), own_cores)
    torch.set_flush_denormal(settings["flush_denormal"])
    network = build_network(options.hidden, settings)
    optimizer = torch.optim.AdamW(network.parameters(), **{settings["optimizer"]: True},
                                  lr=options.learning_rate, weight_decay=options.weight_decay)
    batches = endless_batches(*data, options.batch_size, rank, options.np)
    times = []
    for step in range(options.warmup + options.steps // options.chunk * options.chunk):
        if step >= options.warmup and (step - options.warmup) % options.chunk == 0:
            times.append(time.perf_counter())
        pixels, labels = next(batches)
        optimizer.zero_grad(set_to_none=settings["set_to_none"])
        loss = torch.nn.functional.cross_entropy(network(pixels), labels)
        loss.backward()
        optimizer.step()
    seconds = torch.tensor([*times, time.perf_counter()], dtype=torch.float64).diff()
    dist.all_reduce(seconds, dist.ReduceOp.MAX)  # every rank decides on the same figures
    return (options.batch_size * options.chunk / seconds).tolist(), loss.item()


def find_best(ranks, trial):
    choices = {"optimizer": ("foreach",), "set_to_none": (False,), "flush_denormal": (True,)}
    if ranks > 1:
        choices |= {"bucket_cap_mb": (1, 4, 100), "static_graph": (True,), "bind": (True,)}
    sound = {"ddp": ranks > 1, "gradient_as_bucket_view": True, "broadcast_buffers": False}
    trial(DEFAULT | sound)  # not counted: the first trial also warms up
    best = trial(DEFAULT | sound)
    for name, values in choices.items():
        trials = [trial(best["settings"] | {name: value}) for value in values]
        best = max([best, *trials], key=lambda result: result["samples_per_second"])
    return best


def run_rank(rank, options, folder):
    cores = sorted(os.sched_getaffinity(0))
    torch.set_num_threads(options.threads)
    dist.init_process_group("gloo", f"file://{folder}/ranks", rank=rank, world_size=options.np)
    data = (read_idx(options.data, "train-images-idx3-ubyte").flatten(1),
            read_idx(options.data, "train-labels-idx1-ubyte").long())

    def trial(settings):
        speeds, loss = measure(options, settings, rank, data, cores)
        return {"samples_per_second": statistics.median(speeds), "min": min(speeds),
                "max": max(speeds), "loss": loss, "settings": settings,
                "np": options.np, "threads": options.threads}

    fixed = {} if options.settings in ("best", "default") else json.loads(options.settings)
    result = find_best(options.np, trial) if options.settings == "best" else trial(DEFAULT | fixed)
    if rank == 0:
        print(json.dumps(result), flush=True)
    dist.destroy_process_group()


def main():
    parser = argparse.ArgumentParser(description="See the head of the file.")
    for name, default in {"hidden": "1024,1024", "batch-size": 512, "steps": 60, "warmup": 10,
                          "chunk": 5, "np": 1, "threads": 1, "learning-rate": 1e-3,
                          "weight-decay": 0.01, "settings": "best",
                          "data": "/usr/share/datasets/fashion-mnist"}.items():
        parser.add_argument("--" + name, type=type(default), default=default)
    options = parser.parse_args()
    options.hidden = [int(width) for width in options.hidden.split(",")]
    if options.batch_size % options.np or options.steps < options.chunk:
        parser.error("--batch-size must be a multiple of --np, --steps at least --chunk")
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # all ranks on one machine: loopback
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(run_rank, (options, folder), nprocs=options.np)


if __name__ == "__main__":
    main()
