"""Checks the names of options in what the test does not run: marked commands, and code within sentences and tables."""
import re
import subprocess

from blocks import FENCE

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9_-]*")
IN_SOURCES = re.compile(r"[\"'](--[a-z][a-z0-9_-]*)")
# Scripts and benchmarks, by the options that their sources name.
SOURCES = ("launch/experiment/*.py", "launch/hosts/*.py", "launch/hosts/check", "tests/*.py", "tests/gpu_check.sh",
           "tests/bench/*.py", "tests/bench/*.cpp", "tests/bench/*.hpp", "tests/bench/*/*.py", "tests/bench/*/*.cpp")
# Options of programs that are not ours.
OTHERS = set("""
--hostfile --prefix --wdir --mca --bind-to --map-by --oversubscribe --host
--preset --build --install --target --test-dir --gtest_filter
--nodes --ntasks --ntasks-per-node --cpus-per-task --gpus-per-node --gpus-per-task --exclusive --array --signal --batch
--time --mpi --partition --account
--preserve-status --shm-size --ipc
""".split())


def known_options(root, build):
    """The names of all options that pages may mention."""
    known = set(OTHERS)
    for program in ("train", "matmul"):
        shown = subprocess.run([build / program, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        known |= set(OPTION.findall(shown))
    for pattern in SOURCES:
        for path in root.glob(pattern):
            known |= set(IN_SOURCES.findall(path.read_text(encoding="utf-8")))
    return known


def code_in_prose(text):
    """(line, code) of the code that stands between single backquotes."""
    fence = None
    for number, line in enumerate(text.splitlines(), 1):
        found = FENCE.match(line)
        if fence:
            fence = None if found and found[2].startswith(fence) and not found[3].strip() else fence
        elif found:
            fence = found[2]
        else:
            yield from ((number, code) for code in re.findall(r"`([^`]+)`", line))


def unknown_options(name, text, commands, known):
    """One line for each option of a page that no program has."""
    places = [(command.line, command.text.split(" #")[0]) for command in commands if command.mark]
    places += code_in_prose(text)
    return [f"{name}:{line}: no program has the option {option}" for line, code in sorted(places)
            for option in OPTION.findall(code) if option not in known]
