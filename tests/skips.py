#!/usr/bin/env python3
"""Reads the JUnit file of a ctest run and fails on a test that was skipped but may not be.

usage: skips.py JUNIT.xml ALLOWED.txt [--expect-passed PATTERN]
ALLOWED.txt has one test name per line. With --expect-passed, at least one test must have passed that matches PATTERN.
"""
import re
import sys
import xml.etree.ElementTree as xml


def main():
    junit, allowed = sys.argv[1:3]
    cases = xml.parse(junit).getroot().findall("testcase")
    if not cases:
        sys.exit(f"{junit}: no test ran")
    with open(allowed, encoding="utf-8") as file:
        names = {line.strip() for line in file}
    skipped = sorted(case.get("name") for case in cases if case.find("skipped") is not None)
    refused = [name for name in skipped if name not in names]
    if refused:
        sys.exit(f"skipped, and not in {allowed}: {' '.join(refused)}")
    if "--expect-passed" in sys.argv:
        pattern = re.compile(sys.argv[sys.argv.index("--expect-passed") + 1])
        if not any(case.get("status") == "run" and pattern.search(case.get("name")) for case in cases):
            sys.exit(f"{junit}: no test passed whose name matches {pattern.pattern}")
    print(f"{len(cases)} tests, {len(skipped)} of them skipped, as {allowed} allows")


main()
