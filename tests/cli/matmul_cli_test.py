"""Multiplies as a user does, on several numbers of ranks: every kind of file, plans, streaming and reports.

usage: matmul_cli_test.py MATMUL
"""
import math
import random
import sys
import tempfile

from multiplier import MESHES, SCHEDULES, Multiplier, difference, in_parallel, made, product, to_bf16, transposed
from program import ENDS, PATIENT, Checks, files_in, run, start, wait_for

M, N, K = 13, 11, 9
KEYS = {"np", "mesh", "schedule", "panel", "recombine", "streamed", "device", "collectives", "kernel", "threads", "m",
        "n", "k", "dtype", "conversions", "repeat", "seconds", "seconds_min", "seconds_max", "predicted_seconds",
        "gflops", "gflops_per_rank", "peak_gflops", "peak_burst_gflops", "mfu",
        "product_seconds", "exposed_communication_seconds", "io_seconds", "slowest_rank", "recombine_seconds",
        "recombine_algbw_gbs", "recombine_busbw_gbs", "load_seconds", "store_seconds", "bytes_sent_per_rank",
        "peak_bytes_per_rank", "relative_error", "error_share_of_bound", "element_relative_error",
        "version", "build", "hosts", "processor", "libraries"}


def check_files(multiplier, checks):
    """Every order and type of file, transposed or not, in every type of product, on every mesh by every schedule."""
    a, b, c = made(M, K, 1), made(K, N, 2), made(M, N, 3)
    names = {}
    for letter, rows in [("a", a), ("b", b), ("c", c)]:
        for kind in ["<f4", "<f8"]:
            for fortran in [False, True]:
                for swapped in [False, True]:
                    key = (letter, kind, fortran, swapped)
                    names[key] = multiplier.file(f"{letter}{kind[1:]}{fortran:d}{swapped:d}.npy",
                                                 transposed(rows) if swapped else rows, kind, fortran)
    ways = [(np, ["--mesh", mesh, "--schedule", schedule]) for np, meshes in MESHES.items() for mesh in meshes
            for schedule in SCHEDULES]
    ways += [(np, ["--recombine", "reduce-scatter", "--mesh", f"1x1x{np}"]) for np in [2, 3, 4]]
    ways += [(np, []) for np in MESHES]
    factors = [(1, 0), (-0.5, 0), (1, 1), (0.5, -2), (0, 0.5), (0, 0)]
    cases = []
    for at, (np, way) in enumerate(ways):  # kinds of file, types and factors take turns
        draw = random.Random(at)
        cases.append((np, way, draw.choice(["<f4", "<f8"]), draw.choice(["<f4", "<f8"]), draw.random() < 0.5,
                      draw.random() < 0.5, draw.random() < 0.5, draw.random() < 0.5, ["f32", "f64", "bf16"][at % 3],
                      factors[at % len(factors)]))

    def problem(case):
        np, way, kind_a, kind_b, fortran_a, fortran_b, trans_a, trans_b, dtype, (alpha, beta) = case
        arguments = ["--a", names["a", kind_a, fortran_a, trans_a], "--b", names["b", kind_b, fortran_b, trans_b],
                     *multiplier.quick(np, dtype), "--alpha", alpha, "--beta", beta, "--verify", *way]
        arguments += ["--trans-a"] * trans_a + ["--trans-b"] * trans_b
        if beta != 0:
            arguments += ["--c", names["c", kind_b, fortran_a, False]]
        expected = product(a, b, alpha, beta, c if beta != 0 else None)
        if dtype == "bf16":
            expected = [[to_bf16(value) for value in row] for row in expected]
        return difference(multiplier.result(np, *arguments), expected, "<f8" if dtype == "f64" else "<f4")

    in_parallel(checks, problem, cases)


def check_rounding(multiplier, checks):
    """Random elements, whose products are rounded."""
    draw = random.Random(4)
    a, b = ([[draw.uniform(-1, 1) for _ in range(cols)] for _ in range(rows)] for rows, cols in [(20, 70), (70, 15)])
    files = ["--a", multiplier.file("ra.npy", a, "<f8"), "--b", multiplier.file("rb.npy", b, "<f8")]
    for dtype, tolerance in [("f64", 1e-14), ("f32", 1e-5), ("bf16", 0.1)]:
        for np in [1, 3]:
            _, rows = multiplier.result(np, *files, "--dtype", dtype, "--verify")
            worst = max(abs(x - y) for pair in zip(rows, product(a, b)) for x, y in zip(*pair))
            checks.expect(0 < worst < tolerance, f"{dtype}, np {np}: an error of {worst}, not below {tolerance}")


