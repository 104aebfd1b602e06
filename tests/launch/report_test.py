"""The report of launch/experiment: complete files, no reference to other files, and no exception on odd results.

usage: report_test.py
"""
import base64
import copy
import html.parser
import pathlib
import random
import re
import tempfile

from experiment import failed, need_modules, record, results
from program import Checks, run_test

VOID = {"meta", "img", "br", "hr", "link", "input"}
REFERENCES = ("src", "srcset", "href", "xlink:href", "data", "action", "poster")
FILES = {f"{name}.{kind}" for name in ("time", "efficiency", "parts", "busbw") for kind in ("svg", "png")}
NUMBER = re.compile(r"-?[\d,.]+( to -?[\d,.]+)?( [^\d\W]?(B|s|B/s))?")


class Page(html.parser.HTMLParser):
    """References, images, cells, ids and the tags that stay open."""

    def __init__(self, text):
        super().__init__()
        self.references, self.images, self.cells, self.open, self.tags = [], [], [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.tags.add(tag)
        self.references += [named[key] for key in REFERENCES if key in named]
        if tag == "img":
            self.images.append(named)
        if tag in ("td", "th"):
            self.cells.append([tag, named.get("class") or "", ""])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1][2] += data


def outside(text):
    """References of HTML or SVG that are not inside the file."""
    found = Page(text).references + re.findall(r"url\(\s*[\"']?([^)\"']*)", text)
    found += re.findall(r"@import\s+[\"']([^\"']+)", text)
    return [name for name in found if not name.startswith(("#", "data:"))]


def make(results, folder):
    import report
    report.make(results, folder)
    return {path.name for path in folder.iterdir()}


def check_page(checks, text):
    page = Page(text)
    checks.expect(outside(text) == [], f"nothing is outside of the file: {outside(text)[:3]}")
    checks.expect(not page.tags & {"script", "link", "iframe", "object"}, f"no script or link: {page.tags}")
    checks.expect(page.open == [], f"all tags are closed: {page.open}")
    checks.expect(len(text.encode()) < 3_000_000, f"{len(text.encode())} bytes, expected less than 3 MB")
    checks.expect('name="viewport"' in text and 'lang="en"' in text, "viewport and language")
    for image in page.images:
        checks.expect(len(image.get("alt") or "") > 40 and "np 1" in image["alt"], f"alt text: {image.get('alt')}")
        kind, _, data = image["src"].partition(",")
        checks.expect(kind == "data:image/svg+xml;base64", f"image: {kind}")
        svg = base64.b64decode(data).decode()
        checks.expect(outside(svg) == [] and "<text" in svg, f"inside an SVG: text, and {outside(svg)[:3]}")
    numbers = [cell for cell in page.cells if cell[0] == "td" and NUMBER.fullmatch(cell[2].strip())]
    left = [cell for cell in numbers if "number" not in cell[1].split()]
    checks.expect(numbers and not left, f"{len(numbers)} cells are numbers; these are not on the right: {left[:3]}")
    checks.expect(re.search(r"td\.number\s*{[^}]*text-align:\s*right", text), "the style of these cells")
    return page


def check_full(checks, folder):
    """Both programs and modes, several meshes, failed and oversubscribed runs, in one file."""
    runs = results(programs=("train", "matmul"), modes=("strong", "weak"), sizes=(1, 2, 4, 16))
    runs += [record("matmul", "strong", 4, repeat, 0.02, mesh="1x2x2") for repeat in range(5)]
    runs += [failed(record("train", "strong", 8, 1, 1.0))]
    checks.expect(make(runs, folder) == FILES | {"table.md", "report.html"}, "all files, and no temporary one")
    text = (folder / "report.html").read_text(encoding="utf-8")
    page = check_page(checks, text)
    checks.expect(len(page.images) == 4, f"4 pictures: {len(page.images)}")
    table = (folder / "table.md").read_text(encoding="utf-8")
    for name, content in (("report.html", re.sub(r"\s+", " ", text)), ("table.md", table)):
        for needed in ("oversubscribed", "Efficiency on 4 ranks", "Best speed-up", "rows per step", "rows per rank",
                       "operations per rank, GFLOP", "Karp-Flatt", "sum gradient", "d6147bb", "oneDNN 2.6.3", "node1",
                       "measured / predicted", "16 threads on 8 cores", "What limits it"):
            checks.expect(needed in content, f"{name} has {needed!r}")
    checks.expect("out of memory &lt;on node1&gt; &amp; more" in text, "the output of a failed run, escaped")
    checks.expect("train: rank 1: out of memory <on node1> & more" in table, "the output of a failed run")
    checks.expect("'a b.csv'" in table, "the command, quoted for a shell")
    checks.expect(abs((folder / "time.png").stat().st_mode & 0o777) == 0o644, "readable by all, as umask 022 says")
    before = {name: (folder / name).read_bytes() for name in FILES | {"report.html", "table.md"}}
    make(runs, folder)
    changed = [name for name, data in before.items() if (folder / name).read_bytes() != data]
    checks.expect(not changed, f"the same results give the same bytes: {changed}")
    make([run for run in runs if run["np"] == 1], folder)
    checks.expect(not (folder / "busbw.svg").exists(), "no picture of an older report stays")


