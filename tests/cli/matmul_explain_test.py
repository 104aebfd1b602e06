"""`matmul --explain`: the same numbers on every mesh, their owners, and the bytes that ranks send.

usage: matmul_explain_test.py MATMUL [--update]
--update writes the golden files anew (golden.py).
"""
import pathlib
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from golden import Golden, flaws_of
from multiplier import SCHEDULES, Multiplier, in_parallel, made, product, transposed
from program import Checks
from pseudo_terminal import output_on

# name -> ranks, arguments. Every output is a golden file.
GOLDEN = {
    "np1": (1, []), "np2": (2, []), "np4": (4, []), "mesh_2x2x2": (8, ["--mesh", "2x2x2"]),
    "uneven_3": (3, ["--m", "5", "--n", "3", "--k", "4"]), "mesh_2x3x1": (6, ["--mesh", "2x3x1"]),
    "sharded_2x1x2": (4, ["--mesh", "2x1x2", "--recombine", "reduce-scatter", "--dtype", "f64"]),
    "shift_1x3x1": (3, ["--mesh", "1x3x1", "--schedule", "shift"]),
    "empty_1x1x4": (4, ["--mesh", "1x1x4", "--m", "3", "--n", "2", "--k", "2"]),
}
# Bytes of f32 that each rank sends for 4x4 matrices, by hand. On 2x2x1 a block of A or of B has 2 * 2 * 4 = 16 bytes;
# Cannon's first move costs rank (i, j) one more block of A if i > 0, and one more of B if j > 0. The sum of a C of 64
# bytes over 4 ranks takes 2 * 3/4 * 64 bytes.
BYTES = {
    "2x2x1": {"gather": [32] * 4, "panels": [32] * 4, "shift": [32, 48, 48, 64]},
    "1x1x4": {"gather": [96] * 4, "panels": [96] * 4, "shift": [96] * 4},
    "1x4x1": {"gather": [48] * 4, "panels": [48] * 4, "shift": [48] * 4},
    "2x1x2": {"gather": [48] * 4, "panels": [48] * 4, "shift": [48] * 4},
}


def before_meshes(text):
    """The part that does not depend on the mesh."""
    return text[:text.index("\nMesh ")]


def bytes_tables(text):
    """Per mesh: {schedule: bytes of each rank}."""
    tables = []
    for part in text.split("\nMesh ")[1:]:
        rows = re.findall(r"^    (\w+) +([0-9. ]+)$", part[part.index("Bytes that each rank sends"):], re.MULTILINE)
        tables.append({name: [float(word) for word in words.split()] for name, words in rows})
    return tables


def owners(text):
    return re.findall(r"[ABC]\d\d[a-h]?:[0-9+]+", text)


def check_golden(multiplier, checks, update):
    golden = Golden(checks, "matmul_explain", update)
    with ThreadPoolExecutor(3) as pool:
        runs = {name: pool.submit(multiplier.run, np, "--explain", *arguments)
                for name, (np, arguments) in GOLDEN.items()}
    texts = {name: run.result() for name, run in runs.items()}
    for name, text in texts.items():
        golden.compare(name, text)
    golden.finish()
    same = [before_meshes(texts[name]) for name in ["np1", "np2", "np4", "mesh_2x2x2", "mesh_2x3x1"]]
    checks.expect(len(set(same)) == 1, "the numbers before the meshes depend on the mesh")
    checks.expect("c11 = 1 * 1 + 2 * 3 + 3 * 0 + 4 * 2 = 15" in same[0], f"no c11: {same[0]}")
    held = [tuple(owners(texts[name])) for name in ["np2", "np4", "mesh_2x2x2", "mesh_2x3x1"]]
    checks.expect(len(set(held)) == len(held) and all(held), f"owners do not depend on the mesh: {held}")
    wide = [line for line in before_meshes(texts["sharded_2x1x2"]).splitlines() if "f64" not in line]
    checks.expect(wide == [line for line in same[0].splitlines() if "f32" not in line], "f64 has other numbers")
    return texts


