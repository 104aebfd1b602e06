#!/usr/bin/env python3
"""translate.py PROGRAM OUTPUT.cpp...: translates the kernels in a linked CUDA program to C++, in the given files.

At an unknown instruction it ends with a message that names the kernel and the instruction.
"""
import re
import struct
import sys

import fat_binary
import memory_instructions  # noqa: F401  (adds its rows)
import module as ptx_module
import warp_instructions  # noqa: F401
from instructions import INSTRUCTIONS
from kernel_writer import KernelWriter, identifier
from ptx_types import cpp_type


def initial_value(variable, text):
    if re.fullmatch(r"-?(\d+|0x[0-9a-fA-F]+)U?", text):
        return text
    bits = re.fullmatch(r"0[fFdD]([0-9a-fA-F]{8}|[0-9a-fA-F]{16})", text)
    if bits:
        return struct.unpack(">f" if len(bits[1]) == 8 else ">d", bytes.fromhex(bits[1]))[0].hex()
    raise SystemExit(f"ptx: initial value of {variable.name} is not known: {text}")


def write_variable(variable):
    name = identifier(variable.name, "s_")
    kind = cpp_type(variable.type)
    values = ", ".join(f"static_cast<{kind}>({initial_value(variable, v.strip())})"
                       for v in variable.initial.split(",") if v.strip())
    return [f"alignas({variable.align}) {kind} {name}[{variable.count}] = {{{values}}};",
            f"const emulated::RegisterVariable register_{name}({name}, sizeof {name});"]


def write_kernel(kernel, module):
    writer = KernelWriter(kernel, module, INSTRUCTIONS)
    name = identifier(kernel.name, "k_")
    body = writer.write()
    parameters = ", ".join(f"{{{offset}, {size}}}" for offset, size in writer.parameters) or "{0, 0}"
    return [f"void {name}(emulated::Thread& thread, const char* parameters) {{", body, "}",
            f"const emulated::Parameter {name}_parameters[] = {{{parameters}}};",
            f"const emulated::RegisterKernel register_{name}({{\"{kernel.name}\", {name}, {name}_parameters, "
            f"{len(writer.parameters)}, {writer.parameter_bytes}, {writer.shared_bytes}, {kernel.max_threads}}});"]


def write_module(module, number):
    lines = [f"namespace module_{number} {{", "namespace {"]
    for variable in module.variables:
        if variable.space != "shared":
            lines += write_variable(variable)
    for kernel in module.kernels:
        lines += write_kernel(kernel, module)
    return lines + ["}", "}"]


def write_if_changed(path, text):
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main(program, *outputs):
    texts = sorted(fat_binary.ptx_of(program), key=len, reverse=True)
    parts = [['#include "tests/cuda_on_cpu/ptx/ptx.hpp"', "using namespace emulated;"] for _ in outputs]
    seen = set()
    for number, text in enumerate(texts):
        module = ptx_module.parse(text)
        # Several objects may have the same instance of a template.
        module.kernels = [kernel for kernel in module.kernels if kernel.name not in seen]
        seen.update(kernel.name for kernel in module.kernels)
        min(parts, key=lambda lines: sum(map(len, lines))).extend(write_module(module, number))
    for path, lines in zip(outputs, parts):
        write_if_changed(path, "\n".join(lines) + "\n")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
