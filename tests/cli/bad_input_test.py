"""Bad input: one line on stderr that names what is wrong, once for all ranks; exit code 2; nothing written.

usage: bad_input_test.py TRAIN NP
"""
import gzip
import pathlib
import struct
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from program import run


def images(count, magic=0x803):
    return struct.pack(">IIII", magic, count, 2, 2) + bytes(4 * count)


def labels(count):
    return struct.pack(">II", 0x801, count) + bytes(i % 3 for i in range(count))


def idx_folder(root, name, image_bytes, label_bytes, suffix=""):
    folder = root / name
    folder.mkdir()
    (folder / f"train-images-idx3-ubyte{suffix}").write_bytes(image_bytes)
    (folder / "train-labels-idx1-ubyte").write_bytes(label_bytes)
    return str(folder)


def make_cases(root):
    """(arguments, what the line must contain)"""
    def csv(name, text):
        (root / name).write_text(text)
        return ["--data", str(root / name), "--target", "y"]

    good = csv("good.csv", "a,y\n1,2\n3,4\n")
    config = root / "unknown.cfg"
    config.write_text("learning-rate = 3\n")
    options = [
        (["--no-such-option"], "no-such-option"), (["--epoch", "3"], "epoch"), (["word"], "'word'"),
        (["--batch-size", "0"], "--batch-size"), (["--batch-size", "1.5"], "--batch-size"),
        (["--lr", "nan"], "--lr"), (["--lr", "-1"], "--lr"), (["--hidden", "10,-3"], "--hidden"),
        (["--seed", "-1"], "--seed"), (["--epochs", "-1"], "--epochs"), (["--threads", "0"], "--threads"),
        (["--activation", "softmax"], "--activation"), (["--optimizer", "adam2"], "--optimizer"),
        (["--loss", "hinge"], "--loss"), (["--clip-norm", "-1"], "--clip-norm"), (["--device", "tpu"], "--device"),
        (["--lr", "1", "--lr", "2"], "lr"), (["--config", "missing.cfg"], "missing.cfg"),
        (["--config", str(config)], "learning-rate"), (["--patience", "2"], "--validation"),
    ]
    data = [
        (["--data", "missing"], "missing"), (["--data", "missing.csv", "--target", "y"], "missing.csv"),
        (["--data", idx_folder(root, "cut", gzip.compress(images(9))[:-6], labels(9), ".gz")], "truncated"),
        (["--data", idx_folder(root, "magic", images(9, 0x999), labels(9))], "0x00000999"),
        (["--data", idx_folder(root, "count", images(9), labels(8))], "8 labels"),
        (csv("ragged.csv", "a,y\n1,2\n1\n"), "line 3"), (csv("text.csv", "a,y\n1,2\n1,two\n"), "line 3, column y"),
        (csv("target.csv", "a,b\n1,2\n"), "--target y"), (csv("empty.csv", ""), "empty.csv"),
        (csv("header.csv", "a,y\n"), "header.csv"), (good + ["--validation", "1.5"], "--validation"),
        (good[:2], "--target"), (good + ["--loss", "cross-entropy", "--validation", "x"], "--validation"),
    ]
    outputs = [(good + [option, "/nonexistent/file"], option) for option in ("--summary", "--metrics", "--save")]
    # One that can be opened must not stay behind when another cannot.
    outputs.append((good + ["--save", "w.safetensors", "--metrics", "/nonexistent/m"], "--metrics"))
    return options + data + outputs


def problem_of(result, fragment, cwd):
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    if result.returncode != 2:
        return f"exit code {result.returncode}, not 2: {result.stderr}"
    if len(lines) != 1 or not lines[0].startswith("train: ") or fragment not in lines[0]:
        return f"stderr is not one line with '{fragment}': {result.stderr!r}"
    if result.stdout.strip():
        return f"something on stdout: {result.stdout!r}"
    if any(cwd.iterdir()):
        return f"left behind: {[p.name for p in cwd.iterdir()]}"
    return None


def try_case(train, np, case):
    """What is wrong with the program's answer, or None."""
    arguments, fragment = case
    with tempfile.TemporaryDirectory() as cwd:
        problem = problem_of(run(train, np, *arguments, cwd=cwd), fragment, pathlib.Path(cwd))
    return f"{' '.join(arguments)}: {problem}" if problem else None


def main(train, np):
    with tempfile.TemporaryDirectory() as root:
        cases = make_cases(pathlib.Path(root))
        with ThreadPoolExecutor(4) as pool:  # starting and ending a job is mostly waiting
            problems = [p for p in pool.map(lambda case: try_case(train, np, case), cases) if p]
    print("\n".join(problems))
    print(f"{len(cases) - len(problems)} of {len(cases)} cases as they should be, np {np}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
