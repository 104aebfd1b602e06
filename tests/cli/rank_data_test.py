"""If hosts have different files under the same name, the program ends at the start with one line that names the option,
the hosts and the contents. Equal files are accepted.

usage: rank_data_test.py TRAIN MATMUL
The hosts are namespaces of this machine; if they cannot be made, the test is skipped.
"""
import pathlib
import random
import struct
import sys
import tempfile

import machine
import npy
from hosts import Hosts
from program import Checks, run_test

LARGE = 65 << 20  # bytes: too many for a full comparison


class Pair:
    """Two hosts with a rank each. On h1 the folder `work` shows the files of `other`."""

    def __init__(self, hosts, checks, root):
        self.hosts, self.checks = hosts, checks
        self.work, self.other = root / "work", root / "other"
        for folder in (self.work, self.other):
            folder.mkdir()
        hosts.run_on("h1", "mount", "--bind", self.other, self.work)

    def run(self, program, *arguments):
        return self.hosts.run("mpirun", "-np", "2", "-wdir", self.work, program, "--quiet", *map(str, arguments),
                              cwd="/")

    def accepts(self, program, *arguments):
        done = self.run(program, *arguments)
        self.checks.expect(done.returncode == 0, f"{arguments}: exit code {done.returncode}: {done.stderr}")
        for new in self.work.glob("new.*"):
            new.unlink()

    def refuses(self, fragments, program, *arguments):
        done = self.run(program, *arguments)
        lines = [line for line in done.stderr.splitlines() if line.startswith(program.name)]  # not mpirun's own lines
        good = done.returncode == 2 and len(lines) == 1 and all(fragment in lines[0] for fragment in fragments)
        self.checks.expect(good, f"{arguments}: exit code {done.returncode}, not one line with {fragments}: {lines}")
        self.checks.expect(not list(self.work.glob("new.*")), f"{arguments}: something was written")


def check_data(pair, train):
    table = ["a,b,y\n", *(f"{7 * i % 50},{i * i % 7},{i % 3}\n" for i in range(50))]
    changed = table[:40] + ["30,2,9\n"] + table[41:]
    for folder in (pair.work, pair.other):
        (folder / "same.csv").write_text("".join(table))
    (pair.work / "data.csv").write_text("".join(table))
    (pair.other / "data.csv").write_text("".join(changed))
    (pair.work / "long.csv").write_text("".join(table))
    (pair.other / "long.csv").write_text("".join(table + table[1:2]))
    (pair.work / "alone.csv").write_text("".join(table))
    options = ["--target", "y", "--loss", "mse", "--hidden", "4", "--epochs", "1", "--save", "new.safetensors"]
    both = ["rank 1 on h1 has ", "rank 0 on h0 has "]
    pair.refuses(["--data: training rows: ", *both, "sha256"], train, "--data", "data.csv", *options)
    pair.refuses(["--data: training rows: ", *both, "[51,2]", "[50,2]"], train, "--data", "long.csv", *options)
    pair.refuses(["--validation: rows: ", *both], train, "--data", "same.csv", "--validation", "data.csv", *options)
    pair.refuses(["rank 1 on h1: ", "alone.csv"], train, "--data", "alone.csv", *options)
    pair.refuses(["--data -: the job runs on several hosts"], train, "--data", "-", *options)
    pair.accepts(train, "--data", "same.csv", *options)


def check_operands(pair, matmul):
    draw = random.Random(1)
    rows = [[draw.random() for _ in range(30)] for _ in range(30)]
    for folder in (pair.work, pair.other):
        npy.write(folder / "a.npy", rows)
        machine.write(folder / "m.json", 2)
    npy.write(pair.work / "b.npy", rows)
    npy.write(pair.other / "b.npy", rows[:-1] + [rows[0]])
    both = ["rank 1 on h1 has ", "rank 0 on h0 has ", "sha256"]
    files = ["--a", "a.npy", "--machine", "m.json", "--verify"]
    pair.accepts(matmul, "--b", "a.npy", *files)
    files += ["--out", "new.npy"]
    pair.refuses(["--b b.npy: ", *both], matmul, "--b", "b.npy", *files)
    pair.refuses(["--c b.npy: ", *both], matmul, "--b", "a.npy", "--c", "b.npy", "--beta", 1, *files)
    (pair.other / "m.json").write_text((pair.work / "m.json").read_text().replace("0.001", "0.002"))
    pair.refuses(["--machine m.json: ", *both], matmul, "--b", "a.npy", *files)


def check_large_file(pair, matmul):
    """Only samples of a large file are compared, one of them at its end; with --verify, all bytes."""
    cols = 1024
    rows = LARGE // 4 // cols
    for folder in (pair.work, pair.other):
        npy.write(folder / "x.npy", [[0.0]] * cols)
        machine.write(folder / "m.json", 2)
        with open(folder / "large.npy", "wb") as file:
            file.write(npy.header("<f4", (rows, cols), False))
            file.truncate(file.tell() + 4 * rows * cols)
    files = ["--a", "large.npy", "--b", "x.npy", "--machine", "m.json"]
    pair.accepts(matmul, *files)
    begin = len(npy.header("<f4", (rows, cols), False))
    step = (begin + 4 * rows * cols) // 1024  # bytes from one sample of 64 KiB to the next
    for at, arguments in [(begin + 4 * rows * cols - 4, files), (step * 500 + (1 << 16) + 8, [*files, "--verify"])]:
        with open(pair.other / "large.npy", "r+b") as file:
            file.seek(at)
            file.write(struct.pack("<f", 1))
        pair.refuses(["--a large.npy: ", "rank 1 on h1 has "], matmul, *arguments)
        with open(pair.other / "large.npy", "r+b") as file:
            file.seek(at)
            file.write(bytes(4))


def main():
    train, matmul = [pathlib.Path(path).resolve() for path in sys.argv[1:3]]
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder, Hosts(2) as hosts:
        pair = Pair(hosts, checks, pathlib.Path(folder))
        check_data(pair, train)
        check_operands(pair, matmul)
        check_large_file(pair, matmul)
    checks.finish()


run_test(main)
