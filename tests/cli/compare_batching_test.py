"""train --compare-batching: the rule of thumb for stochastic, mini-batch and batch descent as inequalities, the table
on other meshes, the weights that the three end with, and --plot. No check depends on how long anything takes.

usage: compare_batching_test.py TRAIN REPOSITORY; exit code 77 (skipped) without Fashion-MNIST or matplotlib
"""
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from concurrent.futures import ThreadPoolExecutor

import bad_input
from descent_bound import furthest, least_squares
from program import FASHION_MNIST, Checks, Skip, run, run_test
from trainer import Trainer

RATE, EPOCHS = 0.01, 200
STRATEGIES = ["stochastic", "mini-batch", "batch"]
SVG = "{http://www.w3.org/2000/svg}"
# A module that Python finds before the real one. It names the variables by which a process is a rank.
BROKEN_MATPLOTLIB = """import os
raise ImportError(" ".join(["made up, for", *[n for n in os.environ if n.startswith(("OMPI_", "PMIX_"))]]))
"""
# This one can be loaded, but not draw.
EMPTY_MATPLOTLIB = {"__init__": "", "figure": "Figure = None",
                    "ticker": "FuncFormatter = LogLocator = NullFormatter = NullLocator = None"}


def ad_spend(repository):
    """Options for the simplest network on launch/examples/ad_spend.csv: two weights, no bias."""
    return ["--data", repository / "launch/examples/ad_spend.csv", "--target", "conversions", "--no-standardize",
            "--hidden", "", "--no-bias", "--loss", "mse", "--lr", RATE, "--epochs", EPOCHS, "--compare-batching"]


def rows_of(repository):
    lines = (repository / "launch/examples/ad_spend.csv").read_text().split()[1:]
    return [tuple(map(float, line.split(","))) for line in lines]


def compare(trainer, np, *arguments):
    """The object of --summary, and what is on the screen."""
    shown = trainer.run(np, *arguments, "--summary", "s.json").stdout
    trainer.checks.expect(all(len(line) <= 80 for line in shown.splitlines() if "target column" not in line),
                          f"a line has more than 80 columns: {shown}")
    return json.loads((trainer.folder / "s.json").read_text()), shown


def check_rule_of_thumb(checks, what, found):
    """Small batches: more updates in an epoch, fewer epochs, a rougher loss."""
    runs = found["runs"]
    checks.expect([run["strategy"] for run in runs] == STRATEGIES, f"{what}: {[run['strategy'] for run in runs]}")
    small, middle, large = runs
    updates, epochs, rises = ([run[key] for run in runs] for key in ("updates_per_epoch", "epochs_until", "rise"))
    checks.expect(updates == [math.ceil(found["rows"] / run["rows_per_update"]) for run in runs]
                  and updates[0] > updates[1] > updates[2] == 1, f"{what}: updates per epoch {updates}")
    checks.expect(0 < epochs[0] <= epochs[1] < epochs[2], f"{what}: epochs until {found['until_loss']}: {epochs}")
    checks.expect(rises[0] > rises[1] > rises[2] == 0, f"{what}: rises of the loss {rises}")
    first = {run["curve"]["train_loss"][0] for run in runs}
    checks.expect(len(first) == 1, f"{what}: the losses of the first weights differ: {first}")
    for one in runs:
        curve = one["curve"]
        checks.expect(curve["epoch"] == list(range(found["epochs"] + 1))
                      and sorted(curve["seconds"]) == curve["seconds"]
                      and len(curve["train_loss"]) == len(curve["epoch"]), f"{what}: curve of {one['strategy']}")
        reached = [loss <= found["until_loss"] for loss in curve["train_loss"]]
        checks.expect(reached.index(True) == one["epochs_until"], f"{what}: {one['strategy']} reaches it: {reached}")
        checks.expect(one["train_loss"] == curve["train_loss"][-1] and one["lowest_loss"] == min(curve["train_loss"]),
                      f"{what}: losses of {one['strategy']}")


def check_weights(checks, found, rows):
    """All three come as close to the least-squares weights as their noise allows: batch descent has none."""
    best = least_squares(rows)
    for one in found["runs"]:
        bound, shrinks = furthest(rows, one["rows_per_update"], best, RATE)
        start = 10 * shrinks ** EPOCHS  # the first weights are within 10 of the best ones
        away = math.dist(one["weights"], best)
        rounding = 1e-4  # f32
        checks.expect(shrinks < 1 and away <= bound + start + rounding,
                      f"{one['strategy']}: {away} from the best weights {best}, more than {bound}")
        checks.expect(bound < 0.1, f"{one['strategy']}: a bound of {bound} would show nothing")
        checks.expect(abs(math.hypot(*one["weights"]) - one["weights_norm"]) < rounding, f"norm of {one['weights']}")


def table_of(shown):
    """{strategy: [numbers of its row]} without seconds and samples/s, which differ from run to run; final weights."""
    lines = [line.split() for line in shown.splitlines()]
    table = {words[0]: [*map(float, words[1:5]), float(words[7])] for words in lines
             if len(words) == 8 and words[0] in STRATEGIES}
    weights = {words[0]: [*map(float, words[1:])] for words in lines if len(words) == 3 and words[0] in STRATEGIES}
    return table, weights


