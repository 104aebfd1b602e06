"""`train --explain` and `--init`: the same numbers on every mesh, other owners, and the article's row by hand.

usage: train_explain_test.py TRAIN REPOSITORY [--update]
--update writes the golden files anew (golden.py).
"""
import pathlib
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import saved_weights
from golden import Golden, flaws_of
from program import Checks
from pseudo_terminal import output_on
from trainer import Trainer

AT_ONCE = 3  # jobs: most of a job's start and end is waiting
WRITTEN_UPDATE = "] = W - 0.01 dW\n"
OWNERS = "  Who computed what: "
ROWS = [(2, 5, 10), (4, 1, 7), (1, 3, 6), (5, 2, 10), (3, 4, 10)]  # ad_spend.csv
MESHES = ["1x1x1", "2x1x1", "1x1x2", "4x1x1", "1x2x2", "2x2x1", "2x1x2"]
PLAIN = ["--optimizer", "sgd", "--lr", "0.01", "--lr-schedule", "constant", "--no-standardize"]
HIDDEN = [0.5, 0.7, -0.3, 0.2, 0.1, -0.4, 0.1, 0.2, -0.1, 0.3, 0.5, -0.2, 0.1]  # of 2-3-1 with biases
CLASSES = [0.1, -0.2, 0.3, 0.4, 0.2, 0.1, -0.3, 0.4, 0.1, 0, 0.5, -0.4, -0.2, 0.3, 0.4, 0.2, 0, 0.1, -0.1]  # of 4-2-3


def ranks_of(mesh):
    i, j, k = (int(extent) for extent in mesh.split("x"))
    return i * j * k


def as_option(values):
    return ",".join(map(str, values))


def cases_of(repository):
    """name -> arguments, meshes."""
    examples = repository / "launch" / "examples"
    table = ["--data", examples / "ad_spend.csv"]
    worked = ["--config", examples / "ad_spend.cfg", *table]
    hidden = [*table, "--target", "conversions", "--loss", "mse", *PLAIN, "--hidden", "3", "--batch-size", "2"]
    flowers = ["--data", examples / "flowers.csv", *PLAIN, "--hidden", "2", "--activation", "relu", "--batch-size", "2"]
    some = [MESHES[0], *MESHES[3:]]
    return {"row": (worked, MESHES), "all_rows": ([*worked, "--batch-size", "all", "--steps", "1"], MESHES),
            "hidden": ([*hidden, "--init", as_option(HIDDEN), "--steps", "1"], some),
            "classes": ([*flowers, "--init", as_option(CLASSES), "--steps", "1"], [MESHES[0], *MESHES[4:]])}


def changed(arguments, option, value):
    """The arguments with another value of an option."""
    at = arguments.index(option) + 1
    return [*arguments[:at], value, *arguments[at + 1:]]


def split(text):
    """The numbers of the steps, and who computed them."""
    numbers, owners, lines = [], [], None
    for line in text.splitlines(keepends=True):
        if line.startswith("Step ") or not line.strip():
            lines = None
        if line.startswith(OWNERS):
            lines = owners
        (numbers if lines is None else lines).append(line)
    return "".join(numbers), "".join(owners)


def check_meshes(trainer, checks, cases, update):
    golden = Golden(checks, "train_explain", update)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = {(name, mesh): pool.submit(trainer.run, ranks_of(mesh), *arguments, "--explain", "--mesh", mesh)
                for name, (arguments, meshes) in cases.items() for mesh in meshes}
    for name, (_, meshes) in cases.items():
        texts = [runs[name, mesh].result().stdout for mesh in meshes]
        parts = [split(text) for text in texts]
        golden.compare(name, texts[0])
        for mesh, (_, owners) in list(zip(meshes, parts))[1:]:
            golden.compare(f"{name}_{mesh}", owners)
        for mesh, text, (numbers, _) in zip(meshes, texts, parts):
            checks.expect(not flaws_of(text), f"{name}, mesh {mesh}: {flaws_of(text)}")
            checks.expect(numbers == parts[0][0], f"{name}, mesh {mesh}: other numbers than on one rank:\n{numbers}")
        checks.expect(len({owners for _, owners in parts}) == len(meshes), f"{name}: owners do not depend on the mesh")
    golden.finish()


