"""The rules for code blocks find each planted fault, and a wrong command on a page makes commands_test.py fail.

usage: blocks_test.py BUILD REPOSITORY
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import blocks
import outputs
import stand_ins

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "cli"))
from program import Checks, run_test

GOOD = """# Page
## One
```bash
cd build            # a comment
# a comment
./train --a \\
  --b "#1"

for i in 1 2; do
  echo $i
done
./train --device cuda    # needs a GPU: two of them
```
- an item:

  ```bash
  # needs Slurm
  sbatch a
  sbatch b     # all nodes
  ```

      a paragraph of the item is not indented that far
## Two
### Below
```console
$ ./matmul --x \\
    --y
C = 1
$ ./other  # runs tests
```
```text
./ is a folder
launch/test: 'x': expected release
```
"""
COMMANDS = [(4, "cd build            # a comment", ""), (6, './train --a \\\n  --b "#1"', ""),
            (9, "for i in 1 2; do\n  echo $i\ndone", ""),
            (12, "./train --device cuda    # needs a GPU: two of them", "needs a GPU"),
            (18, "sbatch a", "needs Slurm"), (19, "sbatch b     # all nodes", "needs Slurm"),
            (26, "./matmul --x \\\n    --y", ""), (29, "./other  # runs tests", "runs tests")]
# A page -> words of its only problem.
BAD = {
    "```\nmpirun -np 2 ./train\n```\n": "page:1: a block of language ''",
    "```sh\nls\n```\n": "page:1: a block of language 'sh'",
    "text\n\n    ls\n": "page:3: a block without a fence",
    "- item\n\n      ls\n": "page:3: a block without a fence",
    "text\n    mpirun -np 2 ./train\n": "page:2: a command outside of a block",
    "$ ./train\n": "page:1: a command outside of a block",
    "<pre>ls</pre>\n": "page:1: a block without a fence",
    "```text\nx\nmpirun -np 2 ./train\n```\n": "page:3: a command in a text block",
    "```cpp\nNP=2 sbatch launch/slurm/train.sbatch\n```\n": "page:2: a command in a cpp block",
    "```text\n$ ls\n```\n": "page:2: a command in a text block",
    "```text\ntests/gpu_check.sh --seconds 9\n```\n": "page:2: a command in a text block",
    "```bash\n./train  # needs patience\n```\n": "page:2: unknown mark '# needs patience'",
    "```bash\necho 'open\n```\n": "page:2: bash cannot parse",
    "```bash\n# nothing\n```\n": "page:2: no command in this bash block",
    "```console\noutput\n```\n": "page:2: no command in this console block",
    "```bash\nls\n": "page:1: this block never ends",
}
# The words of mpirun -> those that the real one gets; the same below launch/scaling.
SHORTER = {
    "-np 4 ./train --mesh 1x2x2": "-np 4 ./train --mesh 1x2x2 --steps 20",
    "-np 4 ./train --data fashion-mnist": "-np 4 ./train --data fashion-mnist --steps 20",
    "-np 4 build/train --data=a.csv": "-np 4 build/train --data=a.csv",
    "-np 4 ./train --steps 7": "-np 4 ./train --steps 7", "-np 4 ./matmul --m 4096": "-np 4 ./matmul --m 4096",
    "-np 2 ./train --compare-batching": "-np 2 ./train --compare-batching --data COPY/folder/with/idx/files",
    "-np 2 ./train --data fashion-mnist --compare-batching --epochs 3":
        "-np 2 ./train --compare-batching --epochs 3 --data COPY/folder/with/idx/files",
    "-np 2 ./train --compare-batching --data a.csv": "-np 2 ./train --compare-batching --data a.csv",
}
BELOW_SCALING = {"-np 4 ./train --steps 40 --hidden 1024,32": "-np 4 ./train --steps 4 --hidden 64,32",
                 "-np 4 ./train --steps 2": "-np 4 ./train --steps 2",
                 "-np 4 ./matmul --m 4096 --n 64": "-np 4 ./matmul --m 256 --n 64"}
# A page -> words that commands_test.py must print; "": it must pass.
RUN = {
    "## A\n```bash\nbuild/train --version\ncd build\n```\n## B\n```bash\n./train --version\n```\n": "",
    "```bash\ncd build\n```\n## B\n```bash\ncd build\n```\n": "README.md:6: exit code 1",
    "```bash\nmpirun -np 2 build/train --versoin\n```\n": "unknown option '--versoin'",
    "```bash\nmpirun -np 1 build/train --data launch/examples/none.csv --target y\n```\n": "none.csv",
    "```bash\nfalse | cat\n```\n": "exit code 1", "```bash\nfalse; true\n```\n": "exit code 1",
    "```console\n$ printf 'a\\nb\\nc\\n'\na\n...\n$ echo d\nd\n```\n": "",
    "```console\n$ printf 'a\\nb\\nc\\n'\na\nc\n```\n": "the page shows 'c', and the output has 'b'",
    "```bash\ncd nowhere\n```\n": "exit code 1", "```bash\nsudo apt-get install x\n```\n": "installs nothing",
    "```bash\n./train --devise cuda  # needs a GPU\n```\n": "README.md:2: no program has the option --devise",
    "`./matmul --expain`\n": "README.md:1: no program has the option --expain",
    "```bash\ncmake --preset relaese\n```\n": "relaese",
    "```bash\nlaunch/scaling train --np 0\n```\n": "--np 0: expected",
}
# What a command prints, what the page shows of it -> what is wrong.
SHOWN = [("a\nb \nc\n", "a|b|c", ""), ("a\nb\nc\n", "...|c", ""), ("a\nb\nc\n", "a|...", ""), ("a\nb\nc\n", "...", ""),
         ("a\nb\na\nc\n", "...|a|c", ""), ("a\nb\nc\n", "a|...|b|...", ""),
         ("a\nb\nc\n", "a|b", "the page ends here, and the output goes on with 'c'"),
         ("a\nb\nc\n", "a|x|c", "the page shows 'x', and the output has 'b'"),
         ("a\nb\nc\nd\n", "...|b|x|...", "the page shows 'x', and the output has 'c'"),
         ("a\nb\nc\n", "a|...|b", "the page ends here, and the output goes on with 'c'"),
         ("a\n", "a|b", "the page shows 'b', and the output has ended"),
         ("", "a", "the page shows 'a', and the output has ended")]


def check_rules(checks):
    commands, problems = blocks.read_page("page", GOOD)
    found = [(command.line, command.text, command.mark) for command in commands]
    expected_problems = ["page:22: a block without a fence; expected ```bash, ```text or another"]
    checks.expect(found == COMMANDS, f"commands: {found}; expected {COMMANDS}")
    checks.expect(problems == expected_problems, f"problems: {problems}; expected {expected_problems}")
    for page, words in BAD.items():
        problems = blocks.read_page("page", page)[1]
        checks.expect(len(problems) == 1 and words in problems[0], f"{page!r}: {problems}; expected '{words}'")
    for mark in blocks.MARKS:
        for text, expected in ((f"ls  # {mark}", mark), (f"ls  # {mark}: x", mark), (f"ls  # {mark}x", "")):
            checks.expect(blocks.mark_of(text)[0] == expected, f"'{text}': expected the mark '{expected}'")


def check_shown(checks):
    for output, shown, expected in SHOWN:
        found = outputs.difference(output, shown.split("|"))
        checks.expect(found == expected, f"{shown} in {output!r}: {found!r}; expected {expected!r}")
    command = blocks.read_page("page", "```console\n$ a \\\n  b\n1\n\n$ c\n$ d\n2\n```\n")[0]
    expected = [("a \\\n  b", ["1", ""]), ("c", None), ("d", ["2"])]
    checks.expect([(one.text, one.output) for one in command] == expected, f"{command}; expected {expected}")


def check_stand_ins(checks):
    os.environ["README_TEST_COPY"] = "COPY"
    for table, in_scaling in ((SHORTER, False), (BELOW_SCALING, True)):
        for words, expected in table.items():
            found = " ".join(stand_ins.shorter(words.split(), in_scaling))
            checks.expect(found == expected, f"{words} -> {found}; expected {expected}")


def run_page(build, repository, folder, text):
    """What commands_test.py prints for a checkout whose only page is `text`."""
    checkout = folder / "checkout"
    checkout.mkdir()
    for path in repository.iterdir():
        if not re.match(r"README|build|\.git", path.name):
            (checkout / path.name).symlink_to(path)
    (checkout / "README.md").write_text(text, encoding="utf-8")
    test = pathlib.Path(__file__).resolve().parent / "commands_test.py"
    done = subprocess.run([sys.executable, test, build, checkout, "no-emulation", "README.md"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
    shutil.rmtree(checkout)
    return done


def main():
    build, repository = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    checks = Checks()
    check_rules(checks)
    check_shown(checks)
    check_stand_ins(checks)
    with tempfile.TemporaryDirectory() as folder:
        for page, words in RUN.items():
            done = run_page(build, repository, pathlib.Path(folder), page)
            checks.expect(done.returncode == (1 if words else 0) and words in done.stdout,
                          f"{page!r}: exit {done.returncode}, '{words}' expected, printed\n{done.stdout}")
    checks.finish()


run_test(main)