def check_meshes(trainer, checks, repository, expected):
    for np, mesh in ((3, "3x1x1"), (2, "1x1x2")):
        _, shown = compare(trainer, np, *ad_spend(repository), "--mesh", mesh)
        for kind, one, other in zip(("table", "weights"), table_of(expected), table_of(shown)):
            close = one.keys() == other.keys() == set(STRATEGIES) and all(
                math.isclose(a, b, rel_tol=2e-3) for name in one for a, b in zip(one[name], other[name], strict=True))
            checks.expect(close, f"mesh {mesh}: {kind} {other}; expected {one}, as on one rank")


def check_first_weights(trainer, checks, repository):
    """--init and --load give all three the same first weights: those whose loss is known."""
    expected = sum((0.5 * x1 + 0.7 * x2 - y) ** 2 for x1, x2, y in rows_of(repository)) / 5
    trainer.run(1, *ad_spend(repository)[:-5], "--init", "0.5,0.7", "--lr", 0, "--epochs", 1, "--save", "w.safetensors")
    for option in (["--init", "0.5,0.7"], ["--load", "w.safetensors"]):
        found, _ = compare(trainer, 2, *ad_spend(repository), *option)
        first = [one["curve"]["train_loss"][0] for one in found["runs"]]
        checks.expect(all(math.isclose(loss, expected, rel_tol=1e-6) for loss in first),
                      f"{option}: the losses of the first weights are {first}, not {expected}")
    (trainer.folder / "w.safetensors").unlink()


def check_until(trainer, checks, repository):
    found, shown = compare(trainer, 1, *ad_spend(repository), "--until-loss", 0.05)
    checks.expect(found["until_loss"] == 0.05 and "; 0.05 is --until-loss" in shown, shown)
    check_rule_of_thumb(checks, "--until-loss 0.05", found)
    found, shown = compare(trainer, 1, *ad_spend(repository), "--until-loss", 0.001)
    checks.expect(shown.count(" not reached ") == 3 and "epochs:" not in shown, f"a loss below the minimum: {shown}")
    checks.expect(all(one[f"{unit}_until"] is None for one in found["runs"] for unit in ("epochs", "seconds")),
                  f"the summary of a loss below the minimum: {found}")
    found, _ = compare(trainer, 1, *ad_spend(repository), "--batch-size", "4")
    checks.expect([run["rows_per_update"] for run in found["runs"]] == [1, 4, 5], "--batch-size 4 is not used")
    for given, what in [("1", "one row is"), ("all", "all rows are")]:
        found, shown = compare(trainer, 1, *ad_spend(repository), "--batch-size", given)
        told = f"--batch-size: {what} another strategy; a mini-batch has 2 rows\n"
        checks.expect(told in shown and found["runs"][1]["rows_per_update"] == 2, f"--batch-size {given}: {shown}")


def check_picture(checks, path, losses):
    """Two panels, each with one curve for each strategy, as long as there are points."""
    data = path.read_bytes()
    picture = xml.etree.ElementTree.fromstring(data)
    groups = {group.get("id"): group for group in picture.iter(f"{SVG}g")}
    checks.expect(len([name for name in groups if name and name.startswith("axes_")]) == 2, f"panels: {groups.keys()}")
    for axis in ("epoch", "seconds"):
        for name in STRATEGIES:
            group = groups.get(f"{axis}-{name}")
            points = group.find(f"{SVG}path").get("d").count("L") + 1 if group is not None else 0
            checks.expect(2 <= points <= losses, f"{axis}-{name}: {points} points of {losses}")
    texts = " ".join(text.text or "" for text in picture.iter(f"{SVG}text"))
    for word in ("stochastic (1 row)", "mini-batch (2 rows)", "batch (5 rows)", "epochs", "seconds of training"):
        checks.expect(word in texts, f"no text '{word}' in {texts}")
    checks.expect(len(data) < 60_000, f"the picture has {len(data)} bytes")


def check_plot(trainer, checks, repository):
    """The program's picture, and that of the script alone from the same curves."""
    script = repository / "launch/experiment/batching_plot.py"
    has_matplotlib = [python for python in ("python3", "/usr/bin/python3")
                      if subprocess.run([python, script, "--check"], stderr=subprocess.DEVNULL).returncode == 0]
    if not has_matplotlib:
        raise Skip("no Python has matplotlib; expected python3-matplotlib")
    compare(trainer, 2, *ad_spend(repository), "--plot", "p.svg")
    picture = trainer.folder / "p.svg"
    check_picture(checks, picture, EPOCHS + 1)
    for name in ("again.svg", "third.svg"):
        subprocess.run([has_matplotlib[0], script, trainer.folder / "s.json", trainer.folder / name], check=True)
        checks.expect((trainer.folder / name).read_bytes() == picture.read_bytes(), f"{name} differs from p.svg")
    checks.expect({path.name for path in trainer.folder.iterdir()} == {"p.svg", "s.json", "again.svg", "third.svg"},
                  f"files {list(trainer.folder.iterdir())}")
    wrong = subprocess.run([has_matplotlib[0], script, "-", trainer.folder / "no.svg"], input="{}", text=True,
                           stderr=subprocess.PIPE)
    checks.expect(wrong.returncode == 1 and wrong.stderr.count("\n") == 1, f"curves {{}}: {wrong.stderr}")


