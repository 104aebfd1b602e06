"""Compares how fast tables of text are read: by read_table_bench, by pandas (C engine) and by pyarrow.

    compare_reading.py --build build [--python PYTHON] [--megabytes 300] [--rounds 3] [--file FILE.csv]

PYTHON has numpy, pandas and pyarrow; without --file it also writes the table: 20 columns of numbers, 3 of whole numbers
and one of texts. All run in turn on the same two cores, in several rounds; the best round of each is printed.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

CORES = sorted(os.sched_getaffinity(0))[:2]

WRITE = """
import sys, numpy, pandas
path, megabytes = sys.argv[1], float(sys.argv[2])
rows = int(megabytes * 1e6 / 202.5)
random = numpy.random.default_rng(0)
table = pandas.DataFrame(random.standard_normal((rows, 20)).round(6), columns=[f"x{i}" for i in range(20)])
table["k"], table["w"] = random.integers(0, 10, rows), random.integers(0, 100000, rows)
table["t"], table["y"] = numpy.array(["red", "green", "blue"])[random.integers(0, 3, rows)], random.integers(0, 2, rows)
table.to_csv(path, index=False)
"""

PEERS = {
    "pandas, C engine": "import pandas; read = lambda path: pandas.read_csv(path, engine='c')",
    "pyarrow": "import pyarrow, pyarrow.csv; pyarrow.set_cpu_count(2); read = pyarrow.csv.read_csv",
}
TIMED = """
import os, sys, time
start, cpu = time.time(), time.process_time()
read(sys.argv[1])
megabytes = os.path.getsize(sys.argv[1]) / 1e6
print(f"both {megabytes / (time.time() - start):.0f} MB/s; both {megabytes / (time.process_time() - cpu):.0f} MB")
"""


def run(*words):
    """The standard output of a command that runs on the two cores."""
    finished = subprocess.run([*map(str, words)], stdout=subprocess.PIPE, text=True, check=True,
                              preexec_fn=lambda: os.sched_setaffinity(0, CORES))
    return finished.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--megabytes", type=float, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
        path = options.file or os.path.join(folder, "table.csv")
        if not options.file:
            run(options.python, "-c", WRITE, path, options.megabytes)
        commands = {"read_table_bench": (os.path.join(options.build, "read_table_bench"), path, 1)}
        for name, code in PEERS.items():
            commands[name] = (options.python, "-c", code + TIMED, path)
        best = {name: [0, 0] for name in commands}
        for _ in range(options.rounds):
            for name, command in commands.items():
                found = [float(speed) for speed in re.findall(r"both (\d+) MB", run(*command))]
                best[name] = [max(pair) for pair in zip(best[name], found)]
        for name, (wall, cpu) in best.items():
            print(f"{name:20} {wall:5.0f} MB/s on {len(CORES)} cores, {cpu:5.0f} MB in a second of one core")


if __name__ == "__main__":
    main()
