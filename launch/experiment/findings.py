"""The sentences of the report, made from the numbers: speed-up, efficiency, what limits it, and what to doubt.

    for sentence in sentences(series, fit_of(series)): print(sentence)
"""
import breakdown
from quantities import short

WHAT_PARTS_MEAN = {
    "compute": "slower arithmetic (cores share caches and memory, and the parts of a rank get smaller)",
    "product": "slower arithmetic (cores share caches and memory, and the blocks of a rank get smaller)",
    breakdown.EXPOSED: "exposed communication (arithmetic waits for other ranks)",
    "input": "reading batches",
    "io": "waiting for files",
    "other": "other work",
}
LITTLE = 0.05       # if a smaller part of the time is lost, no cause is named
WORTH_NAMING = 0.2  # a cause is named if it explains this part of the loss


def sentences(series, fit):
    line = series.line()
    if not line:
        return ["No run succeeded."]
    if len(line) == 1:
        point = line[0]
        return [f"Only np = {point.np} was measured: {short(point.time.value, 's')} per {series.unit()}. "
                "A speed-up needs a second np."] + _oversubscribed(line)
    if not line[-1].speed_up:
        return ["The results do not contain the work of a run, so there is no speed-up."]
    judged = series.judged(2)
    return [*_speed_up(series, judged), *_oversubscribed(line), *_threads(judged), _limit(series, judged),
            *_fit(fit)]


def percent(share):
    return f"{100 * share:.0f} %"


def estimate(value, decimals=2):
    interval = "" if value.low is None else f" (95 % interval {value.low:.{decimals}f} to {value.high:.{decimals}f})"
    return f"{value.value:.{decimals}f}{interval}"


def _speed_up(series, judged):
    base, last = judged[0], judged[-1]
    best = max(judged, key=lambda point: point.speed_up.value)
    where = f"{best.np} ranks" if best.np > 1 else "1 rank"
    if best is base:
        open_ = [point for point in judged[1:] if point.speed_up.high is not None and point.speed_up.high > 1]
        told = [f"These runs do not show that any np is faster than np = {base.np}." if open_ else
                f"No np is faster than np = {base.np}."]
    else:
        told = [f"Best speed-up: {estimate(best.speed_up)} on {where}, mesh {best.meshes[0]}, compared with "
                f"np = {base.np}."]
        if best.speed_up.low is not None and best.speed_up.low <= 1:
            told.append(f"The interval contains 1: these runs do not show that any np is faster than np = {base.np}.")
    kept = f"the size {'of the problem' if series.mode == 'strong' else 'per rank'} stays the same"
    range_of = last.efficiency_estimate
    interval = "" if range_of.low is None else f", 95 % interval {100 * range_of.low:.0f} to {percent(range_of.high)}"
    told.append(f"Efficiency on {last.np} ranks: {percent(last.efficiency)}{interval} (100 % is ideal; {kept}).")
    return told


def _oversubscribed(line):
    over = [point for point in line if point.oversubscribed]
    if not over:
        return []
    names = " and ".join(f"np = {point.np}{_threads_and_cores(point)}" for point in over)
    rest = len(line) - len(over)
    them = "it" if len(over) == 1 else "them"
    judged = (f"The numbers above do not include {them}." if rest > 1 else
              f"The numbers above include {them}, because fewer than 2 other values of np were measured.")
    return [f"Oversubscribed: {names}. Ranks share cores, so these times do not show how the program scales. {judged}"]


def _threads_and_cores(point):
    cores, threads = point.first("cores"), point.first("threads")
    if not isinstance(cores, int) or not isinstance(threads, int) or point.first("hosts") not in (None, 1):
        return ""
    return f" ({point.np * threads} threads on {cores} {'core' if cores == 1 else 'cores'})"


def _threads(judged):
    threads = [point.first("threads") for point in judged]
    if len(set(threads)) < 2 or None in threads:
        return []
    return [f"Threads per rank change from {threads[0]} at np = {judged[0].np} to {threads[-1]} at "
            f"np = {judged[-1].np}. The number of cores in use does not grow in proportion to np, so the efficiency "
            "does not show how the program scales."]


def _limit(series, judged):
    """Compares, part by part, the time of all ranks together per unit of work at the smallest and the largest np."""
    base, last = judged[0], judged[-1]
    before, after = (_rank_seconds(point, series.program) for point in (base, last))
    if before is None or after is None:
        return "The results do not show what limits it: they do not contain the parts of the time."
    lost = {part: after[part] - before.get(part, 0) for part in after if after[part] > before.get(part, 0)}
    share = sum(lost.values()) / sum(after.values())
    if last.efficiency > 1 - LITTLE or share < LITTLE:
        return f"Almost ideal up to {last.np} ranks: {percent(max(1 - last.efficiency, 0))} of the time is lost."
    largest = sorted(lost.items(), key=lambda item: -item[1])
    named = [f"{percent(seconds / sum(lost.values()))} is {WHAT_PARTS_MEAN.get(part, part)}"
             for part, seconds in largest if seconds >= WORTH_NAMING * sum(lost.values())]
    return f"What limits it: of the time that {last.np} ranks lose compared with the ideal, {' and '.join(named)}."


def _rank_seconds(point, program):
    """{part: seconds of all ranks together per unit of work}, without evaluation, which T does not contain."""
    parts = breakdown.parts(point, program)
    if not parts:
        return None
    parts.pop("evaluation", None)
    total = sum(parts.values())
    return {part: point.np / point.rate * share / total for part, share in parts.items()} if total else None


def _fit(fit):
    if fit is None:
        return []
    told = [f"Fit: T(np) = {short(fit.serial, 's')} + {short(fit.parallel, 's')} / np + "
            f"{short(fit.communication, 's')} x log2(np), from np = {', '.join(map(str, fit.sizes))}; "
            f"residual {100 * fit.residual:.1f} %."]
    if not fit.residual_has_meaning:
        told.append("Three numbers are fitted to three values of np, so the residual has no meaning.")
    if fit.oversubscribed:
        told.append("The fit includes oversubscribed values of np, because there are fewer than 3 others. It describes "
                    "these times, not a machine with enough cores.")
    return told
