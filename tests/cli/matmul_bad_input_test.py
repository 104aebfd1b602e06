"""Bad input of `matmul`.

usage: matmul_bad_input_test.py MATMUL NP
"""
import os

import machine
import npy
from bad_input import main
from gpu import NO_GPU

SIZES = ["--m", "8", "--n", "6", "--k", "4"]


def matrix(rows, cols):
    return [[1.0] * cols for _ in range(rows)]


def option_cases(np):
    def sized(*arguments):
        return [*SIZES, *arguments]

    other = "2x2x1"  # of 4 ranks
    return [
        (sized("--no-such-option"), "no-such-option"), (sized("--repeats", "3"), "repeats"), (sized("word"), "'word'"),
        (sized("--m", "8"), "--m"), ([], "--m"), (["--n", "6", "--k", "4"], "--m"),
        (["--m", "-3", *SIZES[2:]], "--m"), (["--m", "1.5", *SIZES[2:]], "--m"), (["--m", "", *SIZES[2:]], "--m"),
        (["--m", "99999999999999999999", *SIZES[2:]], "--m"),
        (["--m", "1099511627776", "--n", "1099511627776", "--k", "1"], ["--m", "1099511627776"]),
        (sized("--mesh", other), ["--mesh", other, str(np)]), (sized("--mesh", "0x1x1"), "--mesh"),
        (sized("--mesh", "3x1431655766x1"), "--mesh '3x1431655766x1'"),  # the product is 2 in 32 bits
        (sized("--mesh", "65536x65536x1"), "--mesh '65536x65536x1'"), (sized("--mesh", "abc"), "--mesh"),
        (sized("--mesh", "1x1"), "--mesh"),
        (sized("--schedule", "shift", "--mesh", "2x3x1"), ["--schedule", "shift", "2x3x1"], {"np": 6}),
        (sized("--schedule", "hash"), ["--schedule", "hash"]), (sized("--dtype", "f16"), ["--dtype", "f16"]),
        (sized("--recombine", "sum"), ["--recombine", "sum"]), (sized("--device", "tpu"), "--device"),
        (sized("--memory-limit", "0"), "--memory-limit"), (sized("--memory-limit", "5x"), "--memory-limit"),
        (sized("--memory-limit", "-1GiB"), "--memory-limit"), (sized("--memory-limit", "nan"), "--memory-limit"),
        *((sized("--memory-limit", size), [f"--memory-limit '{size}'", "2^63 bytes"])
          for size in ["99999999999G", str(2**63)]),
        (sized("--memory-limit", "100", "--out", "C.npy"), "--memory-limit"),  # no room for the smallest tile
        (sized("--memory-limit", "300"), ["--memory-limit", "--out"]),  # C needs a file
        (["--m", "1000000", "--n", "1000000", "--k", "8"], ["--memory-limit", "GiB"]),  # 4 TB of C
        (sized("--memory-limit", "300", "--out", "C.npy", "--schedule", "shift"),
         ["--schedule shift", "--memory-limit"]),
        (sized("--out", "x", "--json", "./x"), ["--json ./x", "--out"]),  # one would replace the other
        (sized("--repeat", "0"), "--repeat"), (sized("--threads", "0"), "--threads"), (sized("--seed", "-1"), "--seed"),
        (sized("--alpha", "1e300"), ["--alpha 1e+300", "f64"]), (sized("--beta", "-1e39"), ["--beta -1e+39", "f64"]),
        (sized("--alpha", "nan"), "--alpha"), (sized("--beta", "inf"), "--beta"), (sized("--beta", "x"), "--beta"),
        (sized("--kernel", "fast"), ["--kernel", "fast"]), (sized("--collectives", "mpi"), "--collectives"),
        (sized("--kernel", "tensor"), ["--kernel tensor", "--dtype bf16"]),
        (sized("--kernel", "tensor", "--dtype", "f64"), ["--kernel tensor", "--dtype bf16"]),
        (sized("--kernel", "hopper"), ["--kernel hopper", "--dtype bf16"]),
        (sized("--device", "cpu", "--kernel", "tiled"), "--kernel"),
        (sized("--device", "cpu", "--collectives", "nccl"), "--collectives"),
        (sized("--device", "cuda"), ["--device cuda", "expected --device cpu"], {"environment": NO_GPU}),
        (sized("--alpha", "1", "--alpha", "2"), "alpha"), (sized("--config", "missing.cfg"), "missing.cfg"),
        (sized("--out", ""), "--out ''"), (sized("--machine", "m", "--config", "m"), "--config m"),
        (["--m", "1000000", "--n", "1000000", "--k", "8", "--memory-limit", "1TiB", "--out", "C.npy"],
         ["--memory-limit", "GiB"]),
    ]


