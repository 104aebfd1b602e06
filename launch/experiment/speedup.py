"""Points and series of the results: times, rates, speed-up, efficiency and the Karp-Flatt serial fraction.

    for series in all_series(results):        # one program, mode and problem size
        for point in series.line():           # the fastest mesh of each np
            print(point.np, point.time.value, point.speed_up.value)
    fastest_points(results)                   # those that have an efficiency, of all series

README.md defines each quantity. A run that failed is in `failed` of its point and counts in nothing else.
"""
import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import intervals

SAME_WEAK_SIZE = 1.1  # weak scaling rounds the size of a problem, so the work of a rank differs a little


@dataclass
class Point:
    """All runs with one np and mesh. `mesh`: the requested one ("auto" or a mesh); `meshes`: those that were used."""
    mode: str
    np: int
    mesh: str
    runs: list = field(default_factory=list)
    failed: list = field(default_factory=list)
    time: intervals.Estimate | None = None  # seconds of one step or product
    rate: float | None = None               # rows or operations per second
    speed_up: intervals.Estimate | None = None
    efficiency: float | None = None
    efficiency_estimate: intervals.Estimate | None = None  # the same with its interval
    karp_flatt: float | None = None

    @property
    def meshes(self):
        used = Counter(run["mesh"] for run in self.runs if isinstance(run.get("mesh"), str))
        return [mesh for mesh, _ in used.most_common()] or [self.mesh]

    @property
    def oversubscribed(self):
        return any(run.get("oversubscribed") for run in self.runs + self.failed)

    def first(self, key):
        """The value of `key` in the first run that has one."""
        return next((run[key] for run in self.runs + self.failed if run.get(key) is not None), None)

    def work(self, key):
        return next((work[key] for run in self.runs + self.failed
                     if isinstance(work := run.get("work"), dict) and work.get(key) is not None), None)


@dataclass
class Series:
    program: str
    mode: str
    size: str  # of the whole problem (strong), or of a rank's part (weak)
    points: list

    def line(self):
        """The fastest point of each np, in the order of np."""
        fastest = {}
        for point in self.points:
            if point.time and (point.np not in fastest or point.time.value < fastest[point.np].time.value):
                fastest[point.np] = point
        return [fastest[np] for np in sorted(fastest)]

    def judged(self, fewest):
        """The points of line() that are not oversubscribed, or all of them if those are fewer than `fewest`."""
        line = self.line()
        own_cores = [point for point in line if not point.oversubscribed]
        return own_cores if len(own_cores) >= fewest else line

    def of_line(self, point):
        return any(point is other for other in self.line())

    def unit(self):
        return "product" if self.program == "matmul" else "step"


def is_good(run):
    seconds = run.get("seconds_per_unit")
    return run.get("exit_code") == 0 and isinstance(seconds, (int, float)) and math.isfinite(seconds) and seconds > 0


def all_series(results):
    """The series of all results that have an np, sorted by program, mode and size."""
    groups = defaultdict(list)
    for run in results:
        if isinstance(run.get("np"), int) and run["np"] > 0:
            groups[run.get("program") or "program", run.get("mode") or "strong"].append(run)
    found = []
    for (program, mode), runs in sorted(groups.items()):
        sizes = _weak_sizes(runs) if mode == "weak" else _strong_sizes(runs)
        found += [_make_series(program, mode, size, members) for size, members in sizes]
    return found


def fastest_points(results):
    """The fastest point of each np, of all series, without those whose efficiency is unknown."""
    return [point for series in all_series(results) for point in series.line() if point.efficiency is not None]


def karp_flatt(speed_up, np):
    """The serial fraction that explains this speed-up over one rank, for np > 1 (Karp and Flatt, CACM 33(5), 1990)."""
    return (1 / speed_up - 1 / np) / (1 - 1 / np)


def _work(run):
    return run["work"] if isinstance(run.get("work"), dict) else {}


def _strong_sizes(runs):
    groups = defaultdict(list)
    for run in runs:
        groups[str(_work(run).get("size") or "unknown size")].append(run)
    return sorted(groups.items())


def _weak_sizes(runs):
    """Groups of runs whose ranks have about the same work, named by the size at the smallest np."""
    groups = []
    for run in sorted(runs, key=lambda run: (_work(run).get("per_rank") or 0, run["np"])):
        work = _work(run).get("per_rank") or 0
        if not groups or work > SAME_WEAK_SIZE * (_work(groups[-1][0]).get("per_rank") or 0):
            groups.append([])
        groups[-1].append(run)

    def name(group):
        smallest = min(group, key=lambda run: run["np"])
        return f"{_work(smallest).get('size') or 'unknown size'} at np = {smallest['np']}"

    return [(name(group), group) for group in groups]


def _make_series(program, mode, size, runs):
    points = {}
    for run in runs:
        mesh = run.get("asked_mesh") or run.get("mesh") or "auto"
        point = points.setdefault((run["np"], mesh), Point(mode, run["np"], mesh))
        (point.runs if is_good(run) else point.failed).append(run)
    ordered = [points[key] for key in sorted(points)]
    for point in ordered:
        _measure(point)
    series = Series(program, mode, size, ordered)
    line = series.line()
    for point in ordered:
        if line and line[0].rate and point.rate:
            _compare_with(line[0], point, mode)
    return series


def _measure(point):
    if not point.runs:
        return
    point.time = intervals.median([run["seconds_per_unit"] for run in point.runs])
    total = point.work("total")
    point.rate = total / point.time.value if total else None


def _compare_with(base, point, mode):
    """Sets speed-up, efficiency and Karp-Flatt relative to `base`, the fastest point of the smallest np."""
    speed_up = point.rate / base.rate
    if point is base:
        point.speed_up = intervals.Estimate(1.0)
    else:
        faster = _time_ratio(base, point).scaled(point.work("total") / base.work("total"))
        point.speed_up = faster.around(speed_up)
    point.efficiency_estimate = point.speed_up.scaled(base.np / point.np)
    point.efficiency = point.efficiency_estimate.value
    if mode == "strong" and base.np == 1 and point.np > 1:
        point.karp_flatt = karp_flatt(speed_up, point.np)


def _time_ratio(base, point):
    """Time of `base` / time of `point`: by pairs of the same repetition if each repetition ran once at both."""
    ours, theirs = ({run.get("repeat"): run["seconds_per_unit"] for run in runs} for runs in (base.runs, point.runs))
    if ours.keys() == theirs.keys() and len(ours) == len(base.runs) == len(point.runs) and None not in ours:
        return intervals.paired_ratio(list(ours.values()), [theirs[repeat] for repeat in ours])
    return intervals.ratio([run["seconds_per_unit"] for run in base.runs],
                           [run["seconds_per_unit"] for run in point.runs])
