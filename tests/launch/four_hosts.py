"""Four hosts with two slots each, which have a program and data; launch/hosts/check and mpirun over their hostfile."""
import contextlib
import json
import shutil

import saved_weights
from program import run

TRAIN = ["--data", "synthetic:2000,16,4", "--hidden", "32", "--epochs", 1, "--quiet"]
TOLERANCE = 1e-6


class FourHosts:
    def __init__(self, hosts, folder, train, repository, checks):
        self.hosts, self.folder, self.checks = hosts, folder, checks
        self.check = repository / "launch/hosts/check"
        self.program, self.data, self.work = folder / "train", folder / "table.csv", folder / "run1"
        shutil.copy2(train, self.program)
        self.data.write_text("x,y\n" + "".join(f"{n},{2 * n}\n" for n in range(1000)))
        self.work.mkdir()
        self.hostfile = folder / "hosts.txt"
        self.hostfile.write_text("# four hosts\n" + "".join(f"{name} slots=2\n" for name in hosts.names))
        self.words = [self.hostfile, "--program", self.program, "--data", self.data, "--checkpoint", self.work]

    def run(self, *words, **settings):
        """Runs the check on the head node."""
        return self.hosts.run(self.check, *words, cwd=self.folder, **settings)

    def expect_fault(self, what, host, texts, *options, **settings):
        """The check finds problems of `host` only, and one of them has all `texts`. All hosts are in the table."""
        done = self.run(*self.words, *options, **settings)
        table, _, rest = done.stdout.partition("\n\n")
        lines = rest.splitlines()[:-1]
        self.checks.expect(done.returncode == 1 and not done.stderr, f"{what}: {done.returncode}: {done.stderr}")
        self.checks.expect(lines and all(line.startswith(f"{host}: ") for line in lines), f"{what}: {lines}")
        self.checks.expect(any(all(text in line for text in texts) for line in lines), f"{what}: {texts}: {lines}")
        self.checks.expect([line.split()[0] for line in table.splitlines()] == ["host", *self.hosts.names], table)
        print(f"{what}:", *lines, sep="\n  ")

    @contextlib.contextmanager
    def mounted(self, host, *words):
        """`mount WORDS` on `host`; the last word is the place."""
        self.hosts.run_on(host, "mount", *words)
        yield
        self.hosts.run_on(host, "umount", words[-1])

    def expect_healthy(self, **settings):
        done = self.run(*self.words, **settings)
        lines = done.stdout.splitlines()
        print(done.stdout)
        if self.checks.expect(done.returncode == 0 and not done.stderr and lines[-1].startswith("problems: none"),
                              f"healthy: {done.returncode}: {done.stdout}{done.stderr}"):
            self.checks.expect(len({tuple(line.split()[1:6]) for line in lines[1:5]}) == 1, "the hosts differ")
        self.checks.expect(not list(self.work.iterdir()), f"the check left files: {list(self.work.iterdir())}")

    def expect_same_training(self, **settings):
        """Four ranks on four hosts compute the weights that four ranks on one host compute."""
        done = run(self.program, 4, *TRAIN, "--save", "one", cwd=self.folder)
        self.checks.expect(done.returncode == 0, f"one host: {done.stderr}")
        done = self.hosts.run("mpirun", "--hostfile", self.hostfile, "--map-by", "node", "-np", 4, self.program, *TRAIN,
                              "--save", "four", "--summary", "s.json", cwd=self.folder, **settings)
        if not self.checks.expect(done.returncode == 0, f"four hosts: {done.stderr}"):
            return
        hosts = json.loads((self.folder / "s.json").read_text())["hosts"]
        self.checks.expect(hosts == self.hosts.names, f"trained on {hosts}")
        one, four = (saved_weights.values(self.folder / name) for name in ["one", "four"])
        largest = max(abs(a - b) for name in one for a, b in zip(one[name], four[name]))
        print(f"weights of four ranks on one host and on four: the largest difference is {largest:.3g}")
        self.checks.expect(one.keys() == four.keys() and largest <= TOLERANCE, f"weights differ by {largest}")