def file_cases(root):
    a = npy.write(root / "a.npy", matrix(8, 4))
    b = npy.write(root / "b.npy", matrix(4, 6))
    c = npy.write(root / "c.npy", matrix(8, 6))
    truncated = root / "truncated.npy"
    truncated.write_bytes((root / "a.npy").read_bytes()[:-1])
    foreign = root / "foreign.npy"
    foreign.write_bytes(b"PK\x03\x04" * 64)
    empty = root / "empty.npy"
    empty.write_bytes(b"")
    parts = root / "complex.npy"
    parts.write_bytes(npy.header("<c8", "(2, 2)", False) + bytes(32))
    vector = root / "vector.npy"
    vector.write_bytes(npy.header("<f4", "(4,)", False) + bytes(16))
    files = ["--a", a, "--b", b]
    pipe = root / "pipe.npy"
    os.mkfifo(pipe)
    unreadable = [(path, path) for path in ["missing.npy", str(truncated), str(foreign), str(empty), str(root)]]
    unreadable += [(str(parts), ["complex.npy", "<c8", "A.real"]), (str(vector), "vector.npy")]
    long = root / "long.npy"  # an empty matrix with an extent of 2^63 - 1
    long.write_bytes(npy.header("<f4", "(9223372036854775807, 0)", False))
    none = root / "none.npy"
    none.write_bytes(npy.header("<f4", "(0, 0)", False))
    return [
        (["--a", str(long), "--b", str(none)], ["long.npy", "at most 2^40"], {"timeout": 60}),
        (["--a", a], "--b"), (["--b", b], "--a"), (["--a", a, "--b", b, "--m", "8"], "--m"),
        ([*files, "--beta", "1"], ["--beta", "--c"]), ([*files, "--c", c], ["--c", "--beta"]),
        ([*SIZES, "--c", c, "--beta", "1"], "--c"),
        (["--a", a, "--b", a], [f"--a {a} is [8,4]", f"--b {a} is [8,4]"]),
        ([*files, "--json", a], [f"--json {a}", "--a"]), ([*files, "--out", b], [f"--out {b}", "--b"]),
        ([*files, "--trans-b"], [f"--a {a} is [8,4]", f"--b {b} transposed is [6,4]"]),
        ([*files, "--c", a, "--beta", "1"], [f"--c {a} is [8,4]", "[8,6]"]),
        *((["--a", path, "--b", b], ["--a", words] if isinstance(words, str) else ["--a", *words])
          for path, words in unreadable),
        (["--a", str(pipe), "--b", b], f"--a {pipe}: is a FIFO; expected a regular .npy file"),
        ([*files, "--beta", "1", "--c", "/dev/null"],
         "--c /dev/null: is a character device; expected a regular .npy file"),
        (["--a", a, "--b", "missing.npy"], ["--b", "missing.npy"]),
        ([*files, "--c", "missing.npy", "--beta", "1"], ["--c", "missing.npy"]),
    ]


