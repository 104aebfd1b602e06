#!/usr/bin/env python3
"""Fails if a kernel spills registers or keeps an array in local memory. Names the kernel, architecture and bytes.

usage: ptxas_test.py NVCC REPOSITORY KERNEL.cu ... [--hopper KERNEL.cu ...] [-- FLAG ...]
Kernels after --hopper are compiled for sm_90a only.
First it checks itself: it must find one planted kernel of each kind. Without nvcc the exit code is 77 (skipped).
"""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ARCHITECTURES = ("sm_80", "sm_90")
HOPPER = "sm_90a"
SKIPPED = 77
FUNCTION = re.compile(r"Compiling entry function '(\w+)' for '(\w+)'")
FRAME = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")

PLANTED = """
__global__ void planted_array(int* to) {
  int table[64] = {};
  for (int i = 0; i < 64; ++i) table[to[i] % 64] += i;
  for (int i = 0; i < 64; ++i) to[i] = table[i];
}
__global__ void __launch_bounds__(1024, 2) planted_spill(float* x) {
  float kept[64];
#pragma unroll
  for (int i = 0; i < 64; ++i) kept[i] = x[i * 1024 + threadIdx.x];
  __syncthreads();
#pragma unroll
  for (int i = 0; i < 64; ++i) x[i * 1024 + threadIdx.x] = kept[i] * kept[63 - i];
}
__global__ void clean(float* x) { x[threadIdx.x] += 1; }
"""


def compile_kernels(nvcc, flags, source, arch):
    """{kernel: (frame, stores, loads)} of one file, as ptxas reports it."""
    target = f"-gencode=arch={arch.replace('sm', 'compute')},code={arch}"
    command = [nvcc, "-std=c++20", "-O3", target, *flags, "-cubin", "-Xptxas", "-v", "-o", os.devnull, source]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{source} for {arch}: nvcc failed\n{done.stderr}")
    report = {}
    kernel = None
    for line in done.stderr.splitlines():
        if function := FUNCTION.search(line):
            kernel = function[1]
        elif (frame := FRAME.search(line)) and kernel:
            report[kernel] = tuple(int(n) for n in frame.groups())
            kernel = None
    if not report:
        sys.exit(f"{source} for {arch}: ptxas reports no kernel\n{done.stderr}")
    return report


def offences(report, source, arch):
    return [f"{kernel} ({source}) for {arch}: {frame} bytes stack frame, {stores} bytes spill stores, "
            f"{loads} bytes spill loads"
            for kernel, (frame, stores, loads) in report.items() if frame or stores or loads]


def check_the_check(nvcc):
    """On every architecture, offences() must report both planted kernels and not the clean one."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "planted.cu"
        source.write_text(PLANTED)
        for arch in ARCHITECTURES:
            found = offences(compile_kernels(nvcc, [], str(source), arch), source.name, arch)
            named = [next((name for name in ("planted_array", "planted_spill", "clean") if name in line), line)
                     for line in found]
            if sorted(named) != ["planted_array", "planted_spill"]:
                sys.exit(f"ptxas_test.py is broken: expected two planted kernels for {arch}, found {found}")


def main():
    arguments = sys.argv[1:]
    split = arguments.index("--") if "--" in arguments else len(arguments)
    nvcc, root, *sources = arguments[:split]
    hopper = sources.index("--hopper") if "--hopper" in sources else len(sources)
    sources, hopper_sources = sources[:hopper], sources[hopper + 1:]
    flags = [f"-I{root}", *arguments[split + 1:]]
    if not shutil.which(nvcc):
        print(f"skipped: no nvcc at {nvcc}")
        sys.exit(SKIPPED)
    if not sources:
        sys.exit("no kernels given; expected at least one KERNEL.cu")
    check_the_check(nvcc)
    jobs = [(source, arch) for source in sources for arch in ARCHITECTURES]
    jobs += [(source, HOPPER) for source in hopper_sources]
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        reports = list(pool.map(lambda job: compile_kernels(nvcc, flags, *job), jobs))
    found = [line for report, job in zip(reports, jobs) for line in offences(report, *job)]
    print("\n".join(found))
    kernels = sum(map(len, reports))
    print(f"{kernels} kernels of {len(sources)} files for {', '.join(ARCHITECTURES)}, and of "
          f"{len(hopper_sources)} for {HOPPER}: {len(found)} offences")
    sys.exit(1 if found else 0)


main()
