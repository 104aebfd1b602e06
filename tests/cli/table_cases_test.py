#!/usr/bin/env python3
"""Tables as people download and write them, each with the command that a user tries first. The files are in
tests/data/tables.

usage: table_cases_test.py TRAIN
"""
import csv
import json
import pathlib
import shutil
import sys
import tempfile

from program import Checks, run

TABLES = pathlib.Path(__file__).resolve().parent.parent / "data" / "tables"
SETTINGS = ["--hidden", "8", "--epochs", "2", "--batch-size", "8"]

# The same 40 rows: a, b and the target y, in many writings. Each: file, target, notes.
SAME_ROWS = [
    ("semi.csv", "y", ["semi.csv: ';' separates the columns"]),
    ("tab.csv", "y", ["tab.csv: a tab separates the columns"]),
    ("table.tsv", "y", ["table.tsv: a tab separates the columns"]),
    ("bom_quoted.csv", "y", []),
    ("bom_target_first.csv", "y", []),
    ("trailing_comma.csv", "y", []),
    ("trailing_comma_rows.csv", "y", []),
    ("blank_lines.csv", "y", []),
    ("comment.csv", "y", []),
    ("noheader.csv", "3", ["noheader.csv: has no header line"]),
    ("hdr_newline.csv", "y", []),
    ("utf16.csv", "y", ["utf16.csv: is UTF-16"]),
]

# One value of column b is missing.
MISSING = ["na_empty.csv", "na_NA.csv", "na_qmark.csv"]

# Classes: file, options, notes, names of the classes, inputs of the network.
CLASSES = [
    ("Iris_kaggle.csv", ["--target", "Species"], ["'Id': left out: the number of the row"], "Species", 4),
    ("Iris_kaggle.csv", [], ["Iris_kaggle.csv: no --target: the last column, 'Species', is the target"], "Species", 4),
    ("iris_noheader.csv", ["--target", "-1"], ["has no header line; its columns are 1 to 5"], "5", 4),
    ("winequality-red.csv", ["--target", "quality"],
     ["';' separates the columns", "'quality': 4 classes: '4', '5', '6' and '7'; --loss mse"], "quality", 11),
    ("lab_bool.csv", ["--target", "label"], ["2 classes: 'False' and 'True'"], "label", 2),
    ("lab_pm1.csv", ["--target", "label", "--loss", "cross-entropy"], ["2 classes: '-1' and '1'"], "label", 2),
    ("titanic.csv", ["--target", "Survived", "--loss", "cross-entropy"],
     ["'Name' and 'Ticket': left out: a different text in every row", "'PassengerId': left out: the number of the row",
      "an input for each category: 'Sex' (2), 'Cabin' (15 and missing), 'Embarked' (3)",
      "'Age': 12 of 60 values are missing: the mean 34.23 is used",
      "'Cabin': 45 of 60 values are missing: a category of their own"], "Survived", 25),
]


