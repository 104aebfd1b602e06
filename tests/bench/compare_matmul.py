#!/usr/bin/env python3
"""Compares products on several ranks with one rank, with the library called directly, and with ScaLAPACK's pdgemm.

    compare_matmul.py --build build [--rounds 5] [--pdgemm [--np 2 4]]

Each round runs every case once. The tables give medians over rounds with [min-max], and ratios of medians. Figures of
one machine do not carry over to another: read the ratios.

--pdgemm needs the target pdgemm_bench (after apt-get install libscalapack-openmpi-dev and cmake --preset release). Once
per shape it searches the best grid and block of pdgemm, with pdgemm's panel as shipped (pilaenv returns 32) and with
larger panels. The best of each kind then runs in the rounds.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

SQUARE = "4096x4096x4096"
F32_CASES = (  # name, ranks, threads, further arguments
    ("np 1 x 2 threads", 1, 2, []), ("np 1 x 1 thread", 1, 1, []), ("np 2 x 1, planned", 2, 1, []),
    ("np 2 x 1, split-K 1x1x2", 2, 1, ["--mesh", "1x1x2"]),
    ("np 2 x 1, split-K, reduce-scatter", 2, 1, ["--mesh", "1x1x2", "--recombine", "reduce-scatter"]))
F64_SHAPES = ("512x512x32768", "8192x8192x256", "3000x1000x5000", SQUARE)  # tall-skinny, flat, uneven, square
ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "OMPI_MCA_btl_vader_single_copy_mechanism": "none"}


def run_json(program, np, threads, arguments):
    """Runs a program under mpirun, and returns the last line of JSON that it prints."""
    if not program.exists():
        sys.exit(f"{program} is not there: cmake --build {program.parent} --target {program.name}")
    command = ["mpirun", "--bind-to", "none", "-np", str(np), str(program), *map(str, arguments)]
    done = subprocess.run(command, env={**os.environ, **ROOT, "OMP_NUM_THREADS": str(threads)}, text=True,
                          capture_output=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        sys.exit(f"{' '.join(command)}\nexit status {done.returncode}\n{done.stdout}{done.stderr}")
    print(lines[-1][:300], file=sys.stderr, flush=True)
    return json.loads(lines[-1])


def spread(values):
    return f"{statistics.median(values):7.1f} [{min(values):.1f}-{max(values):.1f}]"


def square_f32(options):
    results = {name: [] for name, *_ in F32_CASES}
    for _ in range(options.rounds):
        for name, np, threads, arguments in F32_CASES:
            results[name].append(run_json(options.build / "matmul_bench", np, threads,
                                          ["--shape", SQUARE, "--rounds", 3, *arguments]))
    one = statistics.median(r["gflops"] for r in results[F32_CASES[0][0]])
    print(f"\n{SQUARE} f32, GFLOP/s\n{'':36}{'ours':24}{'of np 1 x 2':14}{'oneDNN directly':24}of oneDNN")
    for name, runs in results.items():
        ours = [r["gflops"] for r in runs]
        row = f"{name:36}{spread(ours):24}{statistics.median(ours) / one:10.1%}    "
        if "direct_gflops" in runs[0]:
            share = statistics.median(r["gflops"] / r["direct_gflops"] for r in runs)
            row += f"{spread([r['direct_gflops'] for r in runs]):24}{share:.1%}"
        print(row.rstrip() + f"   {runs[0]['plan']}", flush=True)


def ratio(ours, peer):
    return f"{statistics.median(ours) / statistics.median(peer):.2f}"


def compare_with_pdgemm(options, np):
    print(f"\nf64, np {np} x 1 thread, GFLOP/s\n{'m x n x k':18}{'ours':22}{'plan':18}"
          f"{'pdgemm as shipped':22}{'ratio':8}{'pdgemm, best panel':22}{'ratio':8}")
    for shape in F64_SHAPES:
        ours, shipped, tuned = [], [], []
        for _ in range(options.rounds):
            run = run_json(options.build / "matmul_bench", np, 1, ["--shape", shape, "--dtype", "f64", "--rounds", 3])
            ours.append(run["gflops"])
            for results, panels in ((shipped, "32"), (tuned, "256,512")):
                results.append(run_json(options.build / "pdgemm_bench", np, 1, ["--shapes", shape, "--panels", panels,
                                                                                "--rounds", 3])["best_gflops"])
        print(f"{shape:18}{spread(ours):22}{run['plan']:18}{spread(shipped):22}{ratio(ours, shipped):8}"
              f"{spread(tuned):22}{ratio(ours, tuned)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path("build"), help="folder of matmul_bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--np", type=int, nargs="+", default=[2, 4], help="numbers of ranks for --pdgemm")
    parser.add_argument("--pdgemm", action="store_true", help="compare f64 with pdgemm, instead of the f32 table")
    options = parser.parse_args()
    options.build = options.build.resolve()
    if options.pdgemm:
        for np in options.np:
            compare_with_pdgemm(options, np)
    else:
        square_f32(options)


if __name__ == "__main__":
    main()
