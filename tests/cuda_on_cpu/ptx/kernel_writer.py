"""Writes one kernel as a C++ function: scopes, registers, operands and addresses. Instructions are in other files."""
import os
import re

from module import parse_variable
from ptx_types import bits_of, cpp_type, register_type, size_of

_THREAD = {"%laneid": "thread.lane", "%warpid": "thread.warp", "WARP_SZ": "32u",
           "%lanemask_lt": "((1u << thread.lane) - 1)"}
for _register, _member in (("tid", "index"), ("ctaid", "block"), ("ntid", "block_size"), ("nctaid", "grid_size")):
    for _axis in "xyz":
        _THREAD[f"%{_register}.{_axis}"] = f"thread.{_member}.{_axis}"

_SPACES = {"global": "global_memory", "shared": "shared_memory", "const": "global_memory", None: "generic_memory"}


def identifier(name, prefix):
    """A C++ name for a PTX name. Its prefix keeps it apart from the names of helpers."""
    return prefix + re.sub(r"[^A-Za-z0-9_]", "_", name.lstrip("%"))


def round_up(value, multiple):
    return (value + multiple - 1) // multiple * multiple


class KernelWriter:
    def __init__(self, kernel, module, instructions):
        self.kernel = kernel
        self.files = module.files
        self.instructions = instructions
        self.lines = []
        self.line = None  # (file, number) in the kernel's source
        self.declared = set()  # registers declared so far
        self.shared_bytes = 0
        self.offsets = {}  # of parameters, and of variables in shared memory
        self.spaces = {variable.name: variable.space for variable in module.variables}
        self._lay_out_parameters()
        for variable in module.variables:
            if variable.space == "shared":
                self._lay_out_shared(variable)
        for kind, *rest in kernel.tokens:  # static variables first: the dynamic one follows them
            variable = parse_variable(rest[0]) if kind == "statement" else None
            if variable:
                self._lay_out_shared(variable)
        self._lay_out_dynamic(module.variables)

    def _lay_out_parameters(self):
        self.parameters, self.parameter_bytes = [], 0
        for parameter in self.kernel.parameters:
            offset = round_up(self.parameter_bytes, parameter.align)
            self.parameters.append((offset, parameter.bytes))
            self.offsets[parameter.name] = offset
            self.spaces[parameter.name] = "param"
            self.parameter_bytes = offset + parameter.bytes

    def _lay_out_shared(self, variable):
        if variable.count == 0:
            return
        offset = round_up(self.shared_bytes, variable.align)
        self.offsets[variable.name] = offset
        self.spaces[variable.name] = "shared"
        self.shared_bytes = offset + variable.bytes

    def _lay_out_dynamic(self, variables):
        dynamic = [v for v in variables if v.space == "shared" and v.count == 0]
        if dynamic and any(self._names(v.name) for v in dynamic):
            self.shared_bytes = round_up(self.shared_bytes, max(v.align for v in dynamic))
        for variable in dynamic:
            self.offsets[variable.name] = self.shared_bytes

    def _names(self, name):
        return any(kind == "statement" and name in rest[0] for kind, *rest in self.kernel.tokens)

    def fail(self, text):
        raise SystemExit(f"ptx: kernel {self.kernel.name}: {text}")

    def emit(self, line):
        self.lines.append(line)

    def place(self):
        """The current statement's place in the source, or its number if the source line is unknown."""
        if self.line:
            return f"{os.path.basename(self.files.get(self.line[0], '?'))}:{self.line[1]}"
        return f"statement {len(self.lines)} (-lineinfo names the line)"

    def write(self):
        for kind, *rest in self.kernel.tokens:
            if kind == "line":
                self.line = rest
                self.emit(f'\n#line {rest[1]} "{self.files.get(rest[0], "?")}"\n')
            elif kind == "label":
                self.emit(f"{identifier(rest[0], 'l_')}:;")
            elif kind == "open":
                self.emit("{")
            elif kind == "close":
                self.emit("}")
            elif rest[0].startswith("."):
                self._declare(rest[0])
            else:
                self._translate(rest[0])
        return " ".join(self.lines)  # on one line: then #line gives all code of a source line its number

    def _declare(self, text):
        match = re.fullmatch(r"\.reg \.(\w+) (.*)", text)
        if match:
            names = []
            for name in match[2].split(","):
                many = re.fullmatch(r"(.*)<(\d+)>", name.strip())
                names += [f"{many[1]}{i}" for i in range(int(many[2]))] if many else [name.strip()]
            self.declared.update(names)
            self.emit(f"{register_type(match[1])} {', '.join(identifier(n, 'v_') for n in names)};")
        elif text.startswith(".local"):
            self.fail(f"an array in local memory: {text}")
        elif not parse_variable(text):
            self.fail(f"declaration is not known: {text}")

    def _translate(self, text):
        match = re.fullmatch(r"(?:@(!?)(%?[\w$]+) )?([\w.:]+) ?(.*)", text)
        if not match:
            self.fail(f"not understood: {text}")
        negated, guard, opcode, rest = match.groups()
        operands = [o.strip() for o in re.findall(r"\{[^}]*\}|\[[^\]]*\]|[^,\s][^,]*", rest)]
        if guard:
            self.emit(f"if ({'!' if negated else ''}{identifier(guard, 'v_')}) {{")
        for pattern, translate in self.instructions:
            found = pattern.fullmatch(opcode)
            if found:
                try:
                    translate(self, found, *operands)
                except TypeError:
                    self.fail(f"instruction with these operands is not known: {text}")
                break
        else:
            self.fail(f"instruction is not known: {text}")
        if guard:
            self.emit("}")

    def read(self, operand, ptx_type):
        """C++ for the operand's value, of type cpp_type(ptx_type)."""
        cpp = cpp_type(ptx_type)
        if operand.startswith("!"):
            return f"!{self.read(operand[1:], ptx_type)}"
        if operand in _THREAD:
            return f"get<{cpp}>({_THREAD[operand]})"
        bits = re.fullmatch(r"0[fFdD]([0-9A-Fa-f]{8}|[0-9A-Fa-f]{16})", operand)
        if bits:
            return f"get<{cpp}>(std::uint{4 * len(bits[1])}_t{{0x{bits[1]}u}})"
        if re.fullmatch(r"-?(0x[0-9A-Fa-f]+|\d+)U?", operand):
            unsigned = f"std::uint{max(8, bits_of(ptx_type))}_t"
            value = int(operand.rstrip("U"), 0) % (1 << 64)
            return f"get<{cpp}>(static_cast<{unsigned}>({value}u))"
        if operand in self.declared:
            return f"get<{cpp}>({identifier(operand, 'v_')})"
        if operand in self.spaces:
            return f"get<{cpp}>({self._symbol(operand)})"
        self.fail(f"operand is not known: {operand}")

    def _symbol(self, name):
        """C++ for a variable's address in its own address space."""
        space = self.spaces[name]
        if space == "shared":
            return f"std::uint64_t{{{self.offsets[name]}}}"
        if space == "param":
            return f"(reinterpret_cast<std::uint64_t>(parameters) + {self.offsets[name]})"
        return f"reinterpret_cast<std::uint64_t>({identifier(name, 's_')})"

    def put(self, operand, value):
        if operand == "_":
            self.emit(f"static_cast<void>({value});")
        else:
            self.emit(f"put({identifier(operand, 'v_')}, {value});")

    def address(self, operand, space, count_bytes, align=None):
        """C++ for the checked address of the operand [base + offset], a std::uint64_t."""
        match = re.fullmatch(r"\[\s*([^\s+\]]+)\s*(?:\+\s*(-?\d+))?\s*\]", operand)
        if not match:
            self.fail(f"address is not known: {operand}")
        base = self.read(match[1], "u64")
        sum_ = f"{base} + {match[2]}" if match[2] else base
        if space in ("param", "unchecked"):
            return f"({sum_})"
        return f"{_SPACES[space]}(thread, {sum_}, {count_bytes}, {align or count_bytes})"

    def registers(self, operand):
        """The names in {a, b, ...}, or the one name."""
        return [name.strip() for name in operand.strip("{}").split(",")]

    def split_value(self, ptx_type, count):
        """The type of one of `count` equal parts."""
        return f"b{8 * size_of(ptx_type) // count}"
