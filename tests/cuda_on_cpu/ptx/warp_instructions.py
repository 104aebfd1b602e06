"""Translates PTX instructions to C++: those that the lanes of a warp execute together."""
from instructions import instruction
from ptx_types import cpp_type, size_of


@instruction(r"bar\.warp\.sync")
def _(w, m, mask):
    w.emit(f"sync_warp(thread, {w.read(mask, 'b32')});")


@instruction(r"shfl\.sync\.(up|down|bfly|idx)\.b32")
def _(w, m, target, value, lane, clamp, mask):
    targets = target.split("|")
    operands = ", ".join(w.read(o, "b32") for o in (value, lane, clamp, mask))
    w.emit(f"{{ const Shuffled got = shuffle_{m[1]}(thread, {operands});")
    w.put(targets[0], "got.value")
    if len(targets) > 1:
        w.put(targets[1], "got.in_range")
    w.emit("}")


@instruction(r"vote\.sync\.(any|all|uni)\.pred")
def _(w, m, target, value, mask):
    w.put(target, f"vote_{m[1]}(thread, {w.read(value, 'pred')}, {w.read(mask, 'b32')})")


@instruction(r"vote\.sync\.ballot\.b32")
def _(w, m, target, value, mask):
    w.put(target, f"vote_ballot(thread, {w.read(value, 'pred')}, {w.read(mask, 'b32')})")


@instruction(r"wmma\.load\.(?P<matrix>a|b|c)\.sync\.aligned\.(?P<layout>row|col)\.m16n16k16"
             r"(?:\.(?P<space>global|shared)(?:::cta)?)?\.(?P<type>bf16|f32)")
def _(w, m, target, address, stride="16"):
    registers = w.registers(target)
    if len(registers) != (4 if m["type"] == "bf16" else 8):
        w.fail(f"{m[0]} of {len(registers)} registers")
    w.emit(f"{{ std::uint32_t fragment[{len(registers)}];")
    element = cpp_type("b16" if m["type"] == "bf16" else "b32")
    w.emit(f"load_fragment<{element}>(thread, fragment, {_tile(w, m, address, stride)});")
    for i, register in enumerate(registers):
        w.put(register, f"fragment[{i}]")
    w.emit("}")


def _tile(w, m, address, stride):
    """C++ for the Tile that an operand names. The address of each element is checked when it is used."""
    start = w.address(address, "unchecked", size_of(m["type"]))
    space = {"global": "global", "shared": "shared", None: "generic"}[m["space"]]
    return f"Tile{{{start}, {w.read(stride, 'u32')}, Layout::{m['layout']}, Space::{space}}}"


@instruction(r"wmma\.store\.d\.sync\.aligned\.(?P<layout>row|col)\.m16n16k16"
             r"(?:\.(?P<space>global|shared)(?:::cta)?)?\.(?P<type>f32)")
def _(w, m, address, source, stride="16"):
    values = ", ".join(w.read(r, "b32") for r in w.registers(source))
    w.emit(f"{{ const std::uint32_t fragment[] = {{{values}}};")
    w.emit(f"store_fragment(thread, fragment, {_tile(w, m, address, stride)}); }}")


@instruction(r"wmma\.mma\.sync\.aligned\.(?:row|col)\.(?:row|col)\.m16n16k16\.f32\.bf16\.bf16\.f32")
def _(w, m, d, a, b, c):
    for name, operand in (("a", a), ("b", b), ("c", c)):
        values = ", ".join(w.read(r, "b32") for r in w.registers(operand))
        w.emit(f"{'{ ' if name == 'a' else ''}const std::uint32_t {name}[] = {{{values}}};")
    w.emit("std::uint32_t d[8]; multiply_fragments(thread, d, a, b, c);")
    for i, register in enumerate(w.registers(d)):
        w.put(register, f"d[{i}]")
    w.emit("}")