def check_truth(checks, folder):
    """The sentences agree with the numbers."""
    def sentences(runs):
        import findings
        import speedup
        from fit import fit_of
        series, = speedup.all_series(runs)
        return " ".join(findings.sentences(series, fit_of(series)))

    def parts_of(run):
        import breakdown
        import speedup
        return breakdown.parts(speedup.all_series([run])[0].points[0], run["program"])

    told = sentences(results(sizes=(1, 2, 4)))
    checks.expect("Three numbers are fitted to three values of np" in told, f"3 values of np: {told}")
    told = sentences([record("train", "strong", np, r, 0.012 / np**0.5, cores=2) for np in (1, 2, 4) for r in range(5)])
    checks.expect("Oversubscribed: np = 4 (4 threads on 2 cores)" in told, f"oversubscribed: {told}")
    run = record("matmul", "strong", 2, 1, 1.0)
    run["summary"]["slowest_rank"] = {"rank": 1, "seconds": 1.0, "product_seconds": 0.625, "io_seconds": 0.0,
                                      "exposed_communication_seconds": 0.375}
    parts = parts_of(run)
    checks.expect(parts == {"product": 0.625, "exposed communication": 0.375, "io": 0}, f"of one rank: {parts}")
    one_core = sentences([record("train", "strong", np, r, 0.012, cores=1) for np in (1, 2, 4) for r in range(5)])
    checks.expect("(2 threads on 1 core)" in one_core, f"one core: {one_core}")
    checks.expect("Best speed-up: 1.41" in told and "Efficiency on 2 ranks: 71 %" in told, f"without np 4: {told}")
    checks.expect("The fit includes oversubscribed values of np" in told, f"the fit: {told}")
    told = sentences([record("train", "strong", np, r, 0.012 * np, cores=8) for np in (1, 2) for r in range(5)])
    checks.expect("No np is faster than np = 1" in told, f"slower with every rank: {told}")
    noisy = {1: [0.01] * 5, 2: [0.008, 0.009, 0.012, 0.0095, 0.0085]}
    told = sentences([record("train", "strong", np, r, noisy[np][r]) for np in noisy for r in range(5)])
    checks.expect("Best speed-up: 1.11" in told and "The interval contains 1" in told, f"noise: {told}")
    told = sentences([record("train", "strong", np, r, 0.012 / np, cores=8) for np in (1, 2) for r in range(5)])
    checks.expect("Almost ideal up to 2 ranks" in told, f"ideal: {told}")
    waiting = [record("train", "strong", np, r, 0.012 / np + 0.004 * (np > 1)) for np in (1, 2) for r in range(5)]
    for run in waiting:
        seconds = 40 * run["seconds_per_unit"]
        ideal = 40 * 0.012 / run["np"]
        run["summary"].update(compute_seconds=ideal, input_seconds=0.0, exposed_communication_seconds=seconds - ideal)
    told = sentences(waiting)
    checks.expect("100 % is exposed communication" in told, f"ranks wait: {told}")


def damaged(run, seed):
    """The run without some keys, or with null instead of their values."""
    chooser = random.Random(seed)
    run = copy.deepcopy(run)
    for target in (run, run["summary"], run["work"]):
        for key in chooser.sample(sorted(target), chooser.randint(0, 3)):
            if chooser.random() < 0.5:
                del target[key]
            else:
                target[key] = None
    return run


def check_odd(checks, folder):
    """No exception, and a correct page, for results that lack something."""
    both = [*results(sizes=(1, 2), repeats=2), *results(programs=("matmul",), modes=("weak",), sizes=(1, 2), repeats=2)]
    cases = {
        "nothing": [],
        "one np": results(sizes=(1,)),
        "one run": results(sizes=(1,), repeats=1),
        "one repetition": results(sizes=(1, 2, 4), repeats=1),
        "only failures": [failed(run) for run in both],
        "np 1 failed": [failed(run) if run["np"] == 1 else run for run in both],
        "failures without output": [failed(run, None) for run in both],
        "no summary": [{**run, "summary": None} for run in both],
        "a GPU": [{**run, "summary": {**run["summary"], "exposed_communication_seconds": None, "product_seconds": None,
                                      "collectives_by_name": None}} for run in both],
        "no work": [{key: value for key, value in run.items() if key != "work"} for run in both],
        "only np": [{"np": 2, "exit_code": 0, "seconds_per_unit": 1.0}, {"np": 1}, {}],
        "prime np": results(sizes=(3, 5, 7), modes=("strong", "weak"), programs=("train", "matmul"), repeats=1),
        "other repeats": [run for run in both if (run["np"], run["repeat"]) != (2, 1)],
        "merged twice": both + both,
    }
    for seed in range(3):
        cases[f"damaged {seed}"] = [damaged(run, 100 * seed + index) for index, run in enumerate(both)]
    for name, runs in cases.items():
        made = folder / name
        try:
            files = make(runs, made)
        except Exception as error:  # each kind of exception is a failure of this case
            checks.expect(False, f"{name}: {error!r}")
            raise
        checks.expect({"report.html", "table.md"} <= files, f"{name}: {sorted(files)}")
        text = (made / "report.html").read_text(encoding="utf-8")
        checks.expect(outside(text) == [] and Page(text).open == [], f"{name}: a correct page")
        checks.expect("nan" not in re.sub(r"base64,[^\"]*", "", text).lower().split(), f"{name}: no NaN")


def check_failure(checks, folder):
    """If a file cannot be written, no temporary file stays, and the older file does."""
    import report
    folder.mkdir()
    (folder / "table.md").mkdir()
    (folder / "table.md" / "in the way").touch()
    try:
        report.make(results(), folder)
        checks.expect(False, "a folder named table.md is in the way")
    except OSError:
        pass
    checks.expect([path.name for path in folder.iterdir()] == ["table.md"], f"left: {list(folder.iterdir())}")


def main():
    need_modules()
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        check_full(checks, folder / "full")
        check_truth(checks, folder)
        check_odd(checks, folder)
        check_failure(checks, folder / "failure")
    checks.finish()


run_test(main)
