"""The statistics of launch/experiment on made-up data with known answers.

usage: statistics_test.py
"""
from experiment import failed, ideal_seconds, need_modules, record, results
from program import Checks, run_test

EXPERIMENTS = 2000  # a share of 95 % is then known to 0.5 % (one standard deviation)
SHAPES = ["normal", "log-normal", "skewed", "wide log-normal"]


def draw(random, shape, size):
    """Times whose median is 1."""
    if shape == "normal":
        return random.normal(1, 0.05, size)
    if shape == "skewed":  # a shortest time, and delays on top
        return (1 + random.exponential(0.1, size)) / (1 + 0.1 * 0.6931471805599453)
    return random.lognormal(0, 0.8 if shape.startswith("wide") else 0.05, size)


def covered(intervals, truth):
    return sum(estimate.low <= truth <= estimate.high for estimate in intervals) / EXPERIMENTS


def check_medians(checks, random):
    import intervals
    for shape in SHAPES:
        for runs in (3, 5, 6, 7, 8, 10, 15):
            if runs < intervals.FEWEST_FOR_ORDER and shape not in ("normal", "log-normal"):
                continue
            share = covered([intervals.median(draw(random, shape, runs)) for _ in range(EXPERIMENTS)], 1)
            checks.expect(0.93 <= share <= 0.97, f"median, {shape}, {runs} runs: covered {share:.1%}, "
                          "expected 93 to 97 %")


def check_ratios(checks, random):
    """Of two independent sets, and of pairs that share a drift of up to 20 %."""
    import intervals
    for shape in ("normal", "log-normal", "skewed"):
        for new, old in ((3, 3), (5, 5), (5, 8), (10, 10)):
            if new < intervals.FEWEST_FOR_ORDER and shape == "skewed":
                continue
            share = covered([intervals.ratio(1.1 * draw(random, shape, new), draw(random, shape, old))
                             for _ in range(EXPERIMENTS)], 1.1)
            checks.expect(0.93 <= share <= 0.98, f"ratio, {shape}, {new} and {old} runs: covered {share:.1%}, "
                          "expected 93 to 98 %")
    for runs in (5, 7, 10):
        drift = random.uniform(1, 1.2, (EXPERIMENTS, runs))
        old, new = drift * draw(random, "normal", drift.shape), 1.9 * drift * draw(random, "normal", drift.shape)
        pairs = [intervals.paired_ratio(*times) for times in zip(new, old)]
        share = covered(pairs, 1.9)
        checks.expect(0.93 <= share <= 0.97, f"pairs, {runs} runs: covered {share:.1%}, expected 93 to 97 %")
        paired, apart = (sum(estimate.high - estimate.low for estimate in estimates) / EXPERIMENTS
                         for estimates in (pairs, [intervals.ratio(*times) for times in zip(new, old)]))
        checks.expect(runs == 5 or paired < apart, f"pairs, {runs} runs: {paired:.3f} wide, {apart:.3f} if not paired")


def check_few_runs(checks, random):
    """Two runs have no interval, of a median or a ratio: it would be several times as long as the value."""
    import intervals
    import speedup
    from tables import tables_of
    two, many = draw(random, "normal", 2), draw(random, "normal", 10)
    for estimate in (intervals.median(two), intervals.paired_ratio(two, two), intervals.ratio(two, many),
                     intervals.ratio(many, two)):
        checks.expect(estimate.low is None and estimate.high is None, f"2 runs: {estimate}")
    for runs, told in ((2, "Fewer than 3 runs have no interval"), (3, "With 3 runs, an interval is that of Student")):
        table = tables_of(speedup.all_series(results(random, 0.5, repeats=runs))[0])[0]
        has = any("interval" in header for header in table.header)
        checks.expect(has == (runs >= intervals.FEWEST), f"{runs} runs: columns {table.header}")
        checks.expect(any(told in note for note in table.notes), f"{runs} runs: notes {table.notes}")


def check_exact(checks):
    """Speed-up, efficiency and Karp-Flatt without noise: Amdahl's law with a serial share of 1/16."""
    import speedup
    times = {np: 1 / 16 + 15 / 16 / np for np in (1, 2, 4, 8)}  # exact in binary
    runs = [record("train", "strong", np, repeat, seconds) for np, seconds in times.items() for repeat in range(3)]
    runs += [record("train", "strong", 4, repeat, 2.0, mesh="1x4x1") for repeat in range(3)]  # a slower mesh
    runs += [failed(runs[0])]
    series, = speedup.all_series(runs)
    line = [point.mesh for point in series.line()]
    checks.expect(line == ["1x1x1", "2x1x1", "4x1x1", "8x1x1"], f"the fastest mesh of each np counts: {line}")
    checks.expect(len(series.points) == 5, "all meshes are points")
    for point in series.line():
        checks.expect(point.speed_up.value == times[1] / times[point.np], f"np {point.np}: speed-up {point.speed_up}")
        checks.expect(point.efficiency == times[1] / times[point.np] / point.np, f"np {point.np}: {point.efficiency}")
        checks.expect(point.rate == 512 / times[point.np], f"np {point.np}: rate {point.rate}")
        if point.np > 1:
            checks.expect(abs(point.karp_flatt - 1 / 16) < 1e-15, f"np {point.np}: Karp-Flatt {point.karp_flatt}")
    drifting = [{**run, "seconds_per_unit": run["seconds_per_unit"] * 1.1 ** run["repeat"]} for run in results()]
    for point in speedup.all_series(drifting)[0].line():
        width = (point.speed_up.high or 1) / (point.speed_up.low or 1) - 1
        checks.expect(abs(width) < 1e-9, f"np {point.np}: a drift of all runs is not in the speed-up: {point.speed_up}")
    weak, = speedup.all_series([record("train", "weak", np, 1, 0.5 + 0.125 * (np > 1)) for np in (2, 4, 8)])
    checks.expect([point.efficiency for point in weak.line()] == [1, 1, 1], "weak: compared with the smallest np")
    checks.expect(weak.line()[-1].speed_up.value == 4, "weak: the rate grows by 4 from 2 ranks to 8")
    checks.expect(all(point.karp_flatt is None for point in weak.points), "weak: no Karp-Flatt")


