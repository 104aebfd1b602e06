"""Every command on every page (*.md) runs as written, or has a mark that says what it needs.

usage: commands_test.py BUILD REPOSITORY emulation|no-emulation     BUILD has the programs; with `emulation` it also has
       that of CUDA, and the commands that need nvcc are run
       commands_test.py BUILD REPOSITORY emulation|no-emulation PAGE...     only these pages

blocks.py has the rules for code blocks and marks, stand_ins.py says what the commands do less than for a user. Commands
run in a folder of links that looks like the checkout. A command that was already run in the same folder is not run
again. The test fails if a command fails, if it prints something else than a console block shows, if a block breaks the
rules, if the number of marked commands is not that of MARKED, or if a marked command or a sentence names an option that
no program has.
"""
import collections
import pathlib
import sys
import tempfile
import time

import blocks
import options
import outputs
from shell import Copy, Shell

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from program import Checks, run_test

# Marked commands of all pages. A new mark is a decision: can the command be one that every machine runs?
MARKED = {"needs a GPU": 10, "needs a cluster": 1, "needs Slurm": 9, "needs nvcc": 5, "needs several hosts": 8,
          "needs the network": 2, "runs tests": 7}
LAST_LINES = 20  # of the output of a command that fails


def pages_of(root):
    """The names of all pages, those of the root first."""
    paths = [path for path in root.rglob("*.md")
             if not any(part.startswith((".", "build")) for part in path.relative_to(root).parts[:-1])]
    return [str(path.relative_to(root)) for path in sorted(paths, key=lambda path: (len(path.parts) > 1, path))]


class Runner:
    """Runs the commands of pages, one page after the other; `counts` says how many."""

    def __init__(self, copy, scratch, left_out):
        self.copy, self.scratch, self.left_out = copy, scratch, left_out
        self.counts, self.done = collections.Counter(), set()

    def run(self, checks, commands):
        page = shell = None
        for command in commands:
            if command.page != page:
                page, shell = command.page, Shell(self.copy, self.scratch)
            if command.mark in self.left_out:
                self.counts["marked"] += 1
            elif command.output is None and (shell.state(), command.text.split(" #")[0].rstrip()) in self.done:
                self.counts["the same as before"] += 1
            else:
                self.run_one(checks, shell, command)

    def run_one(self, checks, shell, command):
        before, begin = shell.state(), time.monotonic()
        code, output = shell.run(command.text)
        seconds = time.monotonic() - begin
        print(f"{seconds:5.1f} s  {command.page}:{command.line}: {command.text}", flush=True)
        last = "\n    ".join(output.splitlines()[-LAST_LINES:])
        checks.expect(code == 0, f"{command.page}:{command.line}: exit code {code} of\n  {command.text}\n    {last}")
        self.counts["run"] += 1
        if command.output is not None:
            wrong = outputs.difference(output, command.output)
            checks.expect(code != 0 or not wrong, f"{command.page}:{command.line}: output of\n  {command.text}\n"
                          f"    {wrong}")
            self.counts["compared with the output on the page"] += 1
        if shell.state() == before:
            self.done.add((before, command.text.split(" #")[0].rstrip()))


def main():
    build, root = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    left_out = set(blocks.MARKS) - ({"needs nvcc"} if sys.argv[3] == "emulation" else set())
    pages, checks, commands, known = sys.argv[4:] or pages_of(root), Checks(), [], options.known_options(root, build)
    for page in pages:
        text = (root / page).read_text(encoding="utf-8")
        found, problems = blocks.read_page(page, text)
        problems += options.unknown_options(page, text, found, known)
        checks.expect(not problems, "\n".join(problems))
        commands += found
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        runner = Runner(Copy(scratch, root, build), scratch, left_out)
        runner.run(checks, commands)
    marks = collections.Counter(command.mark for command in commands if command.mark)
    if not sys.argv[4:]:
        checks.expect(dict(marks) == MARKED, f"marked commands: {dict(marks)}; expected {MARKED} (MARKED in this test)")
    print(f"{len(commands)} commands of {len(pages)} pages: "
          + ", ".join(f"{count} {what}" for what, count in runner.counts.items()))
    for mark, count in sorted(marks.items()):
        print(f"{count:3}  {mark}{'' if mark in left_out else ' (run)'}")
    checks.finish()


run_test(main)
