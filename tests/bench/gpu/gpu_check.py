#!/usr/bin/env python3
"""Runs the parts of tests/gpu_check.sh, writes each row to a file as soon as it is known, and prints one table at the
end, also if it is ended early. Call tests/gpu_check.sh instead of this file.

Times come from the host's clock around many calls and a synchronize(). Calls are not timed one by one on the GPU.
"""
import argparse
import datetime
import pathlib
import signal
import sys

import results
from machine import Failed, Machine, WholeRun
from parts import GROUPS, SECONDS, Check


class OneLineParser(argparse.ArgumentParser):
    def error(self, message):
        print(f"gpu_check: {message}", file=sys.stderr)
        sys.exit(2)


def parts_of(parser, text):
    parts = []
    for word in text.split(","):
        if word not in SECONDS and word not in GROUPS:
            parser.error(f"--parts '{word}': expected one of {', '.join([*GROUPS, *SECONDS])}")
        parts += [part for part in GROUPS.get(word, (word,)) if part not in parts]
    return parts


def positive(text):
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"'{text}': expected a number of seconds above 0 and below 1000000")
    return value


def earlier(parser, path):
    """The lines of an earlier run."""
    try:
        lines = results.read(path)
    except (OSError, UnicodeDecodeError) as error:
        parser.error(f"--table {path}: {getattr(error, 'strerror', None) or error}; expected a file of --json")
    if not any(line["kind"] == "run" for line in lines):
        parser.error(f"--table {path}: has no line of a run; expected a file of --json")
    return lines


def parse():
    parser = OneLineParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("gpu_check.jsonl"))
    parser.add_argument("--table", type=pathlib.Path)
    parser.add_argument("--parts", default=",".join(SECONDS))
    parser.add_argument("--seconds", type=positive)
    parser.add_argument("--part-seconds", type=positive)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--emulated", action="store_true")
    options = parser.parse_args()
    if options.table:
        options.lines = earlier(parser, options.table)
        return options
    options.parts = parts_of(parser, options.parts)
    if not options.build or not (options.build / "gpu_bench").exists():
        parser.error(f"--build {options.build}: has no gpu_bench; expected a whole build with RECOMBINE_CUDA=ON")
    try:  # fail now, not after an hour of measurements
        options.json.touch()
    except OSError as error:
        parser.error(f"--json {options.json}: cannot write there: {error.strerror}; expected a path in a writable "
                     "folder")
    options.quick = options.quick or options.emulated
    return options


def main():
    options = parse()
    if options.table:
        results.print_report(options.lines)
        return 0
    whole = WholeRun(options.seconds)
    machine = Machine(options.build, options.emulated)
    found = results.Results(options.json, {
        "device": machine.device, "gpus": machine.gpus, "emulated": options.emulated, "quick": options.quick,
        "parts": options.parts, "started": datetime.datetime.now().isoformat(timespec="seconds")})
    stopped = []

    def stop(number, _):
        stopped.append(number)
        whole.stop()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    Check(machine, found, options.quick).run(options.parts, options.part_seconds, whole)
    results.print_report(found.lines)
    print(f"written: {options.json}")
    sys.stdout.flush()
    if stopped:
        return 128 + stopped[0]
    return 1 if found.count("failure") else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"gpu_check: {failure}")
