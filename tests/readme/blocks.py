"""Finds the commands in the code blocks of a README, and what is wrong with these blocks.

- Languages: in ```bash every line is a command. In ```console the lines that begin with "$ " are commands, and the
  lines after each are what it prints, line by line; "..." stands for lines that are left out. A \\ at the end of a line
  continues the command. Blocks of other languages (OTHERS) have no commands: output that changes is ```text.
- A page is one shell: it begins in the root of the checkout, after `source launch/env`. `cd` and `export` hold until
  the page ends.
- A mark is a comment that begins with one of MARKS, such as "# needs a GPU". At the end of a command it marks this
  command, on a line of its own the whole block. The test does not run marked commands.
- Each of these is a problem: a block without a language or with an unknown one; a block made by indentation; a line
  outside of bash and console blocks that begins with a command; a comment "# needs ..." that is not one of MARKS.
"""
import dataclasses
import re
import subprocess

OTHERS = {"text", "cpp", "cmake", "json", "python"}
MARKS = ("needs a GPU", "needs several GPUs", "needs several hosts", "needs Slurm", "needs PBS", "needs LSF",
         "needs a cluster", "needs the network", "needs nvcc", "needs PyTorch", "needs hours", "runs tests")
FENCE = re.compile(r"( *)(`{3,}|~{3,}) *([^`]*)$")
COMMENT = re.compile(r"(?:^|\s)#+ *(.*)$")
PROGRAMS = ("mpirun|cmake|ninja|ctest|sbatch|srun|salloc|scancel|module load|source \\S*/|cd |export |python3|pip |cp |"
            "apt|sudo |ssh |nice |timeout |tests/\\S+\\.(py|sh)|build/(train|matmul|\\w+_test|\\w+_bench)|\\./\\w|"
            "launch/(quickstart|test|scaling|hosts/check)")
COMMAND_LINE = re.compile(rf"\s*(\$ |([A-Z_]+=\S* )*({PROGRAMS})(?!\S*:))")
LIST_ITEM = re.compile(r"\s*([-*+]|\d+\.)\s")


@dataclasses.dataclass(frozen=True)
class Command:
    page: str
    line: int
    text: str
    mark: str     # one of MARKS, or "" if the command is to be run
    output: list | None = None  # the lines that a console block shows; None: nothing is shown


@dataclasses.dataclass(frozen=True)
class Block:
    language: str
    first: int    # the number of its first line
    lines: list


def mark_of(line):
    """(mark, problem) of a line's comment; both "" without a comment that needs or runs anything."""
    comment = COMMENT.search(line)
    words = comment[1] if comment else ""
    for mark in MARKS:
        if re.match(re.escape(mark) + r"($|[:,;.])", words):
            return mark, ""
    return "", f"unknown mark '# {words}'; expected one of: {', '.join(MARKS)}" if words.startswith("needs ") else ""


def is_complete(command):
    """False if bash needs further lines: a quote, a loop or a here-document is open."""
    if command.endswith("\\"):
        return False
    checked = subprocess.run(["bash", "-n", "-c", command], stderr=subprocess.PIPE, check=False)
    return checked.returncode == 0 and not checked.stderr


def typed_lines(block):
    """(number, line) of the lines that a shell gets, and (number, None) of the others."""
    continued = False
    for number, line in enumerate(block.lines, block.first):
        typed = block.language == "bash" or continued or line.startswith("$ ")
        continued = block.language == "console" and typed and line.endswith("\\")
        yield number, line.removeprefix("$ ") if typed else None


def commands_of(page, block):
    """(commands, problems) of a bash or console block."""
    commands, problems, text, begin, whole = [], [], "", 0, ""
    for number, line in typed_lines(block):
        if line is None:
            if commands:
                shown = commands[-1].output or []
                commands[-1] = dataclasses.replace(commands[-1], output=[*shown, block.lines[number - block.first]])
            continue
        mark, problem = mark_of(line)
        problems += [f"{page}:{number}: {problem}"] if problem else []
        if not text and (not line.strip() or line.lstrip().startswith("#")):
            whole = whole or mark
            continue
        begin = begin if text else number
        text = f"{text}\n{line}" if text else line
        if is_complete(text):
            commands.append(Command(page, begin, text, mark))
            text = ""
    if text:
        problems.append(f"{page}:{begin}: bash cannot parse '{text}'; expected a complete command")
    if not commands and not problems:
        problems.append(f"{page}:{block.first}: no command in this {block.language} block; expected ```text")
    return [dataclasses.replace(command, mark=command.mark or whole) for command in commands], problems


class Page:
    """Splits a page into `blocks`; `problems` has what is wrong outside of them."""

    def __init__(self, name, text):
        self.name, self.blocks, self.problems = name, [], []
        self.in_list, before = False, ""
        fence, first, inside = None, 0, []  # of the open block
        for number, line in enumerate(text.splitlines(), 1):
            found = FENCE.match(line)
            if not fence:
                if found:
                    fence, first, inside = found, number + 1, []
                else:
                    self.read_prose(number, line, before)
            elif found and found[2].startswith(fence[2]) and not found[3].strip():
                self.blocks.append(Block((fence[3].split() or [""])[0], first, inside))
                fence = None
            else:
                indent = len(line) - len(line.lstrip(" "))
                inside.append(line[min(len(fence[1]), indent):])
            before = line
        if fence:
            self.problems.append(f"{name}:{first - 1}: this block never ends; expected {fence[2]}")

    def read_prose(self, number, line, before):
        indent = len(line) - len(line.lstrip(" "))
        if line.strip():
            self.in_list = bool(LIST_ITEM.match(line)) or (self.in_list and indent > 0)
        is_code = indent >= (6 if self.in_list else 4) and not before.strip() and not LIST_ITEM.match(line)
        if is_code or re.match(r"\s*<(pre|code)\b", line):
            self.problems.append(f"{self.name}:{number}: a block without a fence; expected ```bash, ```text or another")
        elif COMMAND_LINE.match(line) and (indent >= 4 or line.startswith("$ ")):
            self.problems.append(f"{self.name}:{number}: a command outside of a block; expected it in ```bash")


def read_page(name, text):
    """(commands, problems) of a page."""
    page = Page(name, text)
    commands, problems = [], page.problems
    for block in page.blocks:
        if block.language in ("bash", "console"):
            found = commands_of(name, block)
            commands += found[0]
            problems = problems + found[1]
        elif block.language not in OTHERS:
            problems.append(f"{name}:{block.first - 1}: a block of language '{block.language}'; expected bash, "
                            f"console, {', '.join(sorted(OTHERS))}")
        else:
            problems += [f"{name}:{number}: a command in a {block.language} block; expected it in ```bash"
                         for number, line in enumerate(block.lines, block.first) if COMMAND_LINE.match(line)]
    return commands, problems
