#!/usr/bin/env python3
"""`matmul` reads the types of numpy.save, says what it converts, and says what to do with other types.

usage: array_types_test.py MATMUL SOURCE_FOLDER
"""
import functools
import pathlib
import shutil
import sys
import tempfile

import npy
from multiplier import Multiplier, difference, in_parallel, made, product
from program import Checks, run

TOLD = {"|b1": "b1 (bool), converted to f32", "|i1": "i1 (8-bit integers), converted to f32",
        "|u1": "u1 (unsigned 8-bit integers), converted to f32", "<i2": "i2 (16-bit integers), converted to f32",
        ">u2": "big-endian u2 (unsigned 16-bit integers), converted to f32",
        "<i4": "i4 (32-bit integers), converted to f32 (exact up to 2^24, with --dtype f64 always)",
        "<u4": "u4 (unsigned 32-bit integers), converted to f32 (exact up to 2^24, with --dtype f64 always)",
        "<i8": "i8 (64-bit integers), converted to f32 (exact up to 2^24, with --dtype f64 up to 2^53)",
        ">i8": "big-endian i8 (64-bit integers), converted to f32 (exact up to 2^24, with --dtype f64 up to 2^53)",
        "<u8": "u8 (unsigned 64-bit integers), converted to f32 (exact up to 2^24, with --dtype f64 up to 2^53)",
        "<f2": "f2 (16-bit floats), widened to f32", ">f2": "big-endian f2 (16-bit floats), converted to f32",
        ">f4": "big-endian f4, converted to f32"}
REFUSED = {"<c8": "complex numbers; expected real ones: save A.real and A.imag",
           "|O": "Python objects; expected numbers: save A.astype('float32')",
           "<U5": "texts; expected numbers: save A.astype('float32')",
           "<M8[s]": "dates or times; expected numbers: save A.astype('int64')",
           "<f16": "long doubles; expected f2, f4 or f8: save A.astype('float64')",
           "|V2": "no type that is known here; expected f2, f4, f8, i1 to i8, u1 to u8 or b1"}


def whole(rows, cols, descr):
    """Whole numbers that each type holds; a product of them is exact in f32."""
    most = 2 if descr == "|b1" else 100
    least = 50 if descr[1] in "if" else 0
    return tuple(tuple((7 * i + 13 * j) % most - least for j in range(cols)) for i in range(rows))


def check_given(multiplier, checks, source):
    """The files in tests/data/arrays: each A holds the same whole numbers."""
    for name in ["A_be_f4", "A_le_f2", "A_le_i8", "B"]:
        shutil.copy(source / "tests/data/arrays" / f"{name}.npy", multiplier.folder)
    found = {}
    for name in ["A_be_f4", "A_le_f2", "A_le_i8"]:
        found[name] = multiplier.result(2, "--a", f"{name}.npy", "--b", "B.npy")
        checks.expect(found[name] == found["A_be_f4"], f"{name}: another product than of A_be_f4")
    expected = [[-2, 10, 18], [23, -2, -9], [-19, 12, 19], [4, -9, 8], [-36, 24, 38]]
    wrong = difference(found["A_be_f4"], expected)
    checks.expect(wrong is None, f"A_be_f4: {wrong}")


def check_types(multiplier, checks):
    """Each type as A and B, in memory and streamed, in both orders, on several meshes."""
    expected = functools.cache(lambda *matrices: product(*[[[float(x) for x in row] for row in matrix]
                                                           for matrix in matrices]))

    def problem(case):
        descr, np, streamed = case
        m, n, k = (140, 130, 120) if streamed else (9, 5, 7)
        a, b = whole(m, k, descr), whole(k, n, descr)
        name = f"{descr[1:]}{descr[0] == '>'}{np}{streamed}"
        files = [multiplier.file(f"a{name}.npy", a, descr, fortran=np == 2),
                 multiplier.file(f"b{name}.npy", b, descr, fortran=np == 3)]
        limit = ["--memory-limit", "96KiB"] if streamed else []
        arguments = ["--a", files[0], "--b", files[1], *limit, *multiplier.quick(np), "--verify"]
        told = "; ".join(f"--{option} {path} is {TOLD[descr]}" for option, path in zip("ab", files))
        report = multiplier.report(np, *arguments, "--out", f"c{name}.npy")
        if report["conversions"] != told:
            return f"told {report['conversions']!r}, not {told!r}"
        if report["streamed"] != streamed:
            return f"streamed: {report['streamed']}"
        return difference(npy.read(multiplier.folder / f"c{name}.npy"), expected(a, b))

    in_parallel(checks, problem, [(descr, np, streamed) for descr in TOLD
                                  for np, streamed in [(1, True), (2, False), (2, True), (3, False)]])


