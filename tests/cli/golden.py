"""Compares the output of programs with the files tests/data/golden/NAME.txt. If the output is meant to change, run the
test by hand with --update: it writes the files anew; then read their differences."""
import difflib
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "data" / "golden"
WIDEST = 80  # columns


def flaws_of(text):
    """What is wrong with the form of a program's text: [] if it fits every terminal and pipe."""
    flaws = [f"line {number} has {len(line)} columns: {line}"
             for number, line in enumerate(text.splitlines(), 1) if len(line) > WIDEST]
    flaws += [f"line {number} has a character that is no ASCII text: {line!r}"
              for number, line in enumerate(text.splitlines(), 1)
              if not (line.isascii() and line.isprintable())]
    flaws += [f"line {number} ends with a space: {line!r}"
              for number, line in enumerate(text.splitlines(), 1) if line.endswith(" ")]
    return flaws + ([] if text.endswith("\n") else ["the last line has no end"])


class Golden:
    """The files whose names begin with `prefix`, in one test."""

    def __init__(self, checks, prefix, update=False):
        self.checks, self.prefix, self.update = checks, prefix, update
        self.compared = set()

    def compare(self, name, text):
        """Expects the text of the file PREFIX_NAME.txt, in good form."""
        for flaw in flaws_of(text):
            self.checks.expect(False, f"{name}: {flaw}")
        path = FOLDER / f"{self.prefix}_{name}.txt"
        self.compared.add(path)
        if self.update:
            FOLDER.mkdir(exist_ok=True)
            path.write_text(text)
            print(f"wrote {path}")
        expected = path.read_text() if path.exists() else ""
        lines = difflib.unified_diff(expected.splitlines(), text.splitlines(), str(path), "output", lineterm="", n=2)
        self.checks.expect(text == expected, "\n".join([f"{name}: the output differs from its golden file:", *lines]))

    def finish(self):
        """Expects that every file of this prefix was compared."""
        for path in sorted(set(FOLDER.glob(f"{self.prefix}_*.txt")) - self.compared):
            self.checks.expect(False, f"{path} is compared with no output; expected no such file")
