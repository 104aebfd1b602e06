#!/usr/bin/env python3
"""Installs the build. Then builds and runs two projects outside the tree that use it by find_package(recombine).

usage: package_test.py BUILD SOURCE
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from library_paths import check_paths, check_planted
from program import Checks, run

FLAGS_OF_THE_PROJECT = ("-Werror", "-Wall", "-Wshadow", "-fsanitize")
TOLERANCE = 1e-6  # of sums over squares of f32, whose order depends on np
LOSS_TOLERANCE = 1e-4  # of losses in f32 after 200 steps; 5e-8 was measured
MESHES = ("1x1x1", "2x1x1", "1x2x1", "1x1x2")


def command(*words):
    finished = subprocess.run([*map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if finished.returncode != 0:
        sys.exit(f"{' '.join(map(str, words))}: exit code {finished.returncode}\n{finished.stdout}")


PUBLIC_FOLDERS = ("kernels", "distributed", *(f"distributed/{name}" for name in ("host", "io", "matmul", "observe")),
                  "src/nn", "src/nn/checkpoint")
ONLY_OF_PROGRAMS = re.compile("boost|zlib|lzma|zstd|nlohmann", re.IGNORECASE)


def headers_of(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def check_files(checks, prefix, source):
    public = {str(path.relative_to(source)) for folder in PUBLIC_FOLDERS
              for path in (source / folder).glob("*.hpp")}
    installed = headers_of(prefix / "include" / "recombine")
    checks.expect(installed == public, f"headers: {sorted(installed ^ public)} differ")
    checks.expect(os.access(prefix / "bin" / "train", os.X_OK), "bin/train is not there")
    for path in prefix.rglob("*.cmake"):
        text = path.read_text()
        checks.expect(str(source) not in text, f"{path.name} points into the source tree")
        checks.expect(not ONLY_OF_PROGRAMS.search(text), f"{path.name} asks for a library that only the programs need")


def build(checks, name, source, folder):
    """Builds a copy of the project tests/package/NAME outside the tree, and returns its program."""
    project, built = folder / name, folder / f"{name}_built"
    shutil.copytree(source / "tests" / "package" / name, project)
    command("cmake", "-G", "Ninja", "-S", project, "-B", built, f"-DCMAKE_PREFIX_PATH={folder / 'prefix'}",
            "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    command("cmake", "--build", built)
    compiled = json.loads((built / "compile_commands.json").read_text())[0]["command"]
    for flag in (*FLAGS_OF_THE_PROJECT, str(source)):
        checks.expect(flag not in compiled, f"{name}: the package passes on {flag}: {compiled}")
    return built / name


def checksum(checks, example, np, mesh):
    job = run(example, np, cwd=example.parent, timeout=60)
    words = job.stdout.split()
    if not checks.expect(job.returncode == 0 and words[:3] == ["mesh", mesh, "checksum"],
                         f"np {np}: exit code {job.returncode}, {job.stdout}{job.stderr}"):
        return float("nan")
    return float(words[3])


def losses(checks, program, mesh):
    """The loss of each epoch, then the loss of the trained network."""
    np = 1 if mesh == "1x1x1" else 2
    job = run(program, np, *([] if np == 1 else [mesh]), cwd=program.parent, timeout=60)
    lines = job.stdout.splitlines()
    last = re.fullmatch(rf"mesh {mesh} loss (\S+) accuracy (\S+)", lines[-1] if lines else "")
    if not checks.expect(job.returncode == 0 and last, f"{mesh}: exit code {job.returncode}, {job.stdout}{job.stderr}"):
        return []
    checks.expect(float(last[2]) >= 0.99, f"{mesh}: accuracy {last[2]}; expected at least 0.99")
    return [*(float(loss) for loss in re.findall(r"^epoch \d+ loss (\S+)$", job.stdout, re.MULTILINE)), float(last[1])]


def check_training(checks, program):
    alone, *others = (losses(checks, program, mesh) for mesh in MESHES)
    # A network that gives both classes the same probability has a loss of log 2 = 0.69.
    checks.expect(len(alone) == 11 and alone[0] > 0.4 and alone[-1] < 0.1, f"losses {alone}; expected 11 that fall")
    for mesh, other in zip(MESHES[1:], others):
        agree = len(other) == len(alone) and all(abs(a - b) <= LOSS_TOLERANCE * a for a, b in zip(alone, other))
        checks.expect(agree, f"mesh {mesh} has the losses {other}; expected {alone}, as on one rank")


def check_plot(checks, prefix, folder):
    """The installed `train` finds the script that draws its plots."""
    job = run(prefix / "bin" / "train", 2, "--data", "synthetic:100,3,2", "--epochs", 3, "--compare-batching", "--plot",
              "plot.svg", cwd=folder)
    if "expected Python 3 with matplotlib" in job.stderr:  # ./launch/test installs it
        checks.expect(job.returncode == 2, f"--plot without matplotlib: exit code {job.returncode}")
        return
    checks.expect(job.returncode == 0 and b"<svg" in (folder / "plot.svg").read_bytes(),
                  f"the installed train does not plot: exit code {job.returncode}, {job.stderr}")


def main():
    build_folder, source = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prefix = folder / "prefix"
        command("cmake", "--install", build_folder, "--prefix", prefix)
        check_files(checks, prefix, source)
        installed = check_paths(checks, prefix)
        checks.expect(len(installed) >= 2, f"installed are {installed}, expected two programs")
        for program in installed:
            check_planted(checks, program)
        check_plot(checks, prefix, folder)
        example = build(checks, "example", source, folder)
        alone = checksum(checks, example, 1, "1x1x1")
        together = checksum(checks, example, 2, "1x1x2")
        check_training(checks, build(checks, "nn_example", source, folder))
    # A uniform in [-1, 1) has variance 1/3: the mean of C_ij^2 is k / 9, that of the weights 1 + i + 2 j is 350.
    expected = 301 * 200 * 350 * 1001 / 9
    checks.expect(abs(alone / expected - 1) < 0.05, f"checksum {alone}, about {expected} was to be expected")
    checks.expect(abs(alone - together) <= TOLERANCE * abs(alone), f"np 1 gives {alone!r}, np 2 {together!r}")
    checks.finish()


main()
