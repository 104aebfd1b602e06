"""Translates PTX instructions to C++: arithmetic, logic, conversion and control.

A row of INSTRUCTIONS has a pattern for the whole opcode, with all supported modifiers, and the function that writes the
C++. An opcode that matches no row ends the translation.
"""
import re

from ptx_types import bits_of, cpp_type

INSTRUCTIONS = []


def instruction(pattern):
    def add(function):
        INSTRUCTIONS.append((re.compile(pattern, re.X), function))
        return function
    return add


def _unsigned(ptx_type):
    return re.sub("^[sb]", "u", ptx_type)


def _call(w, target, function, ptx_type, *operands):
    w.put(target, f"{function}({', '.join(w.read(o, ptx_type) for o in operands)})")


@instruction(r"(add|sub)\.([us](?:16|32|64))")
def _(w, m, d, a, b):
    kind = _unsigned(m[2])
    sign = "+" if m[1] == "add" else "-"
    w.put(d, f"static_cast<{cpp_type(kind)}>({w.read(a, kind)} {sign} {w.read(b, kind)})")


@instruction(r"(add|sub|mul)(?:\.rn)?(\.ftz)?\.(f32|f64|bf16|bf16x2|f16|f16x2)")
def _(w, m, d, a, b):
    sign = {"add": "+", "sub": "-", "mul": "*"}[m[1]]
    value = f"{w.read(a, m[3])} {sign} {w.read(b, m[3])}"
    w.put(d, f"flushed({value})" if m[2] else value)


@instruction(r"(add|sub|mul|fma)\.(rz|rm|rp)\.f32")
def _(w, m, d, *operands):
    _call(w, d, f"{m[1]}_{m[2]}", "f32", *operands)


@instruction(r"(mul|mad)\.(lo|hi|wide)\.([us](?:16|32|64))")
def _(w, m, d, a, b, c=None):
    if (c is None) != (m[1] == "mul"):
        w.fail(f"{m[0]} with a wrong number of operands")
    product = f"{'mul_' + m[2]}({w.read(a, m[3])}, {w.read(b, m[3])})"
    result = f"{m[3][0]}{2 * bits_of(m[3])}" if m[2] == "wide" else m[3]
    if c is None:
        w.put(d, product)
    else:
        kind = cpp_type(_unsigned(result))
        w.put(d, f"static_cast<{kind}>(static_cast<{kind}>({product}) + {w.read(c, _unsigned(result))})")


@instruction(r"fma\.rn(\.ftz)?\.(f32|f64|bf16|bf16x2)")
def _(w, m, d, a, b, c):
    value = f"fma_rn({w.read(a, m[2])}, {w.read(b, m[2])}, {w.read(c, m[2])})"
    w.put(d, f"flushed({value})" if m[1] else value)


@instruction(r"(div|rem)\.([us](?:16|32|64))")
def _(w, m, d, a, b):
    _call(w, d, f"{m[1]}_int", m[2], a, b)


@instruction(r"div\.(?:rn|full|approx)(\.ftz)?\.(f32|f64)")
def _(w, m, d, a, b):
    value = f"{w.read(a, m[2])} / {w.read(b, m[2])}"
    w.put(d, f"flushed({value})" if m[1] else value)


@instruction(r"(min|max)(\.ftz)?(\.NaN)?\.(f32|f64|bf16|bf16x2|[us](?:16|32|64))")
def _(w, m, d, a, b):
    _call(w, d, m[1] + ("_nan" if m[3] else "_of"), m[4], a, b)


@instruction(r"(neg|abs)(?:\.ftz)?\.(f32|f64|bf16|bf16x2|s16|s32|s64)")
def _(w, m, d, a):
    _call(w, d, f"{m[1]}_of", m[2], a)


@instruction(r"(rcp|sqrt)\.(?:rn|approx)(\.ftz)?\.(f32|f64)")
def _(w, m, d, a):
    value = f"{m[1]}_of({w.read(a, m[3])})"
    w.put(d, f"flushed({value})" if m[2] else value)


@instruction(r"(rsqrt|ex2|lg2|sin|cos|tanh)\.approx(\.ftz)?\.(f32|f64)")
def _(w, m, d, a):
    argument = w.read(a, m[3])
    value = f"{m[1]}_of({f'flushed({argument})' if m[2] else argument})"
    w.put(d, f"flushed({value})" if m[2] else value)


@instruction(r"(and|or|xor)\.(pred|b16|b32|b64)")
def _(w, m, d, a, b):
    sign = {"and": "&", "or": "|", "xor": "^"}[m[1]]
    w.put(d, f"static_cast<{cpp_type(m[2])}>({w.read(a, m[2])} {sign} {w.read(b, m[2])})")


@instruction(r"not\.(pred|b16|b32|b64)")
def _(w, m, d, a):
    sign = "!" if m[1] == "pred" else "~"
    w.put(d, f"static_cast<{cpp_type(m[1])}>({sign}{w.read(a, m[1])})")


