#!/usr/bin/env python3
"""Checks every page (*.md) of the repository: relative links lead to a file or folder, #anchors to a heading, a path
in backticks that begins with a folder of the root exists, and the root's README.md has at most 1,800 words.

usage: readme_links_test.py REPOSITORY
First it checks itself: it must find one planted fault of each kind, and no other, in a temporary tree.
"""
import pathlib
import re
import sys
import tempfile
import urllib.parse

MOST_WORDS = 1800  # of the root's README.md: about a screen for each purpose
FENCE = re.compile(r"^\s*(```|~~~)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*\s*$")
CODE = re.compile(r"`[^`]*`")
# [text](target) and ![text](target). The text may have code and line breaks.
LINK = re.compile(r"\[(?:[^\[\]]|`[^`]*`)*\]\(\s*([^()\s]+)\s*\)")
PATH = re.compile(r"`((?:kernels|distributed|src|launch|tests)/[\w./-]*)`")  # without * and other marks
OTHER_PLACES = re.compile(r"[a-z][a-z+.-]*:")  # https:, mailto:


def without_fences(text):
    """The text with empty lines in place of fenced blocks, so that line numbers stay."""
    lines, inside = [], False
    for line in text.splitlines():
        fence = FENCE.match(line)
        lines.append("" if inside or fence else line)
        inside ^= bool(fence)
    return "\n".join(lines)


def anchors_of(text):
    """The anchors of a page's headings, as GitHub makes them."""
    found, times = set(), {}
    for line in without_fences(text).splitlines():
        heading = HEADING.match(line)
        if not heading:
            continue
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.group(1)).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        count = times.get(anchor, 0)
        times[anchor] = count + 1
        found.add(f"{anchor}-{count}" if count else anchor)
    return found


def links_of(text):
    """The line and the target of each link, except for those in code."""
    text = without_fences(text)
    for link in LINK.finditer(text):
        before = text[:link.start()]
        if CODE.sub("", before[before.rfind("\n") + 1:]).count("`") % 2 == 0:
            yield before.count("\n") + 1, link.group(1)


def fault_of(root, page, target):
    """What is wrong with a link of the page, or None."""
    path, _, anchor = target.partition("#")
    place = (page.parent / urllib.parse.unquote(path)).resolve() if path else page.resolve()
    if not place.is_relative_to(root):
        return f"{target} is outside the repository"
    if not place.exists():
        return f"{target} does not exist"
    if anchor and (place.suffix != ".md" or anchor not in anchors_of(place.read_text(encoding="utf-8"))):
        return f"{target}: no heading has this anchor"
    return None


def missing_paths(root, page):
    lines = without_fences(page.read_text(encoding="utf-8")).splitlines()
    return [f"{page.relative_to(root)}:{number}: `{path}` does not exist"
            for number, line in enumerate(lines, 1) for path in PATH.findall(line)
            if not (root / path).exists() and not (page.parent / path).exists()]


def pages_of(root):
    return [page for page in sorted(root.rglob("*.md"))
            if not any(part.startswith((".", "build")) for part in page.relative_to(root).parts)]


def find_faults(root):
    faults, links = [], 0
    for page in pages_of(root):
        for line, target in links_of(page.read_text(encoding="utf-8")):
            if OTHER_PLACES.match(target):
                continue
            links += 1
            fault = fault_of(root, page, target)
            if fault:
                faults.append(f"{page.relative_to(root)}:{line}: {fault}")
        faults += missing_paths(root, page)
    words = len((root / "README.md").read_text(encoding="utf-8").split())
    if words > MOST_WORDS:
        faults.append(f"README.md: {words} words; expected at most {MOST_WORDS}: details belong to the folders' pages")
    return faults, links


GOOD = """# Some `--code`, and a [link](a/README.md)
[text](a/README.md) [`code`](a/README.md#a-b) ![a picture](a/x.svg) [folder](a/) [web](https://example.org/#none)
[here](#some---code-and-a-link) `src/` `src/*.cpp` [two
lines](a/README.md#twice-1) `[not](a-link.md)`
```bash
echo "[not](a-link.md)"  # not a heading
```
"""
PAGES = {"README.md": GOOD + "word " * (MOST_WORDS - len(GOOD.split())), "a/README.md": "# A b\n## Twice\n## Twice\n",
         "a/x.svg": "", "src/a.cpp": "", "build/README.md": "[broken](nowhere.md)"}
PLANTED = {"a/file.md": "[gone](gone.hpp)", "a/page.md": "[gone](../README.md#gone)", "a/here.md": "[gone](#gone)",
           "a/fence.md": "```text\n# gone\n```\n[gone](#gone)", "a/out.md": "[outside](../../README.md)",
           "a/picture.md": "![gone](gone.svg)", "a/heading.md": "[no page](x.svg#gone)",
           "a/path.md": "`src/gone.cpp`"}


def check_the_check():
    """Every planted fault, and no other, is found."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve() / "repository"
        for name, text in {**PAGES, **PLANTED}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        faults, _ = find_faults(root)
        (root / "README.md").write_text(PAGES["README.md"] + "word")
        longer = set(find_faults(root)[0]) - set(faults)
    if sorted(fault.split(":")[0] for fault in faults) != sorted(PLANTED):
        sys.exit(f"readme_links_test.py is broken: of {sorted(PLANTED)} it found {faults}")
    if len(longer) != 1:
        sys.exit("readme_links_test.py is broken: it did not find that README.md has one word too many")


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    check_the_check()
    faults, links = find_faults(root)
    print("\n".join(faults))
    if not links:
        sys.exit(f"no links in pages under {root}")
    print(f"{links} links in {len(pages_of(root))} pages, {len(faults)} faults")
    sys.exit(1 if faults else 0)


main()