def check_bytes(multiplier, checks, texts):
    """As counted by hand, and as in --json, which has the count of the rank that sends most."""
    found = dict(zip(["2x2x1", "1x1x4"], bytes_tables(texts["np4"])))
    quick = multiplier.quick(4)
    sizes = ["--m", "4", "--n", "4", "--k", "4", *quick]
    for mesh, expected in BYTES.items():
        if mesh not in found:
            (found[mesh],) = bytes_tables(multiplier.run(4, "--explain", "--mesh", mesh))
        in_all = {name: [*counts, sum(counts)] for name, counts in expected.items()}
        checks.expect(found[mesh] == in_all, f"{mesh}: bytes are {found[mesh]}, not {in_all}")

    def compare(case):
        mesh, schedule = case
        report = multiplier.report(4, *sizes, "--mesh", mesh, "--schedule", schedule)["bytes_sent_per_rank"]
        shown = found[mesh].get(schedule, [-1])[:-1]
        return None if report == max(shown, default=None) else f"--json has {report} bytes, --explain {shown}"

    in_parallel(checks, compare, [("1x1x4", "gather"), *(("2x2x1", schedule) for schedule in SCHEDULES)])
    single = bytes_tables(texts["sharded_2x1x2"])[0]  # f64; A and B as for all-reduce, C once instead of twice
    checks.expect(all(counts[:4] == [64] * 4 for counts in single.values()), f"reduce-scatter of f64: {single}")
    mean = "An element has 4 bytes. The bytes of a sum over ranks are their mean."
    for mesh, has_mean in [("1x1x3", True), ("3x1x1", False)]:
        shown = multiplier.run(3, "--explain", "--mesh", mesh)
        checks.expect((mean in shown) == has_mean and (" 85.3 " in shown) == has_mean, f"{mesh}: bytes of {shown}")


def last_matrix(text, rows, cols):
    """The numbers at the lower right of the first picture, if this matrix is as high as the others there."""
    picture = text[text.index("One element"):text.index("\n\n  c11")]
    lines = picture.splitlines()[-rows:]
    return [[float(word) for word in line.split()[-cols:]] for line in lines]


def check_files(multiplier, checks):
    """Any numbers, of files of several types, on meshes that cut them unevenly."""
    a, b = made(8, 7, 1), made(7, 5, 2)
    files = ["--a", multiplier.file("a.npy", a), "--b", multiplier.file("b.npy", b, "<f8", fortran=True)]
    expected = [[float(f"{float(f'{value:.6g}'):.4g}") for value in row] for row in product(a, b)]  # as number_text()
    texts = []
    for np, more in [(1, []), (3, []), (7, ["--mesh", "1x1x7"]), (6, ["--mesh", "3x1x2"]), (5, ["--dtype", "f32"])]:
        text = multiplier.run(np, "--explain", *files, *more)
        checks.expect(not flaws_of(text), f"np {np}: {flaws_of(text)}")
        found = last_matrix(text, 8, 5)
        checks.expect(found == expected, f"np {np}: C is {found}, not {expected}")
        texts.append(before_meshes(text))
    checks.expect(len(set(texts[:-1])) == 1, "the numbers before the meshes depend on the mesh")
    turned = multiplier.run(2, "--explain", "--a", multiplier.file("t.npy", transposed(a)), "--trans-a", *files[2:],
                            "--dtype", "bf16")
    checks.expect("t.npy transposed" in turned and "A or B has 2 bytes" in turned, f"--trans-a: {turned[:400]}")
    far = [[(-1.234 if (r + c) % 3 else 1.234) * 10.0**((5 * r + 3 * c) % 17 - 8) for c in range(8)] for r in range(8)]
    wide = multiplier.file("wide.npy", far)
    text = multiplier.run(8, "--explain", "--a", wide, "--b", wide)
    checks.expect(not flaws_of(text), f"wide numbers: {flaws_of(text)}")


def check_colour(multiplier, checks, plain):
    """Only on a terminal, and not with NO_COLOR. Without its codes the text is the same."""
    def shown_on(terminal, environment=None):
        text, _ = output_on(terminal, [multiplier.program, "--explain"], multiplier.folder, environment)
        return text.replace("\r\n", "\n")

    coloured = shown_on("xterm")
    checks.expect("\x1b[1mOne element" in coloured, f"no heading in bold: {coloured[:200]!r}")
    checks.expect(re.sub(r"\x1b\[\d*m", "", coloured) == plain, "other text on a terminal")
    for terminal, environment in [("xterm", {"NO_COLOR": "1"}), ("dumb", {})]:
        text = shown_on(terminal, environment)
        checks.expect(text == plain, f"{terminal}, {environment}: {text[:200]!r}")


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        multiplier = Multiplier(pathlib.Path(sys.argv[1]), folder, checks)
        texts = check_golden(multiplier, checks, "--update" in sys.argv[2:])
        check_bytes(multiplier, checks, texts)
        check_files(multiplier, checks)
        check_colour(multiplier, checks, texts["np1"])
    checks.finish()


main()
