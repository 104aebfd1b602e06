#!/usr/bin/env python3
"""Runs ./launch/scaling over hosts that are namespaces, connected by a bridge. Needs root.

    scaling_over_hosts.py train --hosts 4 --rate 1gbit --np 1,2,4 --out scaling-1gbit -- --hidden 512

--hosts N (4): the number of hosts, with one slot each. --rate: of each link (unlimited). All other arguments are those
of launch/scaling.
"""
import argparse
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "cli"))
from hosts import Hosts  # noqa: E402
from program import run_test  # noqa: E402


def main():
    words = sys.argv[1:]
    end = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(usage=__doc__, allow_abbrev=False)
    parser.add_argument("--hosts", type=int, default=4)
    parser.add_argument("--rate", help="of each link in each direction, such as 1gbit")
    options, others = parser.parse_known_args(words[:end])
    with Hosts(options.hosts) as hosts:
        if options.rate:
            hosts.limit_rate(options.rate)
        command = [TESTS.parent / "launch/scaling", *others, "--hostfile", hosts.folder / "hostfile", *words[end:]]
        with hosts.start(*command, cwd=pathlib.Path.cwd(), output=None) as job:
            sys.exit(job.wait())


run_test(main)
