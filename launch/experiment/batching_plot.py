#!/usr/bin/env python3
"""Draws what `train --compare-batching --summary CURVES.json` found: the loss against epochs, and against seconds.

usage: batching_plot.py CURVES.json|- FILE.svg|-      "-": standard input or output
       batching_plot.py --check                       only loads matplotlib
`train --plot` runs this script. The same curves give the same bytes.
"""
import io
import json
import math
import os
import re
import sys

import matplotlib
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

# Colours of Okabe and Ito, which colour-blind readers can tell apart; markers and dashes differ too.
STYLES = [("#D55E00", "o", "-"), ("#0072B2", "s", "--"), ("#009E73", "^", "-.")]
STYLE = {"svg.hashsalt": "recombine", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 11,
         "axes.titlesize": 11, "axes.grid": True, "grid.color": "#DDDDDD", "axes.axisbelow": True,
         "legend.fontsize": 9.5, "legend.frameon": False, "axes.spines.top": False, "axes.spines.right": False}
WIDTH, HEIGHT = 9.5, 3.9  # inches
MOST_POINTS = 100  # of a curve
LONG = 30  # last epoch / first epoch


def thinned(curve):
    """The curve at no more than MOST_POINTS epochs, denser where epochs are few, as a loss falls most at the start."""
    last = len(curve["epoch"]) - 1
    kept = range(last + 1)
    if last + 1 > MOST_POINTS:
        kept = sorted({round(last * (n / (MOST_POINTS - 1)) ** 2) for n in range(MOST_POINTS)})
    return {key: [values[n] for n in kept] for key, values in curve.items()}


def draw_panel(axes, runs, key, label, until):
    for run, (color, marker, dashes) in zip(runs, STYLES):
        curve, rows = thinned(run["curve"]), run["rows_per_update"]
        axes.plot(curve[key], curve["train_loss"], color=color, linestyle=dashes, linewidth=1.4,
                  marker=marker, markersize=4.5, markevery=0.12, gid=f"{key}-{run['strategy']}",
                  label=f"{run['strategy']} ({rows:,} row{'s' * (rows > 1)})")
    axes.axhline(until, color="#000000", linestyle=":", linewidth=1.1, label=f"loss {until:.4g}")
    axes.set_yscale("log")
    losses = [loss for run in runs for loss in run["curve"]["train_loss"] if loss > 0]
    if losses and max(losses) / min(losses) < 30:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(label)
    axes.set_ylabel("loss of all rows")


def widen_start(axes, runs, key):
    """On a linear axis, a fall at its left end would be a vertical line: from the first epoch on, it is logarithmic."""
    first = min(run["curve"][key][1] for run in runs)
    last = max(run["curve"][key][-1] for run in runs)
    if first > 0 and last / first > LONG:
        axes.set_xscale("symlog", linthresh=first)
        decades = range(math.ceil(math.log10(first)), math.floor(math.log10(last)) + 1)
        factors = (1,) if len(decades) > 1 else (1, 3)
        ticks = [0, *(factor * 10.0 ** decade for decade in decades for factor in factors)]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(0, last * 1.02)


def svg_of(comparison):
    runs, until = comparison["runs"], comparison["until_loss"]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        left, right = figure.subplots(1, 2)
        draw_panel(left, runs, "epoch", "epochs", until)
        draw_panel(right, runs, "seconds", "seconds of training", until)
        widen_start(left, runs, "epoch")
        widen_start(right, runs, "seconds")
        left.legend()
        data = io.BytesIO()
        figure.savefig(data, format="svg", metadata={"Date": None, "Creator": None})
    return re.sub(rb"(\d\.\d\d)\d+", rb"\1", data.getvalue())  # a hundredth of a point is enough


def write(path, data):
    """The file appears complete or not at all."""
    if path == "-":
        sys.stdout.buffer.write(data)
        return
    unfinished = f"{path}.{os.getpid()}.tmp"
    try:
        with open(unfinished, "xb") as file:
            file.write(data)
        os.replace(unfinished, path)
    except OSError:
        if os.path.exists(unfinished):
            os.unlink(unfinished)
        raise


def main():
    if sys.argv[1:] == ["--check"]:
        return
    if len(sys.argv) != 3:
        sys.exit("usage: batching_plot.py CURVES.json|- FILE.svg|-")
    source, target = sys.argv[1:]
    try:
        if source == "-":
            comparison = json.load(sys.stdin)
        else:
            with open(source, encoding="utf-8") as file:
                comparison = json.load(file)
        write(target, svg_of(comparison))
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"batching_plot.py: {source}: {error!r}; expected the file of train --compare-batching --summary")


main()
