"""Compares two results: which cases got slower?

    lines, slower = compare(old_results, new_results)

Old and new runs are not paired, because they ran at different times: intervals.ratio() gives their ratio. With more
cases, each interval is wider, so that all of them hold together with a probability of 95 %: if nothing changed, at most
5 % of comparisons give a false alarm. If the machine itself got slower between the two, no interval shows it. MARGIN
allows for such a change.
"""
import intervals
from speedup import all_series

MARGIN = 0.02  # slower: the whole interval is above 1 by more than this


def compare(old_results, new_results):
    """(lines to print, whether a case got slower). A case is a program, mode, size, np and mesh that both have."""
    old, new = _cases(old_results), _cases(new_results)
    both = [key for key in new if key in old]
    lines, slower = [], 0
    level = 1 - min(1 - intervals.LEVEL, 2 * (1 - intervals.LEVEL) / max(len(both), 1))
    for key in both:
        ratio = intervals.ratio(new[key], old[key], level)
        verdict = _verdict(ratio)
        slower += verdict == "slower"
        lines.append(f"{_name(key)}: {_ratio_text(ratio)}: {verdict}")
    for cases, others, where in ((old, new, "old"), (new, old, "new")):
        lines += [f"{_name(key)}: only in the {where} results" for key in cases if key not in others]
    lines.append(f"{slower} of {len(both)} cases got slower by more than {MARGIN:.0%}" if both else
                 "no case is in both results")
    return lines, slower > 0


def _cases(results):
    return {(series.program, series.mode, point.work("size") or series.size, point.np, point.mesh):
            [run["seconds_per_unit"] for run in point.runs]
            for series in all_series(results) for point in series.points if point.runs}


def _name(key):
    program, mode, size, np, mesh = key
    return f"{program} {mode}, {size}, np {np}, mesh {mesh}"


def _ratio_text(ratio):
    if ratio.low is None:
        return f"{ratio.value:.3f} times the old time (no interval: fewer than {intervals.FEWEST} runs)"
    return f"{ratio.value:.3f} times the old time ({ratio.low:.3f} to {ratio.high:.3f})"


def _verdict(ratio):
    if ratio.low is None:
        return "not decided"
    if ratio.low > 1 + MARGIN:
        return "slower"
    return "faster" if ratio.high < 1 / (1 + MARGIN) else "no difference seen"