@instruction(r"lop3\.b32")
def _(w, m, d, a, b, c, table):
    _call(w, d, "lop3", "b32", a, b, c, table)


@instruction(r"(shl|shr)\.([bus](?:16|32|64))")
def _(w, m, d, a, n):
    w.put(d, f"{m[1]}({w.read(a, m[2])}, {w.read(n, 'u32')})")


@instruction(r"shf\.(l|r)\.(wrap|clamp)\.b32")
def _(w, m, d, low, high, n):
    _call(w, d, f"funnel_{m[1]}_{m[2]}", "u32", low, high, n)


@instruction(r"bfe\.([us](?:32|64))")
def _(w, m, d, a, position, length):
    w.put(d, f"bit_field({w.read(a, m[1])}, {w.read(position, 'u32')}, {w.read(length, 'u32')})")


@instruction(r"bfi\.(b32|b64)")
def _(w, m, d, a, b, position, length):
    w.put(d, f"bit_insert({w.read(a, m[1])}, {w.read(b, m[1])}, {w.read(position, 'u32')}, {w.read(length, 'u32')})")


@instruction(r"(popc|clz|brev)\.(b32|b64)")
def _(w, m, d, a):
    _call(w, d, f"{m[1]}_of", m[2], a)


@instruction(r"prmt\.b32")
def _(w, m, d, a, b, selector):
    _call(w, d, "permute_bytes", "b32", a, b, selector)


@instruction(r"selp\.([busf](?:16|32|64))")
def _(w, m, d, a, b, p):
    w.put(d, f"{w.read(p, 'pred')} ? {w.read(a, m[1])} : {w.read(b, m[1])}")


@instruction(r"setp\.(eq|ne|lt|le|gt|ge|lo|ls|hi|hs|equ|neu|ltu|leu|gtu|geu|num|nan)(?:\.(and|or|xor))?(?:\.ftz)?"
             r"\.([busf](?:16|32|64))")
def _(w, m, d, a, b, c=None):
    if (c is None) != (m[2] is None):
        w.fail(f"{m[0]} with a wrong number of operands")
    targets = d.split("|")
    sign = {"and": "&", "or": "|", "xor": "^", None: None}[m[2]]
    combine = f" {sign} {w.read(c, 'pred')}" if sign else ""
    w.emit(f"{{ const bool holds = is_{m[1]}({w.read(a, m[3])}, {w.read(b, m[3])});")
    second = f"static_cast<bool>(!holds{combine})"
    if len(targets) > 1:  # compute both before writing one: c may be a target
        w.emit(f"const bool fails = {second};")
    w.put(targets[0], f"static_cast<bool>(holds{combine})")
    if len(targets) > 1:
        w.put(targets[1], "fails")
    w.emit("}")


@instruction(r"copysign\.(f32|f64)")
def _(w, m, d, sign, magnitude):
    _call(w, d, "std::copysign", m[1], magnitude, sign)


@instruction(r"testp\.(finite|infinite|number|notanumber|normal|subnormal)\.(f32|f64)")
def _(w, m, d, a):
    _call(w, d, f"is_{m[1]}", m[2], a)


@instruction(r"cvt\.rn\.(bf16x2|f16x2)\.f32")
def _(w, m, d, high, low):
    w.put(d, f"pack<{cpp_type(m[1])}>({w.read(high, 'f32')}, {w.read(low, 'f32')})")


@instruction(r"cvt(?:\.(?P<round>rn|rni|rzi|rmi|rpi|rna))?(?P<flush>\.ftz)?(?P<saturate>\.sat)?"
             r"\.(?P<to>[usf](?:8|16|32|64)|bf16|tf32)\.(?P<source>[usf](?:8|16|32|64)|bf16)")
def _(w, m, d, a):
    value = w.read(a, m["source"])
    floats = ("f16", "f32", "f64", "bf16", "tf32")
    if m["flush"]:
        value = f"flushed({value})"
    if m["round"] in ("rni", "rzi", "rmi", "rpi"):
        value = f"round_{m['round']}({value})"
    if m["to"] == "tf32":
        value = f"to_tf32({value})"
    elif m["source"] in floats and m["to"] not in floats:
        if not m["round"]:
            w.fail(f"conversion without rounding to an integer: {m[0]}")
        value = f"to_int<{cpp_type(m['to'])}>({value})"
    else:
        value = f"to<{cpp_type(m['to'])}>({value})"
    if m["saturate"]:
        if m["to"] not in ("f32", "f64"):
            w.fail(f"saturation is not known: {m[0]}")
        value = f"saturated({value})"
    w.put(d, value)


@instruction(r"bra(?:\.uni)?")
def _(w, m, label):
    from kernel_writer import identifier
    w.emit(f"goto {identifier(label, 'l_')};")


@instruction(r"ret|exit")
def _(w, m):
    w.emit("return;")


@instruction(r"trap")
def _(w, m):
    w.emit('fail_in(thread, "trap");')