def check_sizes(checks):
    """Another problem size makes another series; rounding of a weak size does not."""
    import speedup
    other = record("train", "strong", 2, 1, 1.0)
    other["work"] = {"what": "rows per step", "total": 64, "per_rank": 32, "size": "64 rows"}
    checks.expect(len(speedup.all_series([*results(), other])) == 2, "another strong size is another series")
    weak = results(programs=("matmul",), modes=("weak",), sizes=(1, 2, 3, 5, 8))
    checks.expect(len(speedup.all_series(weak)) == 1, "sizes rounded to whole numbers are one weak series")


def check_fit(checks, random):
    import fit
    import speedup
    exact = fit.fit_of(speedup.all_series(results(sizes=(1, 2, 4, 8, 16)))[0])
    for name, truth in (("serial", 0.0003), ("parallel", 0.0117), ("communication", 0.0001)):
        found = getattr(exact, name)
        checks.expect(abs(found - truth) < 1e-9, f"fit without noise: {name} {found}, expected {truth}")
    checks.expect(exact.residual < 1e-9 and exact.sizes == (1, 2, 4, 8), f"residual {exact.residual}, sizes "
                  f"{exact.sizes}; expected 0, and np = 16 left out: it is oversubscribed")
    checks.expect(abs(exact.at(16) - ideal_seconds("strong", 16)) < 1e-9, "the fit predicts np = 16")
    noisy = fit.fit_of(speedup.all_series(results(random, 0.01, sizes=(1, 2, 4, 8)))[0])
    checks.expect(abs(noisy.parallel / 0.0117 - 1) < 0.05, f"fit with 1 % noise: parallel {noisy.parallel}")
    checks.expect(0 < noisy.residual < 0.03, f"fit with 1 % noise: residual {noisy.residual}")
    falling = fit.fit_times([1, 2, 4, 8], [1, 0.4, 0.15, 0.06])  # faster than ideal
    checks.expect(min(falling[:3]) >= 0, f"no term is negative: {falling}")
    three = fit.fit_of(speedup.all_series(results(sizes=(2, 4, 16)))[0])
    checks.expect(three.oversubscribed and not three.residual_has_meaning, "3 sizes: the oversubscribed one is in")
    checks.expect(fit.fit_of(speedup.all_series(results(sizes=(1, 2)))[0]) is None, "2 sizes: no fit")
    checks.expect(fit.fit_of(speedup.all_series(results(modes=("weak",)))[0]) is None, "weak: no fit")


def check_comparison(checks, random):
    """10 % slower is found in each case; two results of the same give a false alarm in at most 5 % of comparisons."""
    import comparison
    rounds = 200
    for noise, sizes, runs in ((0.01, (1, 2, 4), 5), (0.02, (1, 2, 4), 7), (0.01, (1, 2), 3)):
        found = sum(comparison.compare(results(random, noise, sizes=sizes, repeats=runs),
                                       results(random, noise, sizes=sizes, repeats=runs, factor=1.1))[1]
                    for _ in range(rounds)) / rounds
        checks.expect(found >= 0.95, f"10 % slower, noise {noise:.0%}, {runs} runs: found in {found:.0%}")
    many = tuple(range(1, 21))  # without wider intervals for many cases, a third of these comparisons gives an alarm
    for noise, sizes, runs in ((0.01, (1, 2, 4), 5), (0.3, many, 5), (0.3, (1, 2), 10), (0.1, (1, 2), 3)):
        alarms = sum(comparison.compare(results(random, noise, sizes=sizes, repeats=runs),
                                        results(random, noise, sizes=sizes, repeats=runs))[1]
                     for _ in range(rounds)) / rounds
        checks.expect(alarms <= 0.05, f"the same, noise {noise:.0%}, {runs} runs: {alarms:.1%} alarms")
    old = results(random, 0.01)
    new = [run if run["np"] != 4 else {**run, "seconds_per_unit": 1.1 * run["seconds_per_unit"]} for run in old]
    lines, slower = comparison.compare(old, new)
    named = [line for line in lines if line.endswith(": slower")]
    checks.expect(slower and len(named) == 1 and "np 4" in named[0], f"only np 4 is slower: {lines}")
    lines, slower = comparison.compare(old, [failed(run) if run["np"] == 4 else run for run in old])
    checks.expect(not slower and any("only in the old" in line for line in lines), f"a case fails now: {lines}")
    one, twice = results(repeats=1), results(repeats=1, factor=2)
    checks.expect(not comparison.compare(one, twice)[1], "one run decides nothing")
    checks.expect(comparison.compare([], old) and comparison.compare(old, []), "nothing to compare with")


def main():
    need_modules()
    import numpy
    random = numpy.random.default_rng(1)
    checks = Checks()
    check_medians(checks, random)
    check_ratios(checks, random)
    check_few_runs(checks, random)
    check_exact(checks)
    check_sizes(checks)
    check_fit(checks, random)
    check_comparison(checks, random)
    checks.finish()


run_test(main)
