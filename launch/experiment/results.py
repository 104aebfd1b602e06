"""results.jsonl: one measured run per line, appended as soon as it ends."""
import fcntl
import json
import os

from options import InputError

# Every record has them.
KEYS = ["program", "mode", "np", "asked_mesh", "mesh", "repeat", "work", "seconds_per_unit", "exit_code"]


def read(path):
    """The records of a file, without an incomplete last line: the machine stopped while it was written."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no text"
        raise InputError(f"{path}: cannot be read: {reason}; expected a results.jsonl") from None
    return merged(parsed(path, number, line) for number, line in enumerate(lines[:-1], 1))


def parsed(path, number, line):
    try:
        record = json.loads(line)
        damaged = not isinstance(record, dict) or any(key not in record for key in KEYS)
        damaged = damaged or not isinstance(record["np"], int) or not isinstance(record["work"], dict)
    except ValueError:
        damaged = True
    if damaged:
        raise InputError(f"{path}: line {number} is damaged, or no run of launch/scaling; expected a results.jsonl, or "
                         "one without this line")
    return record


def merged(records):
    """`records` in their order, without those that a later one replaces."""
    kept = []
    for record in records:
        kept = [*without_older(kept, record), record]
    return kept


def without_older(records, record):
    """`records` without those that `record` replaces: the same run, or a failed run of the same case."""
    def replaced(other):
        same_case = all(other[key] == record[key] for key in ("program", "mode", "np", "asked_mesh"))
        return same_case and (other["repeat"] == record["repeat"] or other["exit_code"] != 0)

    return [other for other in records if not replaced(other)]


def require_same_options(records, what):
    """Raises InputError if two records of one program have other options: they are not comparable."""
    options = {}
    for record in records:
        program, own = record["program"], record.get("experiment", {}).get("options")
        if options.setdefault(program, own) != own:
            raise InputError(f"{what}: results of {program} with other options ({options[program]} and {own}); "
                             "expected the same options after --")


def lock(folder):
    """Refuses a second experiment in `folder` until this process ends. Returns what must be kept until then."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"--out {folder}: another launch/scaling measures there; expected another folder") from None
    return descriptor


def append(path, record):
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
        file.flush()
        os.fsync(file.fileno())


def keep_whole_lines(path):
    """Removes an incomplete last line."""
    if path.exists():
        content = path.read_bytes()
        if not content.endswith(b"\n"):
            path.write_bytes(content[:content.rfind(b"\n") + 1])
