#!/usr/bin/env python3
"""Installs the build, and builds and runs a project elsewhere that finds it with find_package(recombine).

usage: package_test.py BUILD SOURCE
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from library_paths import check_paths, check_planted
from program import Checks, run

FLAGS_OF_THE_PROJECT = ("-Werror", "-Wall", "-Wshadow", "-fsanitize")
TOLERANCE = 1e-6  # of sums over squares of f32, whose order depends on np


def command(*words):
    finished = subprocess.run([*map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if finished.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}: exit code {finished.returncode}\n{finished.stdout}")


PUBLIC_FOLDERS = ("kernels", "distributed", *(f"distributed/{name}" for name in ("host", "io", "matmul", "observe")))


def headers_of(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def check_files(checks, prefix, source):
    public = {str(path.relative_to(source)) for folder in PUBLIC_FOLDERS
              for path in (source / folder).glob("*.hpp")}
    installed = headers_of(prefix / "include" / "recombine")
    checks.expect(installed == public, f"headers: {sorted(installed ^ public)} differ")
    checks.expect(os.access(prefix / "bin" / "train", os.X_OK), "bin/train is not there")
    for path in prefix.rglob("*.cmake"):
        checks.expect(str(source) not in path.read_text(), f"{path.name} points into the source tree")


def checksum(checks, example, np, mesh):
    job = run(example, np, cwd=example.parent, timeout=60)
    words = job.stdout.split()
    if not checks.expect(job.returncode == 0 and words[:3] == ["mesh", mesh, "checksum"],
                         f"np {np}: exit code {job.returncode}, {job.stdout}{job.stderr}"):
        return float("nan")
    return float(words[3])


def main():
    build, source = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        prefix, project, example = (pathlib.Path(folder) / name for name in ("prefix", "project", "built"))
        command("cmake", "--install", build, "--prefix", prefix)
        check_files(checks, prefix, source)
        installed = check_paths(checks, prefix)
        checks.expect(len(installed) >= 2, f"installed are {installed}, expected two programs")
        for program in installed:
            check_planted(checks, program)
        shutil.copytree(source / "tests" / "package" / "example", project)
        command("cmake", "-G", "Ninja", "-S", project, "-B", example, f"-DCMAKE_PREFIX_PATH={prefix}",
                "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
        command("cmake", "--build", example)
        compiled = json.loads((example / "compile_commands.json").read_text())[0]["command"]
        for flag in (*FLAGS_OF_THE_PROJECT, str(source)):
            checks.expect(flag not in compiled, f"the package passes on {flag}: {compiled}")
        alone = checksum(checks, example / "example", 1, "1x1x1")
        together = checksum(checks, example / "example", 2, "1x1x2")
    # A uniform in [-1, 1) has variance 1/3: the mean of C_ij^2 is k / 9, that of the weights 1 + i + 2 j is 350.
    expected = 301 * 200 * 350 * 1001 / 9
    checks.expect(abs(alone / expected - 1) < 0.05, f"checksum {alone}, about {expected} was to be expected")
    checks.expect(abs(alone - together) <= TOLERANCE * abs(alone), f"np 1 gives {alone!r}, np 2 {together!r}")
    checks.finish()


main()
