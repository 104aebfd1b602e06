"""Reads a hostfile of Open MPI: one host per line, `NAME [slots=N] [max_slots=N]`; # begins a comment."""
import dataclasses
import re

SLOTS = {"slots", "cpus", "count"}                         # three names of the same setting in Open MPI
OTHERS = {"max_slots", "max-slots", "user_name", "username"}


class InputError(Exception):
    """Bad input; the message is one line."""


@dataclasses.dataclass
class Host:
    name: str             # as ssh takes it: host or user@host
    slots: int = 0        # 0: not in the file; mpirun then takes the number of cores


def whole_number(text, what):
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise InputError(f"{what}={repr(text)[1:-1]}: expected a whole number >= 1")
    return int(text)


def parse_line(line):
    """The Host of a line, or None if the line is empty."""
    words = re.sub(r"\s*=\s*", "=", line.split("#")[0]).split()
    if not words:
        return None
    if not re.fullmatch(r"[\w.:@\[\]-]+", words[0]) or words[0].startswith("-"):
        raise InputError(f"{words[0]!r}: expected the name of a host")
    host = Host(words[0])
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if not equals or key not in SLOTS | OTHERS:
            raise InputError(f"{word!r}: expected slots=N or max_slots=N")
        if key in SLOTS:
            host.slots = whole_number(value, key)
        elif key.startswith("max"):
            whole_number(value, key)
        elif "@" not in host.name:
            host.name = f"{value}@{host.name}"
    return host


def read_hostfile(path):
    """The hosts in the order of the file. As in Open MPI, the slots of a host with several lines are added."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not text"
        raise InputError(f"{path}: {reason}; expected a hostfile of Open MPI") from None
    hosts = {}
    for number, line in enumerate(lines, 1):
        try:
            host = parse_line(line)
        except InputError as error:
            raise InputError(f"{path}:{number}: {error}") from None
        if host is None:
            continue
        if host.name in hosts:  # a line without a number adds one slot
            hosts[host.name].slots = (hosts[host.name].slots or 1) + (host.slots or 1)
        else:
            hosts[host.name] = host
    if not hosts:
        raise InputError(f"{path}: names no host; expected lines such as 'node1 slots=16'")
    return list(hosts.values())
