"""What one run does: the options of the program for an np, and the work that is timed."""
import math
import re

from options import InputError

# For options that the user does not give. A run then takes a few seconds on two cores.
DEFAULTS = {"train": {"--hidden": "1024,1024", "--batch-size": "512"},
            "matmul": {"--m": "2048", "--n": "2048", "--k": "2048", "--repeat": "5"}}
TRAIN_STEPS = 40  # unless --steps or --epochs is given


def values_of(arguments):
    """{option: value} of arguments such as --hidden 64, --hidden=64 and --no-bias (value None)."""
    values = {}
    for argument in arguments:
        if argument.startswith("--"):
            name, equals, value = argument.partition("=")
            if name in values:
                raise InputError(f"-- {name}: given twice; expected one value")
            values[name] = value if equals else None
        elif values:
            values[next(reversed(values))] = argument
        else:
            raise InputError(f"-- {argument}: expected an option of the program, such as --hidden 64")
    return values


def whole(values, name):
    text = values.get(name) or ""
    if not re.fullmatch(r"[1-9][0-9]{0,11}", text):
        raise InputError(f"-- {name} {text}: expected a whole number >= 1 for a scaling experiment")
    return int(text)


class TrainWorkload:
    """Strong: the batch has the same rows for every np. Weak: its rows grow with np."""

    def __init__(self, arguments, sizes):
        self.values = {**DEFAULTS["train"], **values_of(arguments)}
        self.rows = whole(self.values, "--batch-size")
        self.accumulate = whole({"--accumulate": "1", **self.values}, "--accumulate")
        self.values.setdefault("--data", f"synthetic:{max(8192, 2 * self.rows * sizes[-1])},784,10")
        if "--steps" not in self.values and "--epochs" not in self.values:
            self.values["--steps"] = str(TRAIN_STEPS)

    def options(self, mode, np):
        return flat({**self.values, "--batch-size": str(self.rows * (np if mode == "weak" else 1))})

    def work(self, mode, np):
        rows = self.rows * self.accumulate * (np if mode == "weak" else 1)
        return {"what": "rows per step", "total": rows, "per_rank": rows / np, "size": f"{rows} rows"}

    def seconds_per_unit(self, work, summary):
        """Of one training step. Raises ValueError if the run did not do the work."""
        rows = summary["batch_size"] * summary.get("accumulate", 1)
        if rows != work["total"]:
            raise ValueError(f"a step had {rows} rows; expected {work['total']}: the data need as many rows as a batch")
        if summary["samples_per_second"] <= 0:
            raise ValueError("no step was trained; expected a run that trains")
        return work["total"] / summary["samples_per_second"]


class MatmulWorkload:
    """Strong: the same product for every np. Weak: m, n and k grow with the cube root of np, so that m n k / np is
    constant up to rounding; rates take the true m n k."""

    def __init__(self, arguments, sizes):
        self.values = {**DEFAULTS["matmul"], **values_of(arguments)}
        if {"--a", "--b"} & set(self.values):
            raise InputError("-- --a, --b: expected --m, --n and --k: an experiment computes its operands")
        self.sides = {side: whole(self.values, side) for side in ("--m", "--n", "--k")}

    def sides_at(self, mode, np):
        growth = np ** (1 / 3) if mode == "weak" else 1
        return {side: max(1, round(length * growth)) for side, length in self.sides.items()}

    def options(self, mode, np):
        return flat({**self.values, **{side: str(length) for side, length in self.sides_at(mode, np).items()}})

    def work(self, mode, np):
        sides = self.sides_at(mode, np).values()
        operations = 2 * math.prod(sides)
        return {"what": "operations per product", "total": operations, "per_rank": operations / np,
                "size": "x".join(map(str, sides))}

    def seconds_per_unit(self, work, summary):
        """Of one product: the median over the program's repetitions."""
        return summary["seconds"]


def flat(values):
    return [word for name, value in values.items() for word in ([name] if value is None else [name, value])]


def make(program, arguments, sizes):
    return {"train": TrainWorkload, "matmul": MatmulWorkload}[program](arguments, sizes)
