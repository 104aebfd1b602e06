"""Parses the parts of a PTX module that the translation needs."""
import re
from dataclasses import dataclass, field

from ptx_types import size_of


@dataclass
class Variable:
    name: str
    space: str
    align: int
    type: str
    count: int
    initial: str = ""

    @property
    def bytes(self):
        return size_of(self.type) * self.count


@dataclass
class Kernel:
    name: str
    parameters: list
    max_threads: int
    tokens: list  # ("line", file, number) | ("label", name) | ("open",) | ("close",) | ("statement", text)


@dataclass
class Module:
    variables: list = field(default_factory=list)
    kernels: list = field(default_factory=list)
    files: dict = field(default_factory=dict)


_VARIABLE = re.compile(r"""(?:\.(?P<linkage>visible|extern|weak)\s+)?\.(?P<space>global|const|shared)\s+
    (?:\.align\s+(?P<align>\d+)\s+)?\.(?P<type>\w+)\s+(?P<name>[\w$]+)(?P<array>\[(?P<count>\d*)\])?
    (?:\s*=\s*\{?(?P<initial>[^;{}]*)\}?)?\s*$""", re.X)
_PARAMETER = re.compile(r"""\.param\s+(?:\.align\s+(?P<align>\d+)\s+)?\.(?P<type>\w+)\s+
    (?:\.ptr\s+(?:\.\w+\s+(?:\d+\s+)?)*)?
    (?P<name>[\w$]+)(?:\[(?P<count>\d+)\])?$""", re.X)
_TOKEN = re.compile(r"""\s+ | \.loc\s+(?P<file>\d+)\s+(?P<line>\d+)[^\n]* | \.pragma[^;]*; | (?P<label>[$\w]+):(?!:)
    | (?P<open>\{) | (?P<close>\}) | (?P<statement>[^;{}]+(?:\{[^{};]*\}[^;{}]*)*);""", re.X)


def parse_variable(text):
    """The variable that a declaration declares, or None if `text` is no declaration of a variable."""
    match = _VARIABLE.match(text)
    if not match:
        return None
    count = int(match["count"] or 0) if match["array"] else 1
    align = int(match["align"] or size_of(match["type"]))
    return Variable(match["name"], match["space"], align, match["type"], count, match["initial"] or "")


def _parse_parameter(text, kernel):
    match = _PARAMETER.match(text.strip())
    if not match:
        raise SystemExit(f"ptx: kernel {kernel}: parameter is not known: {text.strip()}")
    align = int(match["align"] or size_of(match["type"]))
    return Variable(match["name"], "param", align, match["type"], int(match["count"] or 1))


def _matching_brace(text, start):
    depth = 0
    for match in re.compile(r"[{}]").finditer(text, start):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.end()
    raise SystemExit("ptx: a brace is not closed")


def _tokens(body, kernel):
    tokens, at = [], 0
    while at < len(body):
        match = _TOKEN.match(body, at)
        if not match:
            raise SystemExit(f"ptx: kernel {kernel}: not understood: {body[at:at + 60]!r}")
        at = match.end()
        if match["file"]:
            tokens.append(("line", match["file"], match["line"]))
        elif match["label"]:
            tokens.append(("label", match["label"]))
        elif match["open"]:
            tokens.append(("open",))
        elif match["close"]:
            tokens.append(("close",))
        elif match["statement"]:
            tokens.append(("statement", " ".join(match["statement"].split())))
    return tokens


def _threads(attributes, kernel):
    """The most threads of a block: the product of .maxntid or .reqntid x, y, z, or 1,024 if there is neither."""
    threads = 1024
    for name, value in re.findall(r"\.(\w+)\s*([\d,\s]*)", attributes):
        numbers = [int(n) for n in re.findall(r"\d+", value)]
        if name in ("maxntid", "reqntid"):
            threads = 1
            for number in numbers:
                threads *= number
        elif name not in ("minnctapersm", "maxnreg"):
            raise SystemExit(f"ptx: kernel {kernel}: directive .{name} is not known")
    return threads


def _parse_kernel(header, body):
    match = re.match(r"(?:\.(?:visible|weak)\s+)?\.entry\s+([\w$]+)\s*(?:\((.*?)\))?(.*)$", header, re.S)
    name, parameters, attributes = match.groups()
    parameters = [_parse_parameter(p, name) for p in (parameters or "").split(",") if p.strip()]
    return Kernel(name, parameters, _threads(attributes, name), _tokens(body, name))


def parse(text):
    module = Module(files=dict(re.findall(r'^\s*\.file\s+(\d+)\s+"([^"]+)"', text, re.M)))
    text = re.sub(r"^\s*\.file[^\n]*|//[^\n]*", "", text, flags=re.M)
    text = re.sub(r"^\.(version|target|address_size)[^\n]*", "", text, flags=re.M)
    at = 0
    while match := re.compile(r"\s*([^;{}]*)([;{])", re.S).match(text, at):
        head, stop = match[1].strip(), match[2]
        end = match.end() if stop == ";" else _matching_brace(text, match.end() - 1)
        if ".entry" in head:
            module.kernels.append(_parse_kernel(head, text[match.end():end - 1]))
        elif re.match(r"(\.\w+\s+)*\.func\b", head) or head.startswith(".section"):
            pass  # functions are skipped: a kernel that calls one is refused at the call
        else:
            if stop == "{":  # an initial value
                end = text.index(";", end) + 1
            declaration = text[match.start(1):end].rstrip("; \n")
            variable = parse_variable(" ".join(declaration.split()))
            if not variable:
                raise SystemExit(f"ptx: declaration is not known: {declaration[:100]}")
            module.variables.append(variable)
        at = end
    if text[at:].strip():
        raise SystemExit(f"ptx: not understood: {text[at:].strip()[:100]!r}")
    return module
