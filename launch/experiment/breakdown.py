"""What the summaries contain besides the time of a run: the parts of the time, bytes, bandwidth and prediction.

All functions take a Point of speedup.py. They return None, or an empty dictionary, if its summaries lack the values. A
"unit" is one training step or one product.
"""
from statistics import fmean, median

PARTS = {  # name -> key in the summary
    "train": {"compute": "compute_seconds", "exposed communication": "exposed_communication_seconds",
              "input": "input_seconds", "evaluation": "evaluation_seconds", "other": "other_seconds"},
    "matmul": {"product": "product_seconds", "exposed communication": "exposed_communication_seconds",
               "io": "io_seconds"},
}
EXPOSED = "exposed communication"
RECOMBINE = "recombine over k"


def number(value):
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def summaries(point):
    return [run["summary"] for run in point.runs if isinstance(run.get("summary"), dict)]


def parts(point, program):
    """{part: share of the wall time}, the mean over the runs. The shares add up to 1."""
    keys = PARTS.get(program, {})
    shares = []
    for summary in summaries(point):
        if program == "matmul" and isinstance(summary.get("slowest_rank"), dict):
            summary = {**summary, **summary["slowest_rank"]}  # the parts of one rank add up to its time
        found = {part: max(value, 0) for part, key in keys.items() if (value := number(summary.get(key))) is not None}
        if not found or (program == "matmul" and "product" not in found):  # a GPU hides the parts of a product
            return None
        rest = (number(summary.get("seconds")) or 0) - sum(found.values())
        if program == "matmul" and rest > 0:
            found["other"] = rest
        total = sum(found.values())
        if total <= 0:
            return None
        shares.append({part: seconds / total for part, seconds in found.items()})
    return {part: fmean(share.get(part, 0) for share in shares)
            for part in [*keys, "other"] if any(part in share for share in shares)} if shares else None


def _units(summary):
    """Units that the values of a summary are for: the steps of a training run; of matmul, one product."""
    return number(summary.get("steps")) or 1


def bytes_sent(point):
    """Bytes that a rank sends per unit."""
    sent = [value / _units(summary) for summary in summaries(point)
            if (value := number(summary.get("bytes_sent_per_rank"))) is not None]
    return median(sent) if sent else None


def collectives(point):
    """{name: {"calls", "sent", "seconds" per unit, "busbw" in bytes per second}}; medians over the runs."""
    found = {}
    for summary in summaries(point):
        by_name = summary.get("collectives_by_name")
        for name, totals in by_name.items() if isinstance(by_name, dict) else ():
            row = found.setdefault(name, {"calls": [], "sent": [], "seconds": [], "busbw": []})
            sent, seconds = number(totals.get("bytes_sent")), number(totals.get("seconds"))
            values = {"calls": number(totals.get("calls")), "sent": sent, "seconds": seconds}
            for key, value in values.items():
                row[key] += [value / _units(summary)] if value is not None else []
            row["busbw"] += [sent / seconds] if sent and seconds else []
    return {name: {key: median(values) if values else None for key, values in row.items()}
            for name, row in found.items()}


def busbw(point, program):
    """{collective: bytes per second}: of collectives that send at least 1 % of the bytes."""
    if program == "matmul":
        rates = [value for summary in summaries(point)
                 if (value := number(summary.get("recombine_busbw_gbs"))) is not None]
        return {RECOMBINE: median(rates) * 1e9} if rates else {}
    rows = collectives(point)
    total = sum(row["sent"] or 0 for row in rows.values())
    return {name: row["busbw"] for name, row in rows.items() if row["busbw"] and row["sent"] >= 0.01 * total}


def predicted_seconds(point):
    found = [value for summary in summaries(point) if (value := number(summary.get("predicted_seconds"))) is not None]
    return median(found) if found else None