def check_wide_integers(multiplier, checks):
    """2^24 + 1 is exact in f64 only; a file of f8 makes the product f64."""
    large, one = [[2**24 + 1, 0], [0, 2**53 - 1]], [[1.0, 0.0], [0.0, 1.0]]
    a = multiplier.file("large.npy", large, "<i8")
    narrow, wide = multiplier.file("one4.npy", one), multiplier.file("one8.npy", one, "<f8")
    for arguments, descr, expected in [(["--b", narrow], "<f4", [[2.0**24, 0], [0, 2.0**53]]),
                                       (["--b", narrow, "--dtype", "f64"], "<f8", large),
                                       (["--b", wide], "<f8", large)]:
        wrong = difference(multiplier.result(1, "--a", a, *arguments), expected, descr)
        checks.expect(wrong is None, f"large integers, {arguments}: {wrong}")
    told = multiplier.report(1, "--a", a, "--b", wide)["conversions"]
    checks.expect(told == f"--a {a} is i8 (64-bit integers), converted to f64 (exact up to 2^53)", f"told {told}")


def check_refused(multiplier, checks):
    b = multiplier.file("b.npy", made(4, 2, 1))
    headers = {descr: (f"'{descr}'", "(3, 4)", text) for descr, text in REFUSED.items()}
    headers["fields"] = ("[('x', '<f4'), ('y', '<f4')]", "(3, 4)", "several fields; expected numbers: save one field")
    headers["vector"] = ("'<f4'", "(4,)",
                         "has 1 dimension; expected 2: save A.reshape(4, 1), a column, or A.reshape(1, 4)")
    headers["cube"] = ("'<f4'", "(2, 3, 4)", "has 3 dimensions [2,3,4]; expected 2: save A.reshape(2, 12)")
    for name, (descr, shape, text) in headers.items():
        path = multiplier.folder / "refused.npy"
        size = {"vector": 16, "cube": 96}.get(name, 48)
        path.write_bytes(npy.header("<f4", shape, False).replace(b"'<f4'", descr.encode(), 1) + bytes(size))
        content = path.read_bytes()
        length = len(content) - 10 - size
        path.write_bytes(content[:8] + length.to_bytes(2, "little") + content[10:])
        refuse(multiplier, checks, ["--a", "refused.npy", "--b", b], "--a refused.npy: has", text)
    (multiplier.folder / "a.npz").write_bytes(b"PK\x03\x04" * 64)
    refuse(multiplier, checks, ["--a", "a.npz", "--b", b], "--a a.npz: is an .npz archive",
           "numpy.load('FILE.npz')['NAME']")


def refuse(multiplier, checks, arguments, *parts):
    done = run(multiplier.program, 2, *arguments, cwd=multiplier.folder)
    lines = done.stderr.strip().splitlines()
    told = [line for line in lines if line.startswith("matmul: ")]
    checks.expect(done.returncode == 2 and len(told) == 1 and all(part in told[0] for part in parts),
                  f"{arguments}: exit {done.returncode}, {done.stderr!r}, not {parts}")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        multiplier = Multiplier(sys.argv[1], folder, checks)
        check_given(multiplier, checks, pathlib.Path(sys.argv[2]))
        check_types(multiplier, checks)
        check_wide_integers(multiplier, checks)
        check_refused(multiplier, checks)
    checks.finish()


main()
