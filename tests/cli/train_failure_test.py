"""If `train` fails on one rank, or is ended from outside, it ends in time, says why, and leaves no temporary file.

usage: train_failure_test.py TRAIN
"""
import pathlib
import socket
import sys
import tempfile

from program import ENDS, PATIENT, Checks, files_in, run, start, wait_for

DATA = ["--data", "synthetic:2000,16,2", "--hidden", "32", "--quiet"]
OUTPUTS = ["--save", "w.safetensors", "--summary", "s.json", "--metrics", "m.jsonl"]


def ranks_apart(folder, condition, lines):
    """A script that starts the program given to it, after `lines` on ranks for which `condition` holds."""
    script = folder / "ranks_apart.sh"
    script.write_text(f'#!/bin/bash\nif [ "$OMPI_COMM_WORLD_RANK" {condition} ]; then\n{lines}\nfi\nexec "$@"\n')
    script.chmod(0o755)
    return script


def expect(checks, what, done, code, line, folder, left):
    checks.expect(done.returncode == code and done.stderr.splitlines() == [line],
                  f"{what}: exit {done.returncode}, not {code}: {done.stderr!r}, not {line!r}")
    names = files_in(folder) - {"ranks_apart.sh"}
    checks.expect(names == left, f"{what}: there are {names}, not {left}")


def check_input_of_one_rank(train, folder, checks):
    for rank in [0, 1, 2]:
        script = ranks_apart(folder, f"= {rank}", 'exec "$@" --config missing.cfg')
        done = run(script, 3, train, *DATA, *OUTPUTS, cwd=folder, timeout=60)
        expect(checks, f"only rank {rank} has bad input", done, 2,
               f"train: rank {rank} on {socket.gethostname()}: --config missing.cfg: cannot read it; "
               "expected a regular file of name = value lines, at most 1 MiB", folder, set())


def check_metrics(train, folder, checks):
    """An old file of --metrics stays until the first steps are done; the new file stays if training fails later."""
    (folder / "m.jsonl").write_text("old\n")
    done = run(train, 2, *DATA, *OUTPUTS, "--hidden", "x", cwd=folder)
    checks.expect(done.returncode == 2 and (folder / "m.jsonl").read_text() == "old\n", "--hidden x ends old metrics")
    script = ranks_apart(folder, "= 0", "ulimit -f 8")  # KiB; acts like a full disk
    done = run(script, 1, train, *DATA, *OUTPUTS, "--batch-size", 1, cwd=folder)
    host = done.stderr.removeprefix("train: rank 0 on ").split(":")[0]
    expect(checks, "full disk", done, 1, f"train: rank 0 on {host}: --metrics m.jsonl: cannot write: File too large",
           folder, {"m.jsonl"})
    (folder / "m.jsonl").unlink()


def check_ended(train, folder, checks):
    for way, end in ENDS.items():
        for np in [1, 2]:
            with start(train, np, *DATA, *OUTPUTS, "--epochs", 1000000, cwd=folder, **PATIENT) as job:
                begun = wait_for((folder / "m.jsonl").exists)
                checks.expect(begun and len(list(folder.glob("*.tmp"))) == 2, f"np {np}: no files in the making")
                end(job)
                job.communicate(timeout=60)
            left = files_in(folder) - {"ranks_apart.sh"}
            checks.expect(job.returncode != 0 and left == {"m.jsonl"},
                          f"np {np} {way}: exit {job.returncode}, there are {left}")
            (folder / "m.jsonl").unlink(missing_ok=True)


def main():
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        for check in [check_input_of_one_rank, check_metrics, check_ended]:
            check(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(folder), checks)
    checks.finish()


main()
