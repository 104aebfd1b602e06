"""Makes the report of a scaling experiment.

    report.make(results, pathlib.Path("scaling"))     # results: the lines of results.jsonl, as dictionaries

Writes table.md, time, efficiency, parts and busbw as .svg and .png, and report.html. Each file gets its name only when
it is complete. A plot without data is not written; if an older report left one, it is removed.
"""
import contextlib
import os
import pathlib
import tempfile
from dataclasses import dataclass

import facts
import findings
import page
import plots
import speedup
import tables
from fit import fit_of

PICTURES = ("time", "efficiency", "parts", "busbw")
DEFINITIONS = [
    ("Time", "Median over the runs, with its 95 % interval. Runs that failed do not count."),
    ("Rate", "Total work / time."),
    ("Speed-up", "Rate / rate at the smallest np. For each np, the fastest mesh counts."),
    ("Efficiency", "Speed-up x smallest np / np."),
    ("Karp-Flatt", "The serial fraction that explains the speed-up S on p ranks: (1/S - 1/p) / (1 - 1/p)."),
    ("Strong scaling", "The size of the whole problem stays the same."),
    ("Weak scaling", "The work of each rank stays the same: rows of the batch, or operations of the product."),
    ("Exposed communication", "Time in which arithmetic waited for other ranks, as a share of the wall time."),
    ("Sent", "Bytes that a rank sends if collectives send as little as possible. For train, this includes evaluation."),
    ("busbw", "Bytes sent / time of a collective, as nccl-tests defines it."),
]


@dataclass(frozen=True)
class Finding:
    title: str
    sentences: list


def make(results, out):
    """Writes all files of the report into the folder `out`, and makes it if it is missing."""
    out = pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    all_series = speedup.all_series(results)
    fits = [fit_of(series) for series in all_series]
    content = {
        "title": f"Scaling of {' and '.join(dict.fromkeys(series.program for series in all_series)) or 'nothing'}",
        "findings": [Finding(tables.title_of(series), findings.sentences(series, fit))
                     for series, fit in zip(all_series, fits)] or [Finding("No results", ["There is no run."])],
        "tables": [table for series in all_series for table in tables.tables_of(series)],
        "pictures": plots.pictures(all_series, fits),
        "failures": facts.failures(results),
        "facts": facts.facts(results),
        "definitions": DEFINITIONS,
        "runs": len(results),
    }
    write(out / "table.md", _markdown(content).encode())
    for name in PICTURES:
        picture = next((picture for picture in content["pictures"] if picture.name == name), None)
        for kind in ("svg", "png"):
            path = out / f"{name}.{kind}"
            write(path, getattr(picture, kind)) if picture else path.unlink(missing_ok=True)
    write(out / "report.html", page.page(**content).encode())


def write(path, data):
    """Writes a file under a temporary name in the same folder, then renames it."""
    descriptor, temporary = tempfile.mkstemp(prefix=".recombine-", suffix=".tmp", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _markdown(content):
    blocks = [f"# {content['title']}"]
    blocks.append("\n".join(f"- {name}: {'; '.join(values)}" for name, values in content["facts"]))
    for finding in content["findings"]:
        blocks += [f"## {finding.title}", "\n".join(f"- {sentence}" for sentence in finding.sentences)]
    for table in content["tables"]:
        blocks += [f"### {table.title}", tables.markdown(table)]
    if content["failures"]:
        blocks.append("## Failed runs")
    for what, command, output in content["failures"]:
        blocks += [f"{what}:", "\n".join(f"    {line}" for line in [command, *output.splitlines()])]
    return "\n\n".join(blocks) + "\n"
