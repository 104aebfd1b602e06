"""The tables of the report, and table.md.

    for table in tables_of(series):       # the table of the series, and that of its collectives
        table.header, table.rows          # text; table.is_number says which columns are aligned to the right
"""
from dataclasses import dataclass

import breakdown
import intervals
from quantities import Column, IntervalColumn, MixedColumn


@dataclass
class Table:
    title: str
    columns: list
    notes: list  # sentences below the table

    @property
    def header(self):
        return [column.header for column in self.columns]

    @property
    def is_number(self):
        return [column.is_number for column in self.columns]

    @property
    def rows(self):
        return list(zip(*(column.cells for column in self.columns)))


def title_of(series):
    return f"{series.program}, {series.mode} scaling, {series.size}"


def tables_of(series):
    return [table for table in (_main_table(series), _collectives_table(series)) if table]


def _main_table(series):
    points = series.points
    time = Column(f"time per {series.unit()}", "s", [point.time and point.time.value for point in points])
    speed_up = Column("speed-up", "", [point.speed_up and point.speed_up.value for point in points], 2)
    efficiencies = [point.efficiency_estimate and point.efficiency_estimate.scaled(100) for point in points]
    efficiency = Column("efficiency", "%", [percent and percent.value for percent in efficiencies], 1)
    shares = [(breakdown.parts(point, series.program) or {}).get(breakdown.EXPOSED) for point in points]
    exposed = [None if share is None else 100 * share for share in shares]
    predicted = [breakdown.predicted_seconds(point) for point in points]
    columns = [
        Column("np", "", [point.np for point in points]),
        Column("mesh", None, [_mesh(point) for point in points]),
        Column("remarks", None, [_remarks(series, point) for point in points]),
        Column("threads", "", [point.first("threads") for point in points]),
        *_work_columns(series),
        Column("runs", "", [len(point.runs) for point in points]),
        time, IntervalColumn(time, [point.time for point in points]),
        Column("rate", _rate_unit(series), [point.rate for point in points]),
        speed_up, IntervalColumn(speed_up, [point.speed_up for point in points]),
        efficiency, IntervalColumn(efficiency, efficiencies),
        Column("Karp-Flatt", "", [point.karp_flatt for point in points], 3),
        Column("exposed communication", "%", exposed, 1),
        Column(f"sent per rank and {series.unit()}", "B", [breakdown.bytes_sent(point) for point in points]),
        Column("predicted", "s", predicted, like=time),
        Column("measured / predicted", "", [point.time.value / seconds if point.time and seconds else None
                                            for point, seconds in zip(points, predicted)], 2),
    ]
    return Table(title_of(series), [column for column in columns if _has_values(column)], _notes(series))


def _has_values(column):
    return column.header == "np" or any(cell not in ("", "\N{EN DASH}") for cell in column.cells)


def _mesh(point):
    meshes = " or ".join(point.meshes)
    return f"{meshes} (auto)" if point.mesh == "auto" and point.meshes != ["auto"] else meshes


def _work_columns(series):
    """Size in total and per rank."""
    points = series.points
    per_rank = [point.work("per_rank") for point in points]
    if series.program == "matmul":
        return [Column("size in total", None, [point.work("size") for point in points]),
                Column("operations per rank", "FLOP", per_rank)]
    what = next((what for point in points if (what := point.work("what"))), "work")
    return [Column(what, "", [point.work("total") for point in points]),
            Column(f"{what.split()[0]} per rank", "", per_rank)]


def _rate_unit(series):
    return "FLOP/s" if series.program == "matmul" else "rows/s"


def _remarks(series, point):
    remarks = []
    if point.oversubscribed:
        remarks.append("oversubscribed")
    if point.failed:
        remarks.append(f"{len(point.failed)} of {len(point.runs) + len(point.failed)} runs failed")
    if series.of_line(point) and sum(other.np == point.np for other in series.points) > 1:
        remarks.append("fastest")
    return ", ".join(remarks)


def _notes(series):
    notes = []
    points = [point for point in series.points if point.runs]
    line = series.line()
    if len(line) > 1:
        notes.append(f"Speed-up and efficiency are relative to np = {line[0].np}, mesh {line[0].meshes[0]}.")
    if any(point.oversubscribed for point in points):
        notes.append("Oversubscribed: ranks x threads are more than the cores of the hosts, so ranks share cores. "
                     "The time does not show how the program scales.")
    counts = sorted({len(point.runs) for point in points})
    few = [runs for runs in counts if intervals.FEWEST <= runs < intervals.FEWEST_FOR_ORDER]
    if counts and counts[0] < intervals.FEWEST:
        notes.append(f"Fewer than {intervals.FEWEST} runs have no interval.")
    if few:
        notes.append(f"With {' or '.join(map(str, few))} runs, an interval is that of Student's t on the logarithms.")
    return notes


def _collectives_table(series):
    rows = [(point, name, row) for point in series.points for name, row in breakdown.collectives(point).items()]
    if not rows:
        return None
    columns = [
        Column("np", "", [point.np for point, _, _ in rows]),
        Column("mesh", None, [_mesh(point) for point, _, _ in rows]),
        Column("collective", None, [name for _, name, _ in rows]),
        Column(f"calls per {series.unit()}", "", [row["calls"] for _, _, row in rows], 2),
        MixedColumn(f"sent per rank and {series.unit()}", "B", [row["sent"] for _, _, row in rows]),
        MixedColumn(f"time per {series.unit()}", "s", [row["seconds"] for _, _, row in rows]),
        MixedColumn("busbw", "B/s", [row["busbw"] for _, _, row in rows]),
    ]
    notes = ["The time of a collective is measured on rank 0 from begin to end. It includes the wait for other ranks, "
             "and time that arithmetic hides. busbw = bytes sent / time."]
    return Table(f"Collectives of {title_of(series)}", columns, notes)


def markdown(table):
    """The table as Markdown. Its columns are aligned in the plain text, too."""
    cells = [table.header, *table.rows]
    widths = [max(3, *(len(row[index]) for row in cells)) for index in range(len(table.header))]

    def line(row):
        return "| " + " | ".join(cell.rjust(width) if number else cell.ljust(width)
                                 for cell, width, number in zip(row, widths, table.is_number)) + " |"

    rule = "|" + "|".join("-" * (width + 1) + (":" if number else "-")
                          for width, number in zip(widths, table.is_number)) + "|"
    return "\n".join([line(table.header), rule, *map(line, table.rows)] + [f"\n{note}" for note in table.notes])