def check_empty(multiplier, checks):
    """Matrices without rows, columns or terms, and matrices of one element."""
    cases = [(np, mesh, sizes) for sizes in [(4, 3, 0), (0, 3, 4), (4, 0, 3), (0, 0, 0), (1, 1, 1)]
             for np, mesh in [(1, "auto"), (2, "1x1x2"), (4, "auto"), (4, "2x2x1")]]
    for _, _, (m, n, k) in cases:
        multiplier.file(f"empty_a{m}{k}.npy", made(m, k, 1), cols=k)
        multiplier.file(f"empty_b{k}{n}.npy", made(k, n, 2), cols=n)

    def problem(case):
        np, mesh, (m, n, k) = case
        a, b = made(m, k, 1), made(k, n, 2)
        expected = [[sum(row[x] * b[x][j] for x in range(k)) for j in range(n)] for row in a]
        files = ["--a", f"empty_a{m}{k}.npy", "--b", f"empty_b{k}{n}.npy"]
        return difference(multiplier.result(np, *files, *multiplier.quick(np), "--mesh", mesh, "--verify"), expected)

    in_parallel(checks, problem, cases)
    report = multiplier.report(2, "--m", 0, "--n", 5, "--k", 4, "--verify")
    checks.expect(report["gflops"] == 0 and report["relative_error"] == 0, f"no rows: {report}")


def check_made(multiplier, checks):
    """Elements computed from their index are the same on every mesh, and differ with another seed."""
    sizes = ["--m", 40, "--n", 30, "--k", 1, "--verify"]  # k = 1: no sum, so nothing is rounded in another order
    expected = multiplier.result(1, *sizes)

    def problem(case):
        np, mesh = case
        return difference(multiplier.result(np, *sizes, *multiplier.quick(np), "--mesh", mesh), expected[1])

    in_parallel(checks, problem, [(np, mesh) for np, meshes in MESHES.items() for mesh in meshes])
    checks.expect(multiplier.result(1, *sizes, "--seed", 2) != expected, "another seed makes the same elements")
    multiplier.run(3, "--m", 40, "--n", 30, "--k", 20, "--beta", 0.5, "--verify")


def check_plan(multiplier, checks):
    sizes = ["--m", 300, "--n", 200, "--k", 100]
    for np in [1, 2, 4]:
        machine = f"machine{np}.json"
        before = set(multiplier.folder.iterdir())
        planned = multiplier.run(np, *sizes, "--plan", "--out", "no.npy", "--json", "no.json", "--calibrate", machine)
        added = {path.name for path in set(multiplier.folder.iterdir()) - before}
        checks.expect(added == {machine}, f"np {np}: --plan leaves {added}")
        checks.expect("GFLOP/s" not in planned and "candidate" in planned, f"np {np}: --plan prints {planned}")
        table = [line.split()[0] for line in planned.splitlines() if line[:1].isdigit()]
        checks.expect(len(table) >= 1 and all(math.prod(map(int, mesh.split("x"))) == np for mesh in table),
                      f"np {np}: the table's meshes are {table}")
        chosen = planned.split("chosen: ")[-1].split(",")[0]
        checks.expect(chosen.split()[0] == table[0], f"np {np}: {chosen} is chosen, not the first of {table}")
        again = multiplier.run(np, *sizes, "--plan", "--machine", machine)
        checks.expect(again == planned, f"np {np}: the same machine gives another plan:\n{planned}\n{again}")
        report = multiplier.report(np, *sizes, "--machine", machine, "--quiet")
        way = f"{report['mesh']} {report['schedule']}"
        checks.expect(chosen.startswith(way), f"np {np}: {way} is run, {chosen} was planned")


def parts_add_up(report):
    """The slowest rank's parts are its time; no part is longer than on the rank where it is longest."""
    slowest = report["slowest_rank"]
    if report["np"] == 1:
        return slowest is None
    parts = {key: slowest[key] for key in ("product_seconds", "exposed_communication_seconds", "io_seconds")}
    return (slowest["rank"] in range(report["np"]) and slowest["seconds"] == report["seconds"]
            and math.isclose(sum(parts.values()), report["seconds"], rel_tol=1e-6)
            and all(0 <= seconds <= report[key] for key, seconds in parts.items()))


