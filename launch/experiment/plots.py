"""The plots of the report, as SVG and PNG. Each has one panel per series, one below the other.

    for picture in pictures(all_series, fits):     # Picture(name, title, alt, svg, png)
        (folder / f"{picture.name}.svg").write_bytes(picture.svg)

Colours are those of Okabe and Ito, which colour-blind readers can tell apart; markers, dashes and hatches differ too.
The same results give the same bytes.
"""
import io
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter, LogLocator, MaxNLocator, NullFormatter, PercentFormatter

import breakdown
from tables import title_of

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
PART_STYLES = {"compute": (BLUE, ""), "product": (BLUE, ""), breakdown.EXPOSED: (ORANGE, "//"), "input": (GREEN, ".."),
               "io": (GREEN, ".."), "evaluation": (SKY, "\\\\"), "other": ("#BBBBBB", "")}
LINE_STYLES = [(BLUE, "o", "-"), (RED, "s", "--"), (GREEN, "^", "-."), (PURPLE, "D", ":"), (ORANGE, "v", "-")]
STYLE = {"svg.hashsalt": "recombine", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 11,
         "axes.titlesize": 11, "axes.grid": True, "grid.color": "#DDDDDD", "axes.axisbelow": True,
         "legend.fontsize": 9.5, "legend.frameon": False, "axes.spines.top": False, "axes.spines.right": False,
         "hatch.linewidth": 0.6}
WIDTH, PANEL_HEIGHT = 5.8, 3.7  # inches


@dataclass(frozen=True)
class Picture:
    name: str
    title: str
    alt: str
    svg: bytes
    png: bytes


def pictures(all_series, fits):
    """`fits` has the fit of each series, or None. A plot without data is omitted."""
    fits = {id(series): fit for series, fit in zip(all_series, fits)}
    wanted = [
        ("time", "Time against ranks", lambda axes, series: _time(axes, series, fits[id(series)]), _has_line),
        ("efficiency", "Efficiency against ranks", lambda axes, series: _efficiency(axes, series, fits[id(series)]),
         lambda series: any(point.efficiency for point in series.line())),
        ("parts", "Where the time went", _parts,
         lambda series: any(breakdown.parts(point, series.program) for point in series.line())),
        ("busbw", "Bandwidth of collectives (busbw)", _busbw,
         lambda series: any(breakdown.busbw(point, series.program) for point in series.line())),
    ]
    with matplotlib.rc_context(STYLE):
        found = [_picture(name, title, draw, [series for series in all_series if has_data(series)])
                 for name, title, draw, has_data in wanted]
    return [picture for picture in found if picture]


def _has_line(series):
    return bool(series.line())


def _picture(name, title, draw, shown):
    if not shown:
        return None
    figure = Figure(figsize=(WIDTH, PANEL_HEIGHT * len(shown)), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.12, hspace=0.02)
    told = []
    for axes, series in zip(figure.subplots(len(shown), squeeze=False)[:, 0], shown):
        axes.set_title(title_of(series), loc="left")
        told.append(f"{title_of(series)}: {draw(axes, series)}")
    files = []
    for kind, metadata in (("svg", {"Date": None, "Creator": None}), ("png", {"Software": None})):
        data = io.BytesIO()
        figure.savefig(data, format=kind, dpi=150, metadata=metadata)
        files.append(data.getvalue())
        figure.set_layout_engine("none")  # the second file keeps the layout of the first
    return Picture(name, title, f"{title}. {'. '.join(told)}.", *files)


def _axis_of_ranks(axes, line):
    sizes = [point.np for point in line]
    axes.set_xscale("log", base=2)
    axes.set_xlim(min(sizes) / 1.25, max(sizes) * 1.25)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", which="minor", length=0)
    axes.set_xlabel("ranks (np)")


def _points_with_errors(axes, line, estimates, style=LINE_STYLES[0]):
    """Measured points with their intervals; oversubscribed points are hollow."""
    color, marker, dashes = style
    sizes, values = [point.np for point in line], [estimate.value for estimate in estimates]
    errors = [[0 if estimate.low is None else estimate.value - estimate.low for estimate in estimates],
              [0 if estimate.high is None else estimate.high - estimate.value for estimate in estimates]]
    axes.errorbar(sizes, values, yerr=errors, color=color, linestyle=dashes, linewidth=1.4, elinewidth=1.2, capsize=3)
    for point, value in zip(line, values):
        axes.plot(point.np, value, marker, color=color, markerfacecolor="white" if point.oversubscribed else color,
                  markersize=6.5, zorder=3)


def _legend(axes, line, entries, **place):
    handles = [Line2D([], [], color=color, marker=marker, linestyle=dashes, label=label)
               for label, color, marker, dashes in entries]
    if any(point.oversubscribed for point in line):
        handles.append(Line2D([], [], color=entries[0][1], marker=entries[0][2], markerfacecolor="white", linestyle="",
                              label="oversubscribed"))
    axes.legend(handles=handles, **place)


def _curve_sizes(line):
    return np.geomspace(line[0].np, line[-1].np, 60)


