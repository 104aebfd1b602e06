"""Files that the programs write: permissions, long names, links, a folder that is removed, a full disk or output.

usage: output_files_test.py TRAIN MATMUL
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import machine
import npy
from program import SETTINGS, Checks, files_in, run, start, wait_for

DATA = ["--data", "synthetic:400,12,3", "--batch-size", "100"]
TRAIN = [*DATA, "--hidden", "32", "--epochs", "2"]
MATMUL = ["--m", "8", "--n", "8", "--k", "8"]


def jobs(train, matmul, folder, names):
    """(program, arguments) of jobs that together write every kind of file, under `names`."""
    constants = machine.write(folder / "machine.json", 2)
    return [(train, [*TRAIN, "--quiet", "--save", names[0], "--summary", names[1], "--metrics", names[2]]),
            (matmul, [*MATMUL, "--quiet", "--machine", constants, "--out", names[3], "--json", names[4]]),
            (matmul, [*MATMUL, "--quiet", "--plan", "--calibrate", names[5]])]


def check_permissions(train, matmul, folder, checks):
    """A file keeps its permissions when it is replaced."""
    names = ["w.safetensors", "s.json", "m.jsonl", "c.npy", "c.json", "constants.json"]
    modes = dict(zip(names, [0o600, 0o640, 0o600, 0o666, 0o400, 0o600]))
    for name, mode in modes.items():
        (folder / name).write_text("old")
        (folder / name).chmod(mode)
    for program, arguments in jobs(train, matmul, folder, names):
        done = run(program, 2, *arguments, cwd=folder)
        checks.expect(done.returncode == 0 and not done.stderr, f"{arguments}: exit {done.returncode}: {done.stderr}")
    for name, mode in modes.items():
        found = (folder / name).stat().st_mode & 0o777
        checks.expect(found == mode, f"{name}: {mode:o} became {found:o}")
        checks.expect((folder / name).stat().st_size != 3, f"{name} was not replaced")


def check_long_names(train, matmul, folder, checks):
    longest = os.pathconf(folder, "PC_NAME_MAX")
    names = [str(i) * longest for i in range(6)]
    for program, arguments in jobs(train, matmul, folder, names):
        done = run(program, 2, *arguments, cwd=folder)
        checks.expect(done.returncode == 0, f"names of {longest} bytes: exit {done.returncode}: {done.stderr[-300:]}")
    missing = set(names) - files_in(folder)
    checks.expect(not missing, f"missing files: {[name[0] for name in missing]}")


def check_links(train, _matmul, folder, checks):
    """Links are replaced, not followed: so two outputs may be links to the same file, even to an input."""
    table = "a,y\n1,2\n3,4\n"
    (folder / "t.csv").write_text(table)
    for name in ["w", "s.json"]:
        (folder / name).symlink_to("t.csv")
    done = run(train, 1, "--data", "t.csv", "--target", "y", "--epochs", 1, "--hidden", 8, "--quiet", "--save", "w",
               "--summary", "s.json", cwd=folder)
    checks.expect(done.returncode == 0, f"links as outputs: exit {done.returncode}: {done.stderr}")
    checks.expect((folder / "t.csv").read_text() == table, "the target of a link was written")
    checks.expect(not any((folder / name).is_symlink() for name in ["w", "s.json"]), "a link was not replaced")


def check_removed_folder(train, _matmul, folder, checks):
    """The error comes at the next line of --metrics, not at the end."""
    for files in [["--save", "out/w", "--metrics", "m.jsonl"], ["--summary", "out/s", "--metrics", "m.jsonl"],
                  ["--metrics", "out/m.jsonl"]]:
        (folder / "out").mkdir()
        with start(train, 2, *DATA, "--hidden", 32, "--epochs", 100_000_000, "--quiet", *files, cwd=folder) as job:
            begun = wait_for((folder / files[-1]).exists)
            shutil.rmtree(folder / "out")
            try:
                _, errors = job.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                job.kill()
                errors = "it did not end"
        lines = [line for line in errors.splitlines() if line.startswith("train: ")]
        told = len(lines) == 1 and " ".join(files[-2:] if len(files) == 2 else files[:2]) in lines[0]
        checks.expect(begun and job.returncode == 1 and told and "was removed during the run" in lines[0],
                      f"{files}, whose folder was removed: exit {job.returncode}: {errors}")
        (folder / "m.jsonl").unlink(missing_ok=True)


def check_metrics_every(train, _matmul, folder, checks):
    done = run(train, 2, *TRAIN, "--quiet", "--metrics", "m.jsonl", "--metrics-every", 3, cwd=folder)
    lines = [json.loads(line) for line in (folder / "m.jsonl").read_text().splitlines()] if not done.returncode else []
    shown = [line["step"] if "step" in line else f"epoch {line['epoch']}" for line in lines]
    checks.expect(shown == [3, "epoch 1", 6, "epoch 2"], f"--metrics-every 3: exit {done.returncode}, lines {shown}")


def check_room(train, _matmul, folder, checks):
    """If the file cannot become as large as the weights, the error comes before training."""
    script = folder / "limited.sh"
    script.write_text('#!/bin/bash\nulimit -f 32\nexec "$@"\n')  # KiB
    script.chmod(0o755)
    done = run(script, 1, train, *DATA, "--hidden", 1000, "--save", "w", "--metrics", "m", cwd=folder)
    checks.expect(done.returncode == 2 and "--save w: cannot write there: File too large" in done.stderr,
                  f"no room for --save: exit {done.returncode}: {done.stderr}")
    checks.expect(files_in(folder) == {"limited.sh"}, f"no room for --save: there are {files_in(folder)}")


def check_full_output(train, matmul, folder, checks):
    """If standard output is /dev/full, results are saved, then one line reports the error."""
    cases = [(program, [option]) for program in (train, matmul) for option in ("--help", "--version")]
    cases += [(train, [*TRAIN, "--save", "w"]), (matmul, [*MATMUL, "--out", "w"])]
    for program, arguments in cases:
        for launcher in [[], ["mpirun", "--oversubscribe", "--bind-to", "none", "-np", "2"]]:
            with open("/dev/full", "w") as full:
                done = subprocess.run([*launcher, program, *arguments], cwd=folder, env={**os.environ, **SETTINGS},
                                      stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
            lines = [line for line in done.stderr.splitlines() if line.startswith(f"{program.name}: ")]
            told = lines == [f"{program.name}: standard output: cannot write: No space left on device"]
            checks.expect(done.returncode == 1 and told,
                          f"{launcher} {program.name} {arguments} > /dev/full: {done.returncode}: {done.stderr}")
            saved = {name for name in arguments if name == "w"}
            checks.expect(files_in(folder) == saved, f"{arguments} > /dev/full: there are {files_in(folder)}")
            (folder / "w").unlink(missing_ok=True)


def check_unwritable_stderr(train, matmul, folder, checks):
    """A program that cannot print its error message still ends with the exit code of that error."""
    for program in (train, matmul):
        with open("/dev/full", "w") as full:
            done = subprocess.run([program, "--no-such-option"], cwd=folder, env={**os.environ, **SETTINGS},
                                  stdout=subprocess.PIPE, stderr=full, timeout=60)
        checks.expect(done.returncode == 2, f"{program.name} --no-such-option 2> /dev/full: {done.returncode}")


def check_open_files(_train, matmul, folder, checks):
    """With a low limit of open files, errors name the limit. How many files Open MPI opens depends on its version."""
    npy.write(folder / "a.npy", [[1.0] * 8] * 8)
    script = folder / "limited.sh"
    constants = machine.write(folder / "machine.json", 1)
    blamed = []
    for limit in range(18, 25):
        script.write_text(f'#!/bin/bash\nulimit -n {limit}\nexec "$@"\n')
        script.chmod(0o755)
        done = run(script, 1, matmul, "--a", "a.npy", "--b", "a.npy", "--out", "c.npy", "--quiet",
                   "--machine", constants, cwd=folder, timeout=60)
        blamed += [line for line in done.stderr.splitlines() if line.startswith("matmul: --")]
    checks.expect(blamed, "no limit from 18 to 24 made matmul itself fail")
    for line in blamed:
        checks.expect("Too many open files" in line and "ulimit -n" in line, line)


def main():
    train, matmul = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    checks = Checks()
    for check in [check_permissions, check_long_names, check_links, check_removed_folder, check_metrics_every,
                  check_room, check_full_output, check_unwritable_stderr, check_open_files]:
        with tempfile.TemporaryDirectory() as folder:
            check(train, matmul, pathlib.Path(folder), checks)
    checks.finish()


main()
