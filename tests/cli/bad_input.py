"""What every program does with bad input: one line on stderr that names what is wrong, once for all ranks; exit code 2;
nothing on stdout; nothing written."""
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
        return f"left behind: {[p.name for p in cwd.iterdir()]}"
    return None


def try_case(program, np, case):
    """What is wrong with the program's answer, or None. A case: (arguments, what the line must contain, settings of
    run(), such as np; `ignored`: lines that begin with it come from a library and do not count)."""
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
        with ThreadPoolExecutor(4) as pool:  # starting and ending a job is mostly waiting
            problems = [p for p in pool.map(lambda case: try_case(program, np, case), cases) if p]
    print("\n".join(problems))
    print(f"{len(cases) - len(problems)} of {len(cases)} cases as they should be, np {np}")
    sys.exit(1 if problems else 0)
