"""The results of gpu_check: a file of JSON lines, each written as soon as it is known, and the tables made from it."""
import json
import threading

EXPLANATION = """
ceiling: for kernels, a large copy on the GPU (bytes read and written); for products, the library's fastest of that
type; for train, the peak that it measured at its start, so the share is the MFU. GB/s: 1e9 bytes per second. Kernels
count the bytes that they must move; all_reduce has busbw = algbw 2 (N-1)/N, algbw = bytes / seconds. Times: the host's
clock around many calls and a synchronize."""


class Results:
    """Lines of JSON in a file, each flushed at once: the run, then a row, a part that was not run, or a failure."""

    def __init__(self, path, run):
        self.lines, self.lock = [], threading.Lock()
        self.file = path.open("w", buffering=1)
        self.add("run", run)

    def add(self, kind, content):
        line = {"kind": kind} | content
        with self.lock:
            self.lines.append(line)
            self.file.write(json.dumps(line) + "\n")
            self.file.flush()

    def row(self, content):
        self.add("row", content)

    def not_run(self, part, reason):
        self.add("not_run", {"part": part, "reason": str(reason)})

    def failed(self, part, output):
        self.add("failure", {"part": part, "output": str(output)})

    def count(self, kind):
        return sum(line["kind"] == kind for line in self.lines)


def read(path):
    """The lines of an earlier run. The last may be cut off."""
    lines = []
    for text in path.read_text().splitlines():
        try:
            lines.append(json.loads(text))
        except json.JSONDecodeError:
            break
    return [line for line in lines if isinstance(line, dict) and "kind" in line]


def of_kind(lines, kind):
    return [line for line in lines if line["kind"] == kind]


def figure(value):
    return "" if value is None else f"{value:.4g}"


def print_columns(cells):
    widths = [max(map(len, column)) for column in zip(*cells)]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def print_report(lines):
    for run in of_kind(lines, "run"):
        print(f"{run['gpus']} x {run['device']}")
        if run["emulated"]:
            print("EMULATED: the figures below say nothing about a GPU")
        elif run["quick"]:
            print("QUICK: the sizes are too small, so the figures mean nothing")
    rows = of_kind(lines, "row")
    print_columns([["part", "what", "size", "figure", "", "ceiling", "share", ""]] +
                  [[r["part"], r["name"], r["size"], figure(r["value"]), r["unit"], figure(r["ceiling"]),
                    "" if r["share"] is None else f"{r['share']:.1%}", r["note"]] for r in rows])
    print(EXPLANATION)
    print_comparison(rows)
    for line in of_kind(lines, "not_run"):
        print(f"not run: {line['part']}: {line['reason']}")
    for line in of_kind(lines, "failure"):
        print(f"FAILED: {line['output']}")


def comparable(r):
    """(what is compared, who did it, value, unit), or None."""
    if r["part"] == "products" and r["name"].startswith("library "):
        return f"product {r['name'].removeprefix('library ')} {r['size']}", "ours", r["value"], r["unit"]
    if "compare" in r:
        return r["compare"], r.get("way", "ours"), r["samples_per_second"], "samples/s"
    if r["part"] == "torch":
        return f"{r['name']} {r['size']}", "eager", r["value"], r["unit"]
    return None


def print_comparison(rows):
    """Prints our figures next to PyTorch's, for everything that both measured."""
    found = {}
    for what, who, value, unit in filter(None, map(comparable, rows)):
        found.setdefault((what, unit), {})[who] = value
    cells = [["ours next to PyTorch", "ours", "eager", "graph", "", "ours / best"]]
    for (what, unit), by in found.items():
        peers = [by[way] for way in ("eager", "graph") if way in by]
        if "ours" in by and peers:
            cells.append([what, figure(by["ours"]), figure(by.get("eager")), figure(by.get("graph")), unit,
                          f"{by['ours'] / max(peers):.2f}"])
    if len(cells) > 1:
        print_columns(cells)
        print()
