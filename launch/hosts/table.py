"""The table of the hosts: one line per host, one column per property."""
import hashlib

from units import bytes_text


def data_cell(answer):
    """The first digits of one hash over all files."""
    if not answer.data:
        return "missing"
    return hashlib.sha256(repr(sorted(answer.data.items())).encode()).hexdigest()[:8]


def free_cell(answer, name):
    return bytes_text(answer.space[name][0]) if name in answer.space else ""


def cells_of(answer, slots, options):
    disk = "checkpoint" if options.checkpoint else "work"
    cells = {"host": answer.host, "reached": "yes" if answer.reached else "no",
             "program": answer["program"][:8] or answer["program_is"], "version": answer["version"].split(" ")[-1],
             "Open MPI": answer["open_mpi"], "glibc": answer["glibc"]}
    if options.data:
        cells["data"] = data_cell(answer) if answer.reached else ""
    cells.update({"disk free": free_cell(answer, disk), "/dev/shm free": free_cell(answer, "shm"),
                  "cores": answer["cores"], "slots": str(slots.get(answer.host) or ""), "GPUs": answer["gpus"],
                  "clock": f"{answer.clock_error:+.1f} s" if answer.reached else ""})
    return {name: cell or "-" for name, cell in cells.items()}


def table_of(answers, slots, options):
    rows = [cells_of(answer, slots, options) for answer in answers]
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)
