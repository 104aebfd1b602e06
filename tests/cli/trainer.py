"""Runs `train` as a user does, and compares curves of the loss."""
import json
import pathlib

from program import run

CURVE_TOLERANCE = 1e-4  # relative to the loss


class Trainer:
    """Runs `train` in one folder."""

    def __init__(self, program, folder, checks):
        self.program, self.folder, self.checks = program, pathlib.Path(folder), checks

    def run(self, np, *arguments):
        done = run(self.program, np, *arguments, cwd=self.folder)
        shown = " ".join(map(str, arguments))
        if not self.checks.expect(done.returncode == 0, f"np {np}: {shown}: exit {done.returncode}: {done.stderr}"):
            self.checks.finish()
        return done

    def summary(self, np, *arguments):
        self.run(np, *arguments, "--quiet", "--summary", "s.json")
        return json.loads((self.folder / "s.json").read_text())

    def losses(self, np, *arguments):
        """The loss of each step."""
        self.run(np, *arguments, "--quiet", "--metrics", "m.jsonl")
        lines = [json.loads(line) for line in (self.folder / "m.jsonl").read_text().splitlines()]
        return [line["train_loss"] for line in lines if "step" in line]


def same_curve(checks, what, expected, found, tolerance=CURVE_TOLERANCE):
    checks.expect(len(expected) == len(found) > 0, f"{what}: {len(found)} steps, not {len(expected)}")
    for step, (a, b) in enumerate(zip(expected, found), 1):
        if not checks.expect(abs(a - b) <= tolerance * abs(a), f"{what}: step {step}: loss {b}, not {a}"):
            return
