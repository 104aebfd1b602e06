"""The kernels of a training step, from Nsight Compute's list of all launches of a run of train."""
import collections
import csv
import dataclasses
import re

from machine import Failed

STEPS = 7  # of the run; all are in the first epoch of gpu_check's networks
FIRST = 3  # the first two steps of a batch shape run without a graph, and choose their products
OPTIONS = ["--metrics", "gpu__time_duration.sum", "--csv", "--page", "raw", "--print-units", "base", "--clock-control",
           "none", "--graph-profiling", "node"]
NEAR = 3  # launches: gathers that are at most this far apart belong to the same step
OURS = re.compile(r"\brecombine\b")  # the namespace of our kernels; all others are the library's products


@dataclasses.dataclass
class Step:
    launches: float
    seconds: float  # sum of the kernels' own times
    products_seconds: float
    longest: str  # our slowest kernels, with their shares


def launches_of(text):
    """(kernel, seconds) of each launch, in order."""
    lines = text.splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith('"ID"')), None)
    if start is None:
        raise Failed(f"ncu: printed no table\n{text[-2000:]}")
    table = csv.DictReader(lines[start:])
    return [(line["Kernel Name"], float(line["gpu__time_duration.sum"].replace(",", "")) * 1e-9)
            for line in table if line["ID"]]  # the line with the units has no ID


def mean_step(text):
    """The mean of the steps from FIRST on; a step begins when it gathers its rows."""
    launches = launches_of(text)
    gathers = [number for number, (kernel, _) in enumerate(launches) if "gather" in kernel.lower()]
    # A step gathers inputs, and then labels or targets: both are one beginning.
    starts = [number for number, before in zip(gathers, [-NEAR - 1, *gathers]) if number - before > NEAR]
    if len(starts) < STEPS:
        raise Failed(f"ncu: {len(starts)} steps among {len(launches)} launches; expected at least {STEPS}")
    steps = STEPS - FIRST
    inside = launches[starts[FIRST - 1]:starts[STEPS - 1]]
    by_kernel = collections.Counter()
    for kernel, seconds in inside:
        by_kernel[kernel] += seconds
    total = sum(by_kernel.values())
    ours = [(kernel, seconds) for kernel, seconds in by_kernel.most_common() if OURS.search(kernel)]
    longest = ", ".join(f"{short(kernel)} {seconds / total:.1%}" for kernel, seconds in ours[:4])
    return Step(len(inside) / steps, total / steps, (total - sum(seconds for _, seconds in ours)) / steps, longest)


def short(kernel):
    """The name of the item if the kernel runs elementwise items, else the name of the kernel."""
    item = re.search(r"\b(\w+Item)\b", kernel)
    name = re.search(r"\b(\w+_kernel)\b", kernel)
    return (item or name or [kernel[:40]] * 2)[1]