def check_failed_plot(checks, program, repository, folder):
    """A script that fails after training: the results are there, the picture is not."""
    package = folder / "matplotlib"
    package.mkdir()
    for name, text in EMPTY_MATPLOTLIB.items():
        (package / f"{name}.py").write_text(text)
    results = folder / "results"
    results.mkdir()
    job = run(program, 2, *ad_spend(repository), "--summary", "s.json", "--plot", "p.svg", cwd=results,
              environment={"PYTHONPATH": str(folder)})
    checks.expect(job.returncode == 1 and "--plot p.svg: " in job.stderr and "AttributeError" in job.stderr,
                  f"a failed plot: {job.returncode} {job.stderr}")
    checks.expect("smoothest:" in job.stdout and [path.name for path in results.iterdir()] == ["s.json"],
                  f"after a failed plot: {job.stdout} {list(results.iterdir())}")


def check_bad_input(checks, program, repository, folder):
    table = ad_spend(repository)
    data = [str(word) for word in table]
    (folder / "one.csv").write_text("a,y\n1,2\n")
    (folder / "two.csv").write_text("a,y\n1,2\n3,4\n")
    (folder / "matplotlib.py").write_text(BROKEN_MATPLOTLIB)
    cases = [
        (["--plot", "p.svg"], "--plot p.svg: expected with --compare-batching"),
        (["--until-loss", "1"], "--until-loss 1: expected with --compare-batching"),
        ([*data, "--plot", "none/p.svg"], ["--plot none/p.svg: ", "expected"]),
        ([*data, "--plot", "p.png"], "--plot p.png: expected a name that ends with .svg"),
        ([*data, "--plot", "p.svg", "--summary", "p.svg"], "--plot p.svg: is the file of --summary too"),
        ([*data, "--until-loss", "nan"], "--until-loss"),
        (["--data", str(folder / "one.csv"), "--target", "y", "--compare-batching"], "one.csv: "),
        (["--data", str(folder / "two.csv"), "--target", "y", "--compare-batching"],
         "two.csv has 2 training rows; expected at least 3"),
        (["--data", "synthetic:1,2,1", "--compare-batching"], "1 training row; expected at least 3"),
        ([*data, "--plot", "p.svg"], ["--plot p.svg: python3: ImportError: made up, for; expected", "matplotlib"],
         {"environment": {"PYTHONPATH": str(folder)}}),
        ([*data, "--quiet", "--momentum", "1"], "--momentum"),
        ([word if word != str(RATE) else "10" for word in data] + ["--quiet"],
         ["--lr 10: training diverged", "expected a smaller", "stochastic", "1 row per update"]),
        ([*data, "--evaluate"], "--evaluate: --compare-batching trains; expected"),
    ] + [([*data, *option], [" ".join(option) + ": --compare-batching", "expected"]) for option in (
        ["--save", "m.safetensors"], ["--predictions", "p.csv"], ["--metrics", "m.jsonl"], ["--checkpoint", "c"],
        ["--steps", "5"], ["--accumulate", "2"], ["--resume", "x"])]
    with ThreadPoolExecutor(4) as pool:  # most of a job's start and end is waiting
        for problem in pool.map(lambda case: bad_input.try_case(program, 2, case), cases):
            checks.expect(problem is None, problem)


def main():
    program, repository = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    checks = Checks()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in ("trainer", "bad", "failed"):
            (folder / part).mkdir()
        trainer = Trainer(program, folder / "trainer", checks)
        check_bad_input(checks, program, repository, folder / "bad")
        found, shown = compare(trainer, 1, *ad_spend(repository))
        check_rule_of_thumb(checks, "ad_spend.csv", found)
        verdict = shown.splitlines()[-1]  # without the speed, which other work on this machine may change
        checks.expect(verdict in ("Here it holds for epochs, samples/s and smoothness.",
                                  "Here it holds for epochs and smoothness, but not for samples/s."), verdict)
        check_weights(checks, found, rows_of(repository))
        check_meshes(trainer, checks, repository, shown)
        check_first_weights(trainer, checks, repository)
        check_until(trainer, checks, repository)
        if not FASHION_MNIST.exists():
            raise Skip(f"no {FASHION_MNIST}; expected dataset-fashion-mnist")
        images, _ = compare(trainer, 1, "--hidden", 16, "--epochs", 3, "--compare-batching")
        check_rule_of_thumb(checks, "Fashion-MNIST", images)
        (folder / "trainer" / "s.json").unlink()
        check_plot(trainer, checks, repository)
        check_failed_plot(checks, program, repository, folder / "failed")
    checks.finish()


run_test(main)