def shown(value):
    """As the program writes a number, if four digits are enough for it."""
    return f"{float(value):.4g}"


def factor(value):
    return f"({shown(value)})" if value < 0 else shown(value)


def check_by_hand(trainer, checks, arguments):
    """One step on one row, and on all rows: forward, error, gradient and update, with fractions."""
    rate, first = Fraction("0.01"), (Fraction("0.5"), Fraction("0.7"))
    for batch, rows in [("1", ROWS[:1]), ("all", ROWS)]:
        more = [*arguments, "--batch-size", batch, "--steps", "1"]
        text = trainer.run(1, *more, "--explain").stdout
        gradient, lines = [Fraction(0)] * 2, []
        for *inputs, target in rows:
            output = sum(x * w for x, w in zip(inputs, first))
            error = target - output
            slope = -2 * error / len(rows)
            gradient = [sum_so_far + slope * x for sum_so_far, x in zip(gradient, inputs)]
            lines += [f"y' = {inputs[0]}*0.5 + {inputs[1]}*0.7 = {shown(output)}",
                      f"error = y - y' = {target} - {shown(output)} = {shown(error)}",
                      f"= {shown(slope)}\n"]
        new = [w - rate * g for w, g in zip(first, gradient)]
        for name, w, g, updated in zip(["w1", "w2"], first, gradient, new):
            lines += [f" = {shown(g)}\n", f"{name} = {shown(w)} - 0.01*{factor(g)} = {shown(updated)}\n"]
        for line in lines:
            checks.expect(line in text, f"batch {batch}: no line with {line!r} in {text}")
        if batch == "1":
            checks.expect((gradient, new) == ([-22, -55], [Fraction("0.72"), Fraction("1.25")]), f"{gradient}, {new}")
            for line in ["= 4.5\n", "= 5.5\n", "dLoss/dw1 = (-11)*2 = -22\n", "dLoss/dw2 = (-11)*5 = -55\n"]:
                checks.expect(line in text, f"no {line!r} in {text}")
        trainer.run(1, *more, "--save", "w.safetensors", "--quiet")
        (found,) = saved_weights.values(trainer.folder / "w.safetensors").values()
        checks.expect(all(abs(a - b) < 1e-6 for a, b in zip(found, map(float, new))), f"batch {batch}: trained {found}")


def check_scales(trainer, checks):
    """Columns of very different sizes: inputs and weights are shown as they are, and sums are those of their terms."""
    rows = [(523000, 0.0362, 1.5), (41000, 0.0481, 2.5), (38000, 0.0123, 1)]
    table = "\n".join(["income,rate,y", *(",".join(map(str, row)) for row in rows)])
    (trainer.folder / "scales.csv").write_text(table + "\n")
    options = ["--data", "scales.csv", "--target", "y", *PLAIN, "--loss", "mse", "--hidden", "", "--no-bias", "--init",
               "1e-6,3", "--batch-size", "3", "--steps", "1", "--explain"]
    text = trainer.run(1, *options).stdout
    slopes = [-2 * (target - income * 1e-6 - rate * 3) / 3 for income, rate, target in rows]
    for line in ["y' = 5.23e+05*1e-06 + 0.0362*3 = 0.6316\n", "y' = 3.8e+04*1e-06 + 0.0123*3 = 0.0749\n",
                 *(f" = {shown(sum(s * row[k] for s, row in zip(slopes, rows)))}\n" for k in (0, 1))]:
        checks.expect(line in text, f"scales: no line with {line!r} in {text}")


def flat(values):
    return [value for name in sorted(values, key=lambda name: (name.split(".")[1], "bias" in name))
            for value in values[name]]


