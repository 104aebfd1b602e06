"""Numbers as text: one unit and one number of decimals for a whole column, so that its digits are aligned.

    column = Column("time", "s", [0.0123, 0.0064, None])
    column.header, column.cells        # "time, ms", ["12.30", "6.40", "-"]
"""
import math
from dataclasses import dataclass

ABSENT = "\N{EN DASH}"
PREFIXES = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "m": 1e-3, "\N{MICRO SIGN}": 1e-6}
SCALED_UNITS = {"s": ("", "m", "\N{MICRO SIGN}"), "B": ("G", "M", "k", ""), "B/s": ("G", "M", "k"),
                "FLOP": ("T", "G", "M"), "FLOP/s": ("T", "G", "M")}


def scale_of(values, unit):
    """(factor, unit with prefix). The prefix is the largest with which the median of the values is at least 1."""
    sizes = sorted(abs(value) for value in values if value)
    prefixes = SCALED_UNITS.get(unit)
    if not prefixes:
        return 1, unit
    middle = sizes[len(sizes) // 2] if sizes else 0
    prefix = next((prefix for prefix in prefixes if middle >= PREFIXES[prefix]), prefixes[-1])
    return PREFIXES[prefix], prefix + unit


def decimals_of(values, digits=3):
    """Decimals that give the smallest value `digits` digits, at most 4."""
    sizes = [abs(value) for value in values if value]
    if not sizes:
        return 0
    return min(max(digits - 1 - math.floor(math.log10(min(sizes))), 0), 4)


def short(value, unit, digits=3):
    """One number with its unit: "12.3 ms"."""
    if value == 0:
        return f"0 {unit}".strip()
    factor, name = scale_of([value], unit)
    return f"{value / factor:,.{decimals_of([value / factor], digits)}f} {name}".strip()


@dataclass
class Column:
    """A column of numbers, or of text if `unit` is None. If `decimals` is None, the values decide it. `like`: a column
    that has the same unit."""
    name: str
    unit: str | None
    values: list
    decimals: int | None = None
    like: "Column | None" = None

    def __post_init__(self):
        numbers = [value for value in self.values if value is not None]
        self.is_number = self.unit is not None
        if not self.is_number:
            self.header, self.cells = self.name, [str(value) if value is not None else ABSENT for value in self.values]
            return
        self.factor, unit = scale_of(numbers, self.unit)
        if self.like:
            self.factor, unit = self.like.factor, self.like.header.partition(", ")[2]
        scaled = [None if value is None else value / self.factor for value in self.values]
        decimals = self.decimals
        if decimals is None:
            whole = all(value == round(value) for value in scaled if value is not None)
            decimals = 0 if whole else decimals_of([value for value in scaled if value is not None])
        self.header = f"{self.name}, {unit}" if unit else self.name
        self.cells = [ABSENT if value is None else f"{value:,.{decimals}f}" for value in scaled]


class IntervalColumn(Column):
    """A column of intervals, in the unit and with the decimals of `column`, whose estimates it belongs to."""

    def __init__(self, column, estimates):
        decimals = max((len(cell.partition(".")[2]) for cell in column.cells), default=0)
        self.is_number = True
        self.header = f"95 % interval{column.header.removeprefix(column.name)}"
        self.cells = [ABSENT if not estimate or estimate.low is None else
                      f"{estimate.low / column.factor:,.{decimals}f} to {estimate.high / column.factor:,.{decimals}f}"
                      for estimate in estimates]


class MixedColumn(Column):
    """A column whose numbers differ too much for one unit, so each has its own."""

    def __init__(self, name, unit, values):
        self.is_number = True
        self.header = name
        self.cells = [ABSENT if value is None else short(value, unit) for value in values]
