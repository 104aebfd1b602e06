"""Translates PTX instructions to C++: memory and atomics."""
from instructions import instruction
from ptx_types import cpp_type, size_of

_ORDER = r"(?P<order>\.volatile|\.weak|\.relaxed\.\w+|\.acquire\.\w+|\.release\.\w+)?"
_CACHE = r"(?:\.nc|\.ca|\.cg|\.cs|\.lu|\.cv|\.wb|\.wt|\.L1::\w+|\.L2::\w+)*"


def _suffix(order):
    """The end of the helper's name: "" for load, "_relaxed" for load_relaxed, "_acquire" for load_acquire ..."""
    name = order.split(".")[1] if order else "weak"
    return {"weak": "", "volatile": "_relaxed"}.get(name, "_" + name)


@instruction(rf"ld{_ORDER}(?:\.(?P<space>global|shared|param|const)(?:::cta)?)?{_CACHE}(?:\.v(?P<count>[248]))?"
             r"\.(?P<type>[busf](?:8|16|32|64))")
def _(w, m, target, address):
    size = size_of(m["type"])
    count = int(m["count"] or 1)
    w.emit(f"{{ const std::uint64_t from = {w.address(address, m['space'], size * count)};")
    for i, register in enumerate(w.registers(target)):
        w.put(register, f"load{_suffix(m['order'])}<{cpp_type(m['type'])}>(from + {i * size})")
    w.emit("}")


@instruction(rf"st{_ORDER}(?:\.(?P<space>global|shared)(?:::cta)?)?{_CACHE}(?:\.v(?P<count>[248]))?"
             r"\.(?P<type>[busf](?:8|16|32|64))")
def _(w, m, address, source):
    size = size_of(m["type"])
    count = int(m["count"] or 1)
    w.emit(f"{{ const std::uint64_t to = {w.address(address, m['space'], size * count)};")
    for i, register in enumerate(w.registers(source)):
        w.emit(f"store{_suffix(m['order'])}<{cpp_type(m['type'])}>(to + {i * size}, {w.read(register, m['type'])});")
    w.emit("}")


@instruction(r"mov\.(pred|[busf](?:16|32|64))")
def _(w, m, target, source):
    kind = m[1]
    if target.startswith("{"):
        parts = w.registers(target)
        part = w.split_value(kind, len(parts))
        w.emit(f"{{ const auto whole = {w.read(source, kind.replace('f', 'b'))};")
        for i, register in enumerate(parts):
            w.put(register, f"static_cast<{cpp_type(part)}>(whole >> {i * 8 * size_of(part)})")
        w.emit("}")
    elif source.startswith("{"):
        parts = w.registers(source)
        part = w.split_value(kind, len(parts))
        whole = cpp_type(kind.replace("f", "b"))
        w.put(target, f"static_cast<{whole}>(" + " | ".join(
            f"static_cast<{whole}>({w.read(p, part)}) << {i * 8 * size_of(part)}" for i, p in enumerate(parts)) + ")")
    else:
        w.put(target, w.read(source, kind))


@instruction(r"cvta(?P<to>\.to)?\.(?P<space>global|shared|const)\.u64")
def _(w, m, target, source):
    shared = "reinterpret_cast<std::uint64_t>(thread.shared)"
    base = f" {'-' if m['to'] else '+'} {shared}" if m["space"] == "shared" else ""
    w.put(target, w.read(source, "u64") + base)


@instruction(r"(?P<name>atom|red)(?:\.(?P<order>relaxed|acquire|release|acq_rel))?(?:\.(?:cta|gpu|sys))?"
             r"(?:\.(?P<space>global|shared)(?:::cta)?)?\.(?P<op>add|min|max|exch|cas|and|or|xor|inc|dec)"
             r"(?:\.noftz)?\.(?P<type>[busf](?:32|64)|bf16|bf16x2)")
def _(w, m, *operands):
    target, address, *values = operands if m["name"] == "atom" else ("_", *operands)
    order = "acquire_release" if m["order"] not in (None, "relaxed") else "relaxed"
    arguments = ", ".join(w.read(value, m["type"]) for value in values)
    where = w.address(address, m["space"], size_of(m["type"]))
    w.put(target, f"atomic_{m['op']}<{cpp_type(m['type'])}>(thread, Order::{order}, {where}, {arguments})")


@instruction(r"cp\.async\.(?:ca|cg)\.shared(?:::cta)?\.global(?:\.L2::\w+)*")
def _(w, m, target, source, size, source_size=None):
    given = w.read(source_size, "u32") if source_size else size
    to = w.address(target, "shared", size)
    # The source is not checked here: if no bytes are read, its address may be invalid.
    w.emit(f"async_copy(thread, {to}, {w.address(source, 'unchecked', given, size)}, {size}, {given});")


@instruction(r"cp\.async\.commit_group")
def _(w, m):
    w.emit("commit_copies(thread);")


@instruction(r"cp\.async\.wait_group")
def _(w, m, left):
    w.emit(f"wait_for_copies(thread, {left});")


@instruction(r"cp\.async\.wait_all")
def _(w, m):
    w.emit("commit_copies(thread); wait_for_copies(thread, 0);")


@instruction(r"(?:membar\.(?:cta|gl|sys))|(?:fence(?:\.sc|\.acq_rel)?\.(?:cta|gpu|sys))")
def _(w, m):
    w.emit("fence(thread);")


@instruction(r"bar(?:rier)?\.sync(?:\.aligned)?")
def _(w, m, barrier):
    if barrier != "0":
        w.fail(f"barrier {barrier} is not known: only __syncthreads(), which is 0")
    w.emit(f'sync_threads(thread, "{w.place()}");')


@instruction(r"bar(?:rier)?(?:\.cta)?\.red(?:\.aligned)?\.(and|or)\.pred")
def _(w, m, target, barrier, value):
    if barrier != "0":
        w.fail(f"barrier {barrier} is not known: only __syncthreads_{m[1]}(), which is 0")
    reduction = {"and": "all", "or": "any"}[m[1]]
    call = f'sync_threads(thread, "{w.place()}", Reduction::{reduction}, {w.read(value, "pred")})'
    w.put(target, f"static_cast<bool>({call})")


@instruction(r"bar(?:rier)?(?:\.cta)?\.red(?:\.aligned)?\.popc\.u32")
def _(w, m, target, barrier, value):
    if barrier != "0":
        w.fail(f"barrier {barrier} is not known: only __syncthreads_count(), which is 0")
    w.put(target, f'sync_threads(thread, "{w.place()}", Reduction::count, {w.read(value, "pred")})')
