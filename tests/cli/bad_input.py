"""Every program refuses bad input in the same way: all ranks together print one line on stderr that says what is wrong;
the exit code is 2; stdout stays empty, and no file is written."""
import pathlib
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from program import run


def problem_of(name, result, fragments, cwd, ignored):
    lines = [line for line in result.stderr.splitlines() if line.strip() and not line.startswith(ignored)]
    if result.returncode != 2:
        return f"exit code {result.returncode}, not 2: {result.stderr}"
    if len(lines) != 1 or not lines[0].startswith(f"{name}: ") or not all(word in lines[0] for word in fragments):
        return f"stderr is not one line with {fragments}: {result.stderr!r}"
    if result.stdout.strip():
        return f"something on stdout: {result.stdout!r}"
    if any(cwd.iterdir()):
        return f"files are left: {[p.name for p in cwd.iterdir()]}"
    return None


def try_case(program, np, case):
    """What is wrong with the program's answer, or None. A case: (arguments, texts that the line must contain, settings
    of run() such as np). The setting `ignored`: lines that begin with it come from a library and do not count."""
    arguments, fragments, *settings = case
    settings = {"np": np, "ignored": (), **(settings[0] if settings else {})}
    ignored = settings.pop("ignored")
    fragments = [fragments] if isinstance(fragments, str) else fragments
    with tempfile.TemporaryDirectory() as cwd:
        result = run(program, settings.pop("np"), *arguments, cwd=cwd, **settings)
        problem = problem_of(program.name, result, fragments, pathlib.Path(cwd), ignored)
    return f"{' '.join(arguments)}: {problem}" if problem else None


def main(make_cases):
    """`make_cases(root, np)` gives the cases; it may leave files in `root`. Arguments of the script: PROGRAM NP."""
    program, np = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as root:
        cases = make_cases(pathlib.Path(root), np)
        with ThreadPoolExecutor(4) as pool:  # most of a job's start and end is waiting
            problems = [p for p in pool.map(lambda case: try_case(program, np, case), cases) if p]
    print("\n".join(problems))
    print(f"{len(cases) - len(problems)} of {len(cases)} cases have the expected answer, np {np}")
    sys.exit(1 if problems else 0)
