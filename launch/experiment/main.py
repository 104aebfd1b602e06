"""./launch/scaling: measures, reports, compares. The bash script of that name calls this one.

usage: main.py train|matmul [OPTION]... [-- OPTION-OF-THE-PROGRAM...], or main.py report FILE... --out DIR
Exit codes: 0 done; 1 a run failed, the efficiency is below --fail-below, or --compare found something slower; 2 bad
input; 130 ended by Ctrl-C (143: by SIGTERM), with a report of the finished runs.
"""
import json
import os
import pathlib
import signal
import sys

import comparison
import launcher
import options
import report
import results
import speedup
import workload
from measure import Measurement, say
from options import InputError


class Ended(BaseException):
    """A signal asks the script to end."""

    def __init__(self, number):
        super().__init__()
        self.exit_code = 128 + number


def end(number, _):
    raise Ended(number)


def measured(experiment):
    """(all records, exit code) of the experiment."""
    measurement = Measurement(experiment, workload.make(experiment.program, experiment.arguments, experiment.sizes),
                              launcher.make(experiment, os.environ))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    try:
        measurement.run_all()
        code = 1 if measurement.failed else 0
    except Ended as ended:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # the report takes some seconds
        say("interrupted; the same command continues the experiment")
        code = ended.exit_code
    return measurement.records, code


def write_report(records, out):
    if any(record["exit_code"] == 0 for record in records):
        report.make(records, out)
        print((out / "table.md").read_text(encoding="utf-8"))
        print(f"report: {out / 'report.html'}")


def judge(records, least):
    """(lines, True if a point has an efficiency below `least`, that of --fail-below; None: no such option).
    Oversubscribed points do not count."""
    lines, slow = [], 0
    if least is None:
        return lines, False
    for point in speedup.fastest_points(records):
        where = f"{point.mode}, np {point.np}, mesh {point.mesh}: efficiency {point.efficiency:.2f}"
        if point.oversubscribed:
            lines.append(f"{where}: oversubscribed, so --fail-below does not count it")
        elif point.efficiency < least:
            lines.append(f"{where} is below --fail-below {least:g}")
            slow += 1
    return lines, slow > 0


def tell(lines):
    for line in lines:
        print(line)


def older_records(experiment):
    """The records of --compare, if they are comparable with this experiment."""
    records = results.read(experiment.compare)
    own = {"program": experiment.program, "experiment": {"options": experiment.arguments}}
    same = [r for r in records if r["program"] == experiment.program and r["exit_code"] == 0]
    results.require_same_options([*same, own], f"--compare {experiment.compare}")
    if not any(r["mode"] in experiment.modes and r["np"] in experiment.sizes for r in same):
        raise InputError(f"--compare {experiment.compare}: has no run of {experiment.program} with an np and a mode of "
                         "this experiment")
    return records


def run_experiment(words):
    experiment = options.parse(words)
    older = older_records(experiment) if experiment.compare else []
    records, code = measured(experiment)
    write_report(records, experiment.out)
    lines, slower = comparison.compare(older, records) if experiment.compare else ([], False)
    judged, below = judge(records, experiment.fail_below)
    tell([*lines, *judged])
    return code or (1 if slower or below else 0)


def merge(words):
    """report FILE... --out DIR: one report of several results.jsonl, such as those of an array of jobs."""
    parser = options.Parser(prog="launch/scaling report", allow_abbrev=False,
                            description="Merges results of the same options, and writes one report.")
    parser.add_argument("files", nargs="+", help="results.jsonl of experiments")
    parser.add_argument("--out", required=True, help="the folder of the report")
    parser.add_argument("--fail-below", help="exit code 1 if the efficiency at any np is below this, such as 0.8")
    parsed = parser.parse_args(words)
    least = options.optional(options.efficiency, "--fail-below", parsed.fail_below)
    records = [record for name in parsed.files for record in results.read(pathlib.Path(name))]
    results.require_same_options(records, "report")
    records = results.merged(records)  # the same file may be given twice
    if not any(record["exit_code"] == 0 for record in records):
        raise InputError(f"{' '.join(parsed.files)}: no run succeeded; expected at least one")
    out = options.writable(parsed.out)
    report.write(out / "results.jsonl", "".join(json.dumps(record) + "\n" for record in records).encode())
    write_report(records, out)
    lines, below = judge(records, least)
    tell(lines)
    return 1 if below else 0


def main(words):
    try:
        return merge(words[1:]) if words[:1] == ["report"] else run_experiment(words)
    except InputError as error:
        say(f"launch/scaling: {error}")
        return 2


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # tables have characters that some locales lack
    sys.exit(main(sys.argv[1:]))
