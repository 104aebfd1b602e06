"""The pictures of the READMEs are what launch/pictures/draw.py draws, and what they show is what `matmul` does.

usage: pictures_test.py MATMUL REPOSITORY
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
import npy
from program import Checks, run, run_test

NAMES = ("folders.svg", "mesh.svg", "product.svg", "training.svg")
LARGEST = 15000  # bytes
SVG = "{http://www.w3.org/2000/svg}"


def words_of(node):
    """The texts in `node`, in their order."""
    return [text.text for text in node.iter(f"{SVG}text")]


def groups_of(path):
    """{id: texts} of the groups of a picture."""
    return {group.get("id"): words_of(group) for group in ElementTree.parse(path).iter(f"{SVG}g")}


def explained(matmul, folder, *options):
    done = run(matmul, 8, "--explain", "--mesh", "2x2x2", "--schedule", "gather", *options, cwd=folder)
    return done.stdout if done.returncode == 0 else f"exit {done.returncode}: {done.stderr}"


def check_files(checks, repository, scratch):
    """The committed files have the bytes that the script draws. `scratch` gets a copy of the script."""
    pictures = repository / "launch/pictures"
    drawn = scratch / "launch/pictures"
    shutil.copytree(pictures, drawn, ignore=shutil.ignore_patterns("*.svg", "__pycache__"))
    shutil.copytree(repository / "launch/examples", scratch / "launch/examples")
    subprocess.run([sys.executable, drawn / "draw.py"], check=True)
    committed = sorted(path.name for path in pictures.glob("*.svg"))
    checks.expect(committed == list(NAMES), f"launch/pictures has {committed}; expected {NAMES}")
    for name in NAMES:
        content = (drawn / name).read_bytes()
        checks.expect(content == (pictures / name).read_bytes(),
                      f"launch/pictures/{name}: not what launch/pictures/draw.py draws; run it")
        checks.expect(len(content) <= LARGEST, f"{name}: {len(content)} bytes; expected at most {LARGEST}")
        checks.expect(ElementTree.fromstring(content).find(f"{SVG}title") is not None, f"{name}: has no title")
    return drawn


def check_places(checks, path):
    """All of a picture's texts begin in it, and none lies on another."""
    root = ElementTree.parse(path).getroot()
    width, height = (float(root.get(side)) for side in ("width", "height"))
    places = [(float(text.get("x")), float(text.get("y"))) for text in root.iter(f"{SVG}text")]
    inside = all(0 < x < width and 0 < y < height for x, y in places)
    checks.expect(inside, f"{path.name}: a text is outside of it")
    checks.expect(len(places) == len(set(places)), f"{path.name}: two texts are at the same place")


def check_mesh(checks, shown, told):
    """mesh.svg has the blocks that each rank of matmul multiplies, and the ranks that it sums."""
    groups = groups_of(shown)
    ranks = re.findall(r"(\d)  (?! ).* C(\d)(\d) = (A.*)", told)
    partners = dict(re.findall(r"(\d)  C\d\d: all-reduce with (\d)", told))
    checks.expect([rank for rank, *_ in ranks] == list("01234567") and len(partners) == 8,
                  f"--explain: ranks {ranks}, sums {partners}; expected 8 of each in\n{told}")
    for rank, row, col, products in ranks:
        part = re.fullmatch(r"A\d(\d) B\1\d", products)
        checks.expect(part, f"rank {rank}: {products}; expected one block of A and one of B")
        place = f"({int(row) - 1}, {int(col) - 1}, {int(part[1]) - 1 if part else '?'})"
        expected = [f"rank {rank}", place, products]
        checks.expect(groups[f"rank{rank}"] == expected, f"mesh.svg: {groups[f'rank{rank}']}; matmul has {expected}")
        expected = [f"C{row}{col}", "ranks " + " + ".join(sorted((rank, partners[rank])))]
        checks.expect(groups[f"C{row}{col}"] == expected, f"mesh.svg: {groups[f'C{row}{col}']}; matmul: {expected}")


def check_folders(checks, shown, repository):
    """All folders that folders.svg names exist."""
    for group, words in groups_of(shown).items():
        for folder in re.findall(r"[a-z_]+(?=/)", " ".join(words)):
            place = repository / ("" if folder == group else group) / folder
            checks.expect(place.is_dir(), f"folders.svg: {place} is no folder")
    checks.expect(set(groups_of(shown)) == {"launch", "src", "distributed", "kernels", "tests"},
                  f"folders.svg: {groups_of(shown)}")


def numbers_of(path):
    return sorted(word for word in words_of(ElementTree.parse(path).getroot()) if re.fullmatch(r"\d+", word))


def expected_numbers(a, b):
    """All numbers of product.svg, sorted: A, B and C; then A11, B11, A12, B21, two terms and their sum."""
    def product(cols):
        return [[sum(a[row][k] * b[k][col] for k in cols) for col in (0, 1)] for row in (0, 1)]

    whole = [[sum(a[row][k] * b[k][col] for k in range(4)) for col in range(4)] for row in range(4)]
    blocks = [[row[0:2] for row in a[0:2]], [row[0:2] for row in b[0:2]], [row[2:4] for row in a[0:2]],
              [row[0:2] for row in b[2:4]], product((0, 1)), product((2, 3)), [row[0:2] for row in whole[0:2]]]
    return sorted(str(int(value)) for matrix in (a, b, whole, *blocks) for row in matrix for value in row)


def check_product(checks, drawn):
    """product.svg has the numbers of the example's files, also after they change."""
    examples = drawn.parent / "examples"
    for change in (0, 5):
        a, b = (npy.read(examples / name)[1] for name in ("four_a.npy", "four_b.npy"))
        a[0][3] += change
        npy.write(examples / "four_a.npy", a)
        subprocess.run([sys.executable, drawn / "draw.py"], check=True)
        found, expected = numbers_of(drawn / "product.svg"), expected_numbers(a, b)
        checks.expect(found == expected, f"product.svg, {change} added: {found}; expected {expected}")


def main():
    matmul, repository = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        drawn = check_files(checks, repository, pathlib.Path(folder))
        for name in NAMES:
            check_places(checks, drawn / name)
        check_mesh(checks, drawn / "mesh.svg", explained(matmul, folder))
        check_folders(checks, drawn / "folders.svg", repository)
        check_product(checks, drawn)
    checks.finish()


run_test(main)
