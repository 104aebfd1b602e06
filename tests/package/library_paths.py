"""Checks that programs and libraries never search for libraries in the current folder."""
import os
import pathlib
import re
import subprocess
import tempfile

EXECUTABLE, SHARED = 2, 3  # e_type of an ELF file; 1 is an object file, which is not loaded
PATHS = re.compile(r"\((RPATH|RUNPATH|NEEDED|AUDIT|DEPAUDIT)\)[^\[]*\[(.*)\]")


def is_loaded(path):
    if not path.is_file() or path.is_symlink():
        return False
    with path.open("rb") as file:
        start = file.read(18)
    return start[:4] == b"\x7fELF" and int.from_bytes(start[16:18], "little") in (EXECUTABLE, SHARED)


def entries_of(path):
    """(tag, text) of the entries in the dynamic section that name files or folders."""
    text = subprocess.run(["readelf", "-d", str(path)], check=True, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout
    return PATHS.findall(text)


def wrong_entries(path):
    """Entries for which the loader uses the current folder: empty or relative folders, library names with a slash."""
    wrong = []
    for tag, text in entries_of(path):
        for part in text.split(":") if tag in ("RPATH", "RUNPATH") else [text]:
            is_name = tag not in ("RPATH", "RUNPATH") and part and "/" not in part
            if not (is_name or part.startswith("/") or part.split("/")[0] == "$ORIGIN"):
                wrong.append(f"{tag} [{text}]")
    return wrong


def check_paths(checks, folder):
    files = [path for path in sorted(pathlib.Path(folder).rglob("*")) if is_loaded(path)]
    for path in files:
        wrong = wrong_entries(path)
        checks.expect(not wrong, f"{path}: {', '.join(wrong)}: expected absolute folders, or $ORIGIN")
    return files


def check_planted(checks, program):
    """The program starts in a folder that has a text file under the name of each of its libraries."""
    with tempfile.TemporaryDirectory() as folder:
        for tag, name in entries_of(program):
            if tag == "NEEDED":
                (pathlib.Path(folder) / name).write_text("planted")
        done = subprocess.run([str(program), "--version"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True)
    checks.expect(done.returncode == 0 and done.stdout.startswith("recombine "),
                  f"{program} in a folder with planted libraries: exit {done.returncode}, {done.stderr}")
