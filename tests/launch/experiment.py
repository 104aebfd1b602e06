"""For tests of launch/experiment: finds its modules, and makes results of a machine with known times."""
import math
import os
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "cli"), str(TESTS.parent / "launch" / "experiment")]
from program import Skip  # noqa: E402

DEBIAN = "/usr/bin/python3"  # has Debian's packages, even if another Python comes first in PATH
MODULES = ["numpy", "scipy", "matplotlib", "jinja2"]


def need_modules():
    """Restarts the test in Debian's Python if this one lacks a module. Raises Skip if Debian's lacks it, too."""
    try:
        for module in MODULES:
            __import__(module)
    except ImportError as error:
        if os.path.realpath(sys.executable) != os.path.realpath(DEBIAN) and os.path.exists(DEBIAN):
            os.execv(DEBIAN, [DEBIAN, *sys.argv])
        raise Skip(f"{error}; expected python3-numpy, python3-scipy, python3-matplotlib and python3-jinja2") from None


def train_summary(np, seconds, steps=40):
    exposed = 0.05 * np if np > 1 else 0
    sent = round(2 * 4e6 * (np - 1) / np)
    losses = {"calls": 2, "bytes": 300, "bytes_sent": 300, "seconds": 1e-5}
    gradient = {"calls": steps, "bytes": 4000000 * steps, "bytes_sent": sent * steps, "seconds": 0.002 * steps}
    return {"np": np, "steps": steps, "seconds": steps * seconds * 1.1, "device": "CPU, AVX-512",
            "compute_seconds": steps * seconds * (0.95 - exposed), "input_seconds": steps * seconds * 0.05,
            "exposed_communication_seconds": steps * seconds * exposed, "other_seconds": 0.0,
            "evaluation_seconds": steps * seconds * 0.1, "bytes_sent_per_rank": sent * steps + 300,
            "collectives_by_name": {"sum gradient": gradient, "sum losses": losses} if np > 1 else {},
            "hosts": ["node1"], "processor": "CPU, AVX-512", "libraries": {"oneDNN": "2.6.3"}}


def matmul_summary(np, mesh, seconds):
    return {"np": np, "mesh": mesh, "seconds": seconds, "predicted_seconds": seconds * 0.9, "device": "CPU, AVX-512",
            "product_seconds": seconds * 0.8, "exposed_communication_seconds": seconds * 0.15, "io_seconds": 0.0,
            "recombine_busbw_gbs": 3.5 if not mesh.endswith("x1") else None, "bytes_sent_per_rank": 1e6 * (np - 1),
            "hosts": ["node1"], "processor": "CPU, AVX-512", "libraries": {"oneDNN": "2.6.3"}}


def record(program, mode, np, repeat, seconds, mesh=None, cores=8):
    """A run that took `seconds` per step or product."""
    mesh = mesh or f"{np}x1x1"
    growth = np if mode == "weak" else 1
    if program == "train":
        work = {"what": "rows per step", "total": 512 * growth, "size": f"{512 * growth} rows"}
        summary = train_summary(np, seconds)
    else:
        side = round(2048 * growth ** (1 / 3))
        work = {"what": "operations per product", "total": 2 * side**3, "size": f"{side}x{side}x{side}"}
        summary = matmul_summary(np, mesh, seconds)
    work["per_rank"] = work["total"] / np
    return {"program": program, "mode": mode, "np": np, "mesh": mesh, "asked_mesh": mesh, "repeat": repeat,
            "work": work, "seconds_per_unit": seconds, "oversubscribed": np > cores, "threads": 1,
            "started": "2026-11-27T10:00:00Z", "wall_seconds": 3.0, "exit_code": 0,
            "command": ["mpirun", "-np", str(np), program, "--data", "a b.csv"],
            "launcher": "local", "hosts": 1, "cores": cores, "host": "node1", "processor": "CPU, AVX-512",
            "commit": "d6147bb", "versions": {"recombine": "recombine 0.1.0"}, "summary": summary}


def failed(run, output="train: rank 1: out of memory <on node1> & more"):
    return {**run, "exit_code": 1, "summary": None, "seconds_per_unit": None, "output": output}


def ideal_seconds(mode, np):
    """12 ms at np = 1: 0.3 ms serial, 0.1 ms for each doubling of np, the rest parallel."""
    return 0.0003 + 0.0117 * (np if mode == "weak" else 1) / np + 0.0001 * math.log2(np)


def results(random=None, noise=0.0, programs=("train",), modes=("strong",), sizes=(1, 2, 4, 8), repeats=5, factor=1.0):
    """Runs with log-normal noise; `factor` multiplies all times."""
    return [record(program, mode, np, repeat,
                   factor * ideal_seconds(mode, np) * (math.exp(random.normal(0, noise)) if random else 1))
            for repeat in range(1, repeats + 1) for program in programs for mode in modes for np in sizes]
