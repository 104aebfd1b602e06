"""results.jsonl: one measured run per line, appended as soon as it ends."""
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
        raise InputError(f"{path}: cannot be read: {error}; expected a results.jsonl") from None
    records = []
    for number, line in enumerate(lines[:-1], 1):
        try:
            record = json.loads(line)
            missing = [key for key in KEYS if key not in record]
        except (ValueError, TypeError):
            missing = KEYS
        if missing:
            raise InputError(f"{path}: line {number} has no {missing[0]}; expected a results.jsonl of launch/scaling")
        records = [*without_older(records, record), record]
    return records


def without_older(records, record):
    """`records` without those that `record` replaces: the same run, or a failed run of the same case."""
    def replaced(other):
        same_case = all(other[key] == record[key] for key in ("program", "mode", "np", "asked_mesh"))
        return same_case and (other["repeat"] == record["repeat"] or other["exit_code"] != 0)

    return [other for other in records if not replaced(other)]


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