def output_cases(root):
    folder = root / "folder"
    folder.mkdir()
    link = root / "link"
    link.symlink_to("/dev/null")
    cases = []
    for option in ["--out", "--json", "--calibrate"]:
        for path in ["/nonexistent/file", str(folder)]:
            cases.append(([*SIZES, option, path], [option, path]))
        cases += [([*SIZES, option, "x" * 256], [option, "File name too long; expected a name of at most 255 bytes"]),
                  ([*SIZES, option, str(folder)],
                   f"{option} {folder}: is a folder; expected a regular file or a new name"),
                  ([*SIZES, option, str(link)],
                   f"{option} {link}: is a link to a character device; expected a regular file")]
    # If one output cannot be written, or nothing is multiplied, no other output may be left.
    good = ["--json", "j.json", "--calibrate", "c.json", "--out", "C.npy"]
    bad = "/nonexistent/file"
    cases += [([*SIZES, *good[:4], "--out", bad], "--out"), ([*SIZES, *good[2:], "--json", bad], "--json"),
              ([*SIZES, *good, "--mesh", "5x1x1"], "--mesh"), ([*SIZES, *good, "--machine", "missing"], "--machine")]
    # A limit of file sizes acts like a full disk. It is large enough for Open MPI's own files.
    full = {"largest_file": 64 << 20}
    large = ["--m", "4200", "--n", "4200", "--k", "1"]
    cases += [([*large, *good], "--out C.npy", full), ([*large, "--memory-limit", "1MiB", *good], "--out C.npy", full)]
    return cases


def machine_cases(root, np):
    def written(name, **changes):
        return machine.write(root / name, np, **changes)

    (root / "garbage.json").write_text("{ np: ")
    os.mkfifo(root / "pipe.json")
    (root / "keys.json").write_text("{" + ",".join(f'"{i}":0' for i in range(200000)) + "}")
    free = dict.fromkeys(["per_call", "per_flop", "per_a_element", "per_b_element", "per_result_element"], -1)
    names = ["keys.json", written("free.json", product_seconds=free), written("huge_np.json", np=2**32 + np),
             "missing.json", "pipe.json", "garbage.json", written("other_np.json", np=np + 1),
             written("f64.json", dtype="f64"),
             written("number.json", dtype=32), written("costs.json", product_seconds={}), written("text.json", np="2")]
    if np > 1:
        names.append(written("incomplete.json", collectives=[]))
        points = [{"collective": name, "ranks": np, "bytes_and_seconds": [[1, 1e-6]]} for name in machine.COLLECTIVES]
        names.append(written("one_point.json", collectives=points))
    known = ["--machine", str(root / written("known.json")), "--calibrate", "again.json"]
    return [([*SIZES, "--machine", str(root / name)], ["--machine", name]) for name in names] + [
        ([*SIZES, "--machine", str(root / "pipe.json")], "pipe.json: is a FIFO; expected a regular file"),
        ([*SIZES, *known], ["--machine", "--calibrate"])]


def explain_cases(root):
    """--explain only prints a small product: every option that it would not use is refused."""
    def explained(*arguments):
        return ["--explain", *arguments]

    def file(name, rows):
        return npy.write(root / name, rows)

    unused = [["--alpha", "2"], ["--beta", "1"], ["--seed", "3"], ["--memory-limit", "1GiB"], ["--plan"],
              ["--machine", "m.json"], ["--calibrate", "m.json"], ["--repeat", "2"], ["--verify"], ["--out", "C.npy"],
              ["--json", "j.json"], ["--quiet"]]
    large, infinite = file("large.npy", matrix(9, 9)), file("infinite.npy", [[float("inf")]])
    huge = file("huge.npy", [[1e30]])
    return [
        *((explained(*option), [f"{option[0]}: expected no --explain"]) for option in unused),
        (explained("--m", "9", "--n", "1", "--k", "1"), ["--explain", "C [9,1]", "from 1 to 8"]),
        (explained("--m", "4", "--n", "4", "--k", "0"), ["--explain", "k = 0", "from 1 to 8"]),
        (explained("--a", large, "--b", large), ["--explain", "C [9,9]", "from 1 to 8"]),
        (explained("--m", "4"), "--m, --n, --k"), (explained("--mesh", "3x3x1"), ["--mesh 3x3x1", "9 ranks"]),
        (explained(), ["--explain: 9 ranks", "at most 8"], {"np": 9}),
        (explained("--schedule", "shift", "--mesh", "2x3x1"), ["--schedule shift", "2x3x1", "i = j"], {"np": 6}),
        (explained("--a", infinite, "--b", infinite), ["--a, --b", "not finite in f32"]),
        (explained("--a", huge, "--b", huge), ["--a, --b", "not finite in f32"]),
    ]


def make_cases(root, np):
    return option_cases(np) + file_cases(root) + output_cases(root) + machine_cases(root, np) + explain_cases(root)


main(make_cases)
