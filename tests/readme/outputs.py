"""Compares what a console block shows with what its command prints."""


def first_difference(part, lines, starts):
    """What is wrong with the best of the places where `lines` may have `part`."""
    def equal_lines(start):
        pairs = enumerate(zip(part, lines[start:]))
        return next((at for at, (one, other) in pairs if one != other), min(len(part), len(lines) - start))

    best = max(starts, key=equal_lines)
    count = equal_lines(best)
    there = lines[best + count] if best + count < len(lines) else None
    if count == len(part):
        return f"the page ends here, and the output goes on with '{there}'"
    return f"the page shows '{part[count]}', and the output has " + ("ended" if there is None else f"'{there}'")


def difference(output, shown):
    """What is wrong with `shown`, the lines on a page; "" if they are those of `output`. "..." stands for any lines."""
    lines, parts = [line.rstrip() for line in output.splitlines()], [[]]
    for line in shown:
        if line.strip() == "...":
            parts.append([])
        else:
            parts[-1].append(line.rstrip())
    at = 0
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        starts = [at] if number == 0 else range(at, len(lines) + 1)
        ends = [start + len(part) for start in starts if lines[start:start + len(part)] == part]
        ends = [end for end in ends if not last or end == len(lines) or (number > 0 and not part)]
        if not ends:
            return first_difference(part, lines, starts)
        at = ends[0]
    return ""