def check_report(multiplier, checks):
    def close(x, y):
        return math.isclose(x, y, rel_tol=1e-9)

    for np, arguments in [(1, []), (2, ["--mesh", "1x1x2"]), (4, ["--mesh", "2x2x1", "--schedule", "shift"]),
                          (3, ["--mesh", "1x1x3", "--recombine", "reduce-scatter"]), (2, ["--dtype", "f64"]),
                          (2, ["--dtype", "bf16", "--threads", 2])]:
        r = multiplier.report(np, "--m", 120, "--n", 90, "--k", 60, "--repeat", 3, "--verify", "--quiet", *arguments)
        checks.expect(r.keys() == KEYS, f"keys {sorted(r.keys() ^ KEYS)} are missing or new")
        options = dict(zip(arguments[::2], arguments[1::2]))
        consistent = {
            "sizes": (r["m"], r["n"], r["k"], r["np"], r["repeat"]) == (120, 90, 60, np, 3),
            "mesh": math.prod(map(int, r["mesh"].split("x"))) == np and r["mesh"] == options.get("--mesh", r["mesh"]),
            "schedule": r["schedule"] == options.get("--schedule", r["schedule"]) and r["schedule"] in SCHEDULES,
            "recombine": r["recombine"] == options.get("--recombine", "all-reduce"),
            "dtype": r["dtype"] == options.get("--dtype", "f32"),
            "threads": r["threads"] == options.get("--threads", 1),
            "device": isinstance(r["device"], str) and r["device"] != "", "streamed": r["streamed"] is False,
            "collectives": r["collectives"] == "mpi", "kernel": r["kernel"] == "library",
            "seconds": 0 < r["seconds_min"] <= r["seconds"] <= r["seconds_max"],
            "predicted": r["predicted_seconds"] > 0,
            "gflops": close(r["gflops"], 2 * 120 * 90 * 60 / r["seconds"] / 1e9),
            "gflops_per_rank": close(r["gflops_per_rank"], r["gflops"] / np),
            "burst": r["peak_burst_gflops"] == r["peak_gflops"],  # on a CPU
            "mfu": r["peak_gflops"] > 0 and close(r["mfu"], r["gflops"] / r["peak_gflops"]),
            "waiting": 0 <= r["exposed_communication_seconds"] <= r["seconds"],
            "products": 0 < r["product_seconds"] <= r["seconds"],
            "slowest rank": parts_add_up(r),
            "error": 0 <= r["relative_error"] < 0.01 and 0 <= r["error_share_of_bound"] <= 1,
            "loops": 0 <= r["element_relative_error"] < 0.01,
            "bytes": (r["bytes_sent_per_rank"] > 0) == (np > 1) and r["peak_bytes_per_rank"] > 0,
            "rate": ((r["recombine_busbw_gbs"] or 0) > 0) == (r["mesh"][-1] != "1"),
            "no sum": r["mesh"][-1] != "1"
            or all(r[f"recombine_{key}"] is None for key in ["seconds", "algbw_gbs", "busbw_gbs"])}
        checks.expect(all(consistent.values()), f"{arguments}: {[x for x, y in consistent.items() if not y]}: {r}")
        if r["mesh"] == "1x1x2":
            sent = 120 * 90 * (8 if r["dtype"] == "f64" else 4)
            checks.expect(r["bytes_sent_per_rank"] == sent, f"{r['bytes_sent_per_rank']} bytes sent, not {sent}")
    unverified = multiplier.report(2, "--m", 9, "--n", 9, "--k", 9, "--quiet")
    checks.expect(unverified["relative_error"] is None and unverified["repeat"] == 1, f"not verified: {unverified}")


def check_config(multiplier, checks):
    (multiplier.folder / "job.cfg").write_text(
        "m = 8\nn = 7\nk = 6  # a comment\ndtype = f64\nverify = true\nquiet = true\n")
    report = multiplier.report(2, "--config", "job.cfg", "--n", 5)
    found = [report[key] for key in ["m", "n", "k", "dtype"]]
    checks.expect(found == [8, 5, 6, "f64"] and report["relative_error"] is not None, f"--config: {report}")
    checks.expect(multiplier.run(2, "--config", "job.cfg") == "", "--quiet prints something")
    text = multiplier.run(2, "--help")
    checks.expect(text.count("usage:") == 1 and "--memory-limit" in text, f"--help: {text}")