class Cases:
    """Runs `train` in a folder that holds the tables."""

    def __init__(self, train, folder, checks):
        self.train, self.folder, self.checks = train, folder, checks

    def run(self, file, *options):
        """The screen, the summary, and the lines of the predictions."""
        done = run(self.train, 2, "--data", file, *options, *SETTINGS, "--summary", "s.json", "--predictions", "p.csv",
                   cwd=self.folder)
        what = f"{file} {' '.join(options)}"
        if not self.checks.expect(done.returncode == 0, f"{what}: exit {done.returncode}: {done.stderr}"):
            self.checks.finish()
        with open(self.folder / "p.csv", newline="") as lines:
            return done.stdout, json.loads((self.folder / "s.json").read_text()), list(csv.reader(lines))

    def expect_notes(self, file, screen, notes):
        for note in notes:
            self.checks.expect(note in screen, f"{file}: the screen lacks \"{note}\":\n{screen}")

    def check_classes(self, file, options, notes, target, inputs):
        screen, summary, (header, *rows) = self.run(file, *options)
        self.expect_notes(file, screen, notes)
        self.checks.expect(summary["model"].startswith(f"{inputs}-8-"), f"{file}: the model is {summary['model']}")
        labels = self.labels(file, target)
        self.checks.expect(len(rows) == len(labels), f"{file}: {len(rows)} predictions for {len(labels)} rows")
        classes = sorted(set(labels), key=lambda text: (int(text) if text.lstrip("-").isdigit() else 0, text))
        self.checks.expect(header[-len(classes):] == classes, f"{file}: columns {header}, not classes {classes}")
        self.checks.expect([row[1] for row in rows] == labels, f"{file}: the predictions have other labels")
        self.checks.expect(all(row[2] in classes for row in rows), f"{file}: the predictions have other classes")

    def labels(self, file, target):
        text = (TABLES / file).read_text(encoding="utf-8")
        rows = list(csv.reader(text.splitlines(), delimiter=";" if ";" in text else ","))
        if target.isdigit():
            return [row[int(target) - 1] for row in rows]
        return [row[rows[0].index(target)] for row in rows[1:]]


def values_of(lines):
    """The numbers of the predictions, as texts: the names of the target differ."""
    return [line[1:] for line in lines[1:]]


def check_same_rows(cases, checks):
    plain = (TABLES / "semi.csv").read_text().replace(";", ",")
    (cases.folder / "plain.csv").write_text(plain)
    _, summary, expected = cases.run("plain.csv", "--target", "y")
    checks.expect(len(expected) == 41 and summary["model"] == "2-8-1", f"plain.csv: model {summary['model']}")
    for file, target, notes in SAME_ROWS:
        screen, _, lines = cases.run(file, "--target", target)
        cases.expect_notes(file, screen, notes)
        checks.expect(values_of(lines) == values_of(expected), f"{file}: other predictions than for plain.csv")


def check_missing(cases, checks):
    first = None
    for file in MISSING:
        screen, _, lines = cases.run(file, "--target", "y")
        cases.expect_notes(file, screen, [f"{file}: 'b': 1 of 40 values are missing: the mean -0.04336 is used"])
        first = first or values_of(lines)
        checks.expect(values_of(lines) == first and len(lines) == 41, f"{file}: other predictions than {MISSING[0]}")
    screen, _, lines = cases.run(MISSING[0], "--target", "y", "--missing", "median")
    cases.expect_notes(MISSING[0], screen, ["the median -0.064 is used"])
    screen, _, lines = cases.run(MISSING[0], "--target", "y", "--missing", "drop")
    checks.expect(len(lines) == 40, f"--missing drop: {len(lines)} lines")
    done = run(cases.train, 2, "--data", MISSING[1], "--target", "y", "--missing", "error", cwd=cases.folder)
    checks.expect(done.returncode == 2 and "na_NA.csv, line 5, column 'b'" in done.stderr and
                  "Traceback" not in done.stderr, f"--missing error: exit {done.returncode}: {done.stderr}")


def main(train):
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        cases = Cases(train, pathlib.Path(folder), checks)
        for file in TABLES.iterdir():
            shutil.copy(file, folder)
        check_same_rows(cases, checks)
        check_missing(cases, checks)
        for case in CLASSES:
            cases.check_classes(*case)
        _, summary, lines = cases.run("num_00.csv", "--target", "y")
        checks.expect(summary["model"] == "2-8-1" and [line[1] for line in lines] == ["y", "0.3", "0.6", "0.9"],
                      f"num_00.csv: {summary['model']}, {lines}")
        known = {case[0] for case in SAME_ROWS + CLASSES} | {*MISSING, "num_00.csv"}
        files = {file.name for file in TABLES.iterdir()}
        checks.expect(known == files, f"tables without a case, or cases without a table: {known ^ files}")
    checks.finish()


if __name__ == "__main__":
    main(sys.argv[1])
