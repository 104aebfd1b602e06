"""Writes machine files in the format of --calibrate, with invented constants."""
import json

COLLECTIVES = ["all_gather", "broadcast", "shift", "all_reduce", "reduce_scatter"]


def write(path, ranks, dtype="f32", **changes):
    """`changes` replace whole entries."""
    lines = [{"collective": collective, "ranks": among, "bytes_and_seconds": [[1, 1e-6], [1e6, 1e-3]]}
             for collective in COLLECTIVES for among in range(2, ranks + 1)]
    costs = dict.fromkeys(["per_call", "per_flop", "per_a_element", "per_b_element", "per_result_element"], 1e-9)
    content = {"np": ranks, "dtype": dtype, "product_seconds": costs, "collectives": lines, **changes}
    path.write_text(json.dumps(content))
    return path.name