def check_streaming(multiplier, checks):
    """C of 1.3 MiB, from operands of 2.7 MiB, in a memory of 1 MiB; the same bytes as from memory."""
    m, n, k = 700, 500, 600
    a = multiplier.file("large_a.npy", made(m, k, 1))
    b = multiplier.file("large_b.npy", made(k, n, 2), "<f4", True)
    c = multiplier.file("large_c.npy", made(m, n, 3), "<f8")
    plain, scaled = ["--a", a, "--b", b], ["--a", a, "--b", b, "--c", c, "--alpha", 0.5, "--beta", -2]
    jobs = {"plain": (plain, "f32"), "f32": (scaled, "f32"), "bf16": (scaled, "bf16"), "f64": (scaled, "f64")}
    for name, (job, dtype) in jobs.items():
        multiplier.run(2, *job, "--dtype", dtype, "--quiet", "--verify", "--out", f"memory_{name}.npy")
    cases = [(np, mesh, "plain") for np in [1, 2, 4] for mesh in ["auto", *MESHES[np]]]
    cases += [(np, mesh, name) for np, mesh in [(1, "auto"), (2, "1x1x2"), (4, "2x1x2")]
              for name in ["f32", "bf16", "f64"]]

    def problem(case):
        np, mesh, name = case
        repeat = 2 if name == "bf16" else 1
        out = multiplier.folder / f"stream_{np}_{mesh}_{name}.npy"
        job, dtype = jobs[name]
        report = multiplier.report(np, *job, *multiplier.quick(np, dtype), "--mesh", mesh, "--memory-limit", "1MiB",
                                   "--verify", "--out", out.name, "--repeat", repeat)
        within = 0 < report["peak_bytes_per_rank"] <= 1 << 20
        if report["repeat"] != repeat:
            return f"--repeat {repeat}: {report}"
        if report["recombine_seconds"] is not None:
            return f"sums of tiles are not timed: {report}"
        if not report["streamed"] or not within or report["relative_error"] is None:
            return f"not streamed, not within its limit or not verified: {report}"
        expected = (multiplier.folder / f"memory_{name}.npy").read_bytes()
        return None if out.exists() and out.read_bytes() == expected else "other bytes than from memory"

    in_parallel(checks, problem, cases)
    text = multiplier.run(2, *plain, *multiplier.quick(2, "f32"), "--memory-limit", "1MiB", "--plan")
    checks.expect("chosen" in text and "streamed" in text, f"--plan of what streams, which needs no --out: {text}")
    text = multiplier.run(2, "--m", 1 << 20, "--n", 1 << 20, "--k", 1 << 20, *multiplier.quick(2, "f32"), "--plan")
    checks.expect("chosen" in text, f"--plan of what no memory here holds: {text}")


def check_one_rank_fails(multiplier, checks):
    """Rank 1 has no memory for its C of 1 GB: it reports that, and the other ranks end too."""
    limited = multiplier.folder / "limited.sh"
    limited.write_text('#!/bin/bash\n[ "$OMPI_COMM_WORLD_RANK" = 1 ] && ulimit -v 1200000\nexec "$@"\n')
    limited.chmod(0o755)
    done = run(limited, 2, multiplier.program, "--m", 16000, "--n", 16000, "--k", 16, "--mesh", "1x1x2", "--threads", 1,
               "--quiet", "--out", "c.npy", "--json", "c.json", *multiplier.quick(2, "f32"), cwd=multiplier.folder,
               timeout=60, **PATIENT)
    lines = done.stderr.splitlines()
    told = len(lines) == 1 and lines[0].startswith("matmul: rank 1 on ") and "allocate" in lines[0]
    checks.expect(done.returncode == 1 and told, f"one rank fails: exit {done.returncode}: {done.stderr}")


def check_ended(multiplier, checks):
    """A job that is ended from outside during its work leaves no file."""
    files = ["--out", "ended.npy", "--json", "ended.json"]
    for way, end in ENDS.items():
        with start(multiplier.program, 2, "--m", 8000, "--n", 8000, "--k", 8000, "--repeat", 1000, "--quiet",
                   *multiplier.quick(2, "f32"), *files, cwd=multiplier.folder, **PATIENT) as job:
            appeared = wait_for(lambda: len(list(multiplier.folder.glob(".recombine-*.tmp"))) == 2)
            checks.expect(appeared, "no temporary files to be removed")
            end(job)
            job.communicate(timeout=60)
        left = [name for name in files_in(multiplier.folder) if name.startswith("ended")]
        checks.expect(job.returncode != 0 and not left, f"{way}: exit {job.returncode}, left {left}")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        multiplier = Multiplier(sys.argv[1], folder, checks)
        for check in [check_files, check_rounding, check_empty, check_made, check_plan, check_report, check_config,
                      check_streaming, check_one_rank_fails, check_ended]:
            check(multiplier, checks)
        left = [name for name in files_in(folder) if name.endswith(".tmp")]
        checks.expect(not left, f"temporary files are left: {left}")
    checks.finish()


main()
