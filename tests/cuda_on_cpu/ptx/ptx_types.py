"""PTX types: their sizes, and their C++ types."""
import re

_NAMED_SIZES = {"pred": 1, "bf16": 2, "f16": 2, "bf16x2": 4, "f16x2": 4, "tf32": 4}
_CPP = {"pred": "bool", "f32": "float", "f64": "double", "bf16": "Bf16", "bf16x2": "Bf16x2", "f16": "F16",
        "f16x2": "F16x2"}


def size_of(ptx_type):
    """Size in bytes."""
    if ptx_type in _NAMED_SIZES:
        return _NAMED_SIZES[ptx_type]
    match = re.fullmatch(r"[bus](8|16|32|64)|f(32|64)", ptx_type)
    if not match:
        raise SystemExit(f"ptx: type .{ptx_type} is not known")
    return int(ptx_type[1:]) // 8


def bits_of(ptx_type):
    return 8 * size_of(ptx_type)


def cpp_type(ptx_type):
    """The C++ type of a value."""
    if ptx_type in _CPP:
        return _CPP[ptx_type]
    return ("std::int%d_t" if ptx_type[0] == "s" else "std::uint%d_t") % bits_of(ptx_type)


def register_type(ptx_type):
    """The C++ type of a register, which holds the bits of a value."""
    return "bool" if ptx_type == "pred" else f"std::uint{bits_of(ptx_type)}_t"
