#!/usr/bin/env python3
"""Runs clang-tidy over the product's sources, and fails on any warning.

usage: tidy.py CLANG_TIDY BUILD [--latest N]
BUILD has a compile_commands.json. With --latest, only the N sources that changed last are checked; a source has changed
if its file, or a header that it includes, has changed.
First it checks itself: it must find a wrong name.
"""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("kernels", "distributed", "src")


def sources_of(build):
    """The product's C++ sources that the build compiles, each once; without those that include GCC's omp.h, which clang
    cannot read."""
    with open(build / "compile_commands.json", encoding="utf-8") as file:
        files = {pathlib.Path(entry["file"]).resolve() for entry in json.load(file)}
    ours = [f for f in files if f.suffix == ".cpp" and f.is_relative_to(ROOT)
            and f.relative_to(ROOT).parts[0] in FOLDERS]
    return sorted(f for f in ours if "#include <omp.h>" not in f.read_text(encoding="utf-8"))


def git_names(*command):
    """[] outside of a git repository."""
    done = subprocess.run(["git", "-C", ROOT, *command, "--name-only", "--", *FOLDERS], capture_output=True, text=True)
    return done.stdout.split()


def latest_first(sources):
    """The sources in the order of their latest change, uncommitted changes first."""
    texts = {source: source.read_text(encoding="utf-8") for source in sources}
    order = {}
    for name in dict.fromkeys(git_names("diff", "HEAD") + git_names("log", "--format=")):
        include = f'#include "{name}"'
        for source in sources:
            if source == ROOT / name or include in texts[source]:
                order.setdefault(source)
    return [*order, *(source for source in sources if source not in order)]


def tidy(program, *arguments):
    # clang does not know all pragmas and attributes of GCC.
    unknown = ["--extra-arg=-Wno-unknown-pragmas", "--extra-arg=-Wno-unknown-attributes"]
    return subprocess.run([program, "--quiet", "--warnings-as-errors=*", *unknown, *arguments],
                          capture_output=True, text=True)


def check_the_check(program):
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder) / "wrong.cpp"
        source.write_text("int WrongName() { return 1; }\n", encoding="utf-8")
        found = tidy(program, f"--config-file={ROOT / '.clang-tidy'}", source, "--", "-std=c++20")
    if found.returncode == 0 or "WrongName" not in found.stdout:
        sys.exit(f"tidy.py is broken: a wrong name was not found: {found.stdout}{found.stderr}")


def main():
    program, build = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    check_the_check(program)
    sources = sources_of(build)
    if "--latest" in sys.argv:
        sources = latest_first(sources)[:int(sys.argv[sys.argv.index("--latest") + 1])]
    if not sources:
        sys.exit(f"{build}: compile_commands.json has no sources of {', '.join(FOLDERS)}")
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for source, result in zip(sources, pool.map(lambda s: tidy(program, "-p", build, s), sources)):
            if result.returncode:
                bad += 1
                print(f"{source.relative_to(ROOT)}:\n{result.stdout}{result.stderr}", flush=True)
    print(f"clang-tidy: {len(sources)} sources, {bad} of them with warnings")
    sys.exit(1 if bad else 0)


main()