def _time(axes, series, fit):
    line = series.line()
    others = [point for point in series.points if point.time and not series.of_line(point)]
    ideal = [line[0].time.value * (line[0].np / size if series.mode == "strong" else 1) for size in _curve_sizes(line)]
    axes.plot(_curve_sizes(line), ideal, color=BLACK, linestyle=":", linewidth=1.2)
    entries = [("measured, 95 % interval" if not others else "fastest mesh, 95 % interval", BLUE, "o", "-"),
               ("ideal", BLACK, "", ":")]
    if fit:
        axes.plot(_curve_sizes(line), [fit.at(size) for size in _curve_sizes(line)], color=RED, linestyle="--",
                  linewidth=1.2)
        entries.insert(1, ("fit", RED, "", "--"))
    if others:
        axes.plot([point.np for point in others], [point.time.value for point in others], "x", color=PURPLE)
        entries.append(("other meshes", PURPLE, "x", ""))
    _points_with_errors(axes, line, [point.time for point in line])
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(EngFormatter(unit="s"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    values = [*ideal, *(end for point in [*line, *others] for end in point.time if end)]
    axes.set_ylim(min(values) / 1.4, max(values) * 1.4)
    axes.set_ylabel(f"time per {series.unit()}")
    _axis_of_ranks(axes, line)
    _legend(axes, line, entries)
    return ", ".join(f"np {point.np} {EngFormatter(unit='s', places=2)(point.time.value)}" for point in line)


def _efficiency(axes, series, fit):
    line = [point for point in series.line() if point.efficiency]
    base = line[0]
    axes.axhline(1, color=BLACK, linestyle=":", linewidth=1.2)
    entries = [("measured, 95 % interval", BLUE, "o", "-"), ("ideal", BLACK, "", ":")]
    if fit:
        values = [base.time.value * base.np / (fit.at(size) * size) for size in _curve_sizes(line)]
        axes.plot(_curve_sizes(line), values, color=RED, linestyle="--", linewidth=1.2)
        entries.insert(1, ("fit", RED, "", "--"))
    _points_with_errors(axes, line, [point.efficiency_estimate for point in line])
    highest = max(point.efficiency_estimate.high or point.efficiency for point in line)
    measured = max(point.efficiency for point in line)
    axes.set_ylim(0, max(1.08, 1.05 * min(highest, 1.5 * measured)))  # a very long interval ends outside of the plot
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set_ylabel("efficiency")
    _axis_of_ranks(axes, line)
    _legend(axes, line, entries, loc="lower left")
    return ", ".join(f"np {point.np} {100 * point.efficiency:.0f} %" for point in line)


def _parts(axes, series):
    line = [point for point in series.line() if breakdown.parts(point, series.program)]
    shares = [breakdown.parts(point, series.program) for point in line]
    names = list(dict.fromkeys(part for share in shares for part in share if max(s.get(part, 0) for s in shares) > 0))
    below = np.zeros(len(line))
    for part in names:
        color, hatch = PART_STYLES.get(part, (PURPLE, ""))
        values = np.array([share.get(part, 0) for share in shares])
        axes.bar(range(len(line)), values, 0.62, bottom=below, color=color, hatch=hatch, edgecolor="white",
                 linewidth=0.6)
        below += values
    axes.set_xticks(range(len(line)), [f"{point.np}{'*' if point.oversubscribed else ''}" for point in line])
    axes.set_xlim(-0.6, max(len(line), 3) - 0.4)
    axes.set_xlabel("ranks (np)" + (", * oversubscribed" if any(point.oversubscribed for point in line) else ""))
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set_ylabel("share of wall time")
    axes.grid(axis="x", visible=False)
    handles = [Patch(facecolor=PART_STYLES.get(part, (PURPLE, ""))[0], hatch=PART_STYLES.get(part, (PURPLE, ""))[1],
                     edgecolor="white", label=part) for part in names]
    axes.legend(handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3)
    return "; ".join(f"np {point.np} " + ", ".join(f"{part} {100 * share.get(part, 0):.0f} %" for part in names)
                     for point, share in zip(line, shares))


def _busbw(axes, series):
    line = [point for point in series.line() if breakdown.busbw(point, series.program)]
    rates = [breakdown.busbw(point, series.program) for point in line]
    names = list(dict.fromkeys(name for rate in rates for name in rate))
    entries = []
    for index, name in enumerate(names):
        color, marker, dashes = LINE_STYLES[index % len(LINE_STYLES)]
        shown = [(point, rate[name]) for point, rate in zip(line, rates) if name in rate]
        axes.plot([point.np for point, _ in shown], [rate for _, rate in shown], color=color, linestyle=dashes)
        for point, rate in shown:
            axes.plot(point.np, rate, marker, color=color, markersize=6.5,
                      markerfacecolor="white" if point.oversubscribed else color)
        entries.append((name, color, marker, dashes))
    axes.set_ylim(0, 1.15 * max(value for rate in rates for value in rate.values()))
    axes.yaxis.set_major_formatter(EngFormatter(unit="B/s"))
    axes.set_ylabel("busbw")
    _axis_of_ranks(axes, line)
    _legend(axes, line, entries, loc="lower right")
    return "; ".join(f"np {point.np} " + ", ".join(f"{name} {EngFormatter(unit='B/s', places=2)(value)}"
                                                   for name, value in rate.items()) for point, rate in zip(line, rates))