def check_init(trainer, checks, arguments):
    """Every rank sets its own blocks: the weights do not depend on the mesh."""
    def trained(mesh, rate):
        file = f"{mesh}_{rate}.safetensors"
        trainer.run(ranks_of(mesh), *changed(arguments, "--lr", rate), "--mesh", mesh, "--save", file, "--quiet")
        return flat(saved_weights.values(trainer.folder / file))

    report = trainer.summary(1, *arguments)
    near = all(abs(a - b) < 1e-7 for a, b in zip(report["init"], HIDDEN, strict=True))
    checks.expect(near and report["load"] is None, f"--summary has init {report['init']}")
    screen = trainer.run(1, *arguments).stdout
    checks.expect("2-3-1 with 13 parameters from --init on" in screen, f"the screen does not name --init: {screen}")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        kept = list(pool.map(lambda mesh: trained(mesh, "0"), MESHES))
        stepped = list(pool.map(lambda mesh: trained(mesh, "0.01"), MESHES))
    for mesh, weights, after in zip(MESHES, kept, stepped):
        checks.expect(all(abs(a - b) < 1e-7 for a, b in zip(weights, HIDDEN, strict=True)), f"{mesh}: {weights}")
        checks.expect(weights != after and all(abs(a - b) <= 1e-6 for a, b in zip(after, stepped[0], strict=True)),
                      f"{mesh}: a step from --init gives {after}, not {stepped[0]}")


def check_other_updates(trainer, checks, arguments):
    """Optimizers with moments: the update is not written as a difference. And other activations: the program itself
    compares every number with its scalars."""
    optimizers = {"momentum": "by momentum (a running sum of dW)", "adamw": "by adamw (running means of dW, dW^2)"}
    runs = {words: [*changed(arguments, "--optimizer", name), "--weight-decay", "0.1"]
            for name, words in optimizers.items()}
    for activation in ["identity", "gelu", "tanh", "sigmoid"]:
        runs[activation] = [*arguments, "--activation", activation, "--mesh", "1x2x1"]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        texts = dict(zip(runs, pool.map(lambda more: trainer.run(2, *more, "--explain").stdout, runs.values())))
    for name, text in texts.items():
        checks.expect(not flaws_of(text), f"{name}: {flaws_of(text)}")
        by_moments = [f"{name}, --weight-decay", "--optimizer sgd, without"]
        wanted = by_moments if name.startswith("by ") else ["Equal: all 43 numbers", WRITTEN_UPDATE]
        checks.expect(all(words in text for words in wanted), f"no {wanted} in {text}")
        checks.expect((WRITTEN_UPDATE in text) == (WRITTEN_UPDATE in wanted), f"{name}: {text}")


def check_largest(trainer, checks):
    """The largest network and batch, with negative numbers and exponents: every line fits."""
    text = trainer.run(4, "--data", "synthetic:40,5,5", "--hidden", "5,5", "--activation", "sigmoid", "--batch-size", 5,
                       "--mesh", "1x2x2", "--explain").stdout
    checks.expect(not flaws_of(text) and text.count("Equal: all ") == 2, f"5-5-5-5: {flaws_of(text)} {text[:1000]}")


def check_terminals(train, checks, arguments, folder):
    """Escape codes appear on a terminal only, and not with NO_COLOR; the text is the same."""
    def text_on(terminal, environment=None):
        text, code = output_on(terminal, [train, *map(str, arguments), "--explain"], folder, environment)
        checks.expect(code == 0, f"TERM={terminal}: exit code {code}: {text!r}")
        return text

    plain = text_on("dumb")
    checks.expect("\x1b" not in plain, f"a dumb terminal gets codes: {plain!r}")
    checks.expect(text_on("xterm", {"NO_COLOR": "1"}) == plain, "NO_COLOR=1 changes more than colours")
    colored = text_on("xterm", {"NO_COLOR": ""})
    checks.expect("\x1b[1m" in colored and "\x1b[0m" in colored, f"no code on a terminal: {colored!r}")
    for code in ["\x1b[1m", "\x1b[32m", "\x1b[0m"]:
        colored = colored.replace(code, "")
    checks.expect(colored == plain, f"codes change the text: {colored!r}")


def main():
    train, repository = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    checks = Checks()
    cases = cases_of(repository)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(train, folder, checks)
        check_meshes(trainer, checks, cases, "--update" in sys.argv[3:])
        check_by_hand(trainer, checks, cases["row"][0])
        check_init(trainer, checks, cases["hidden"][0])
        check_other_updates(trainer, checks, cases["hidden"][0])
        check_largest(trainer, checks)
        check_terminals(train, checks, cases["row"][0], folder)
        left = {path.suffix for path in pathlib.Path(folder).iterdir()}
        checks.expect(left == {".safetensors", ".json"}, f"--explain leaves files: {left}")
        check_scales(trainer, checks)
    checks.finish()


main()
