"""Matrices in .npy files, without numpy: lists of rows, written and read by the format's own description."""
import array
import ast
import struct

CODES = {"b1": "B", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H", "u4": "I", "u8": "Q", "f2": "e",
         "f4": "f", "f8": "d"}


def header(descr, shape, fortran):
    text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}"
    text += " " * (-(10 + len(text) + 1) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def write(path, rows, descr="<f4", fortran=False, cols=None):
    """`cols`: the number of columns, if there are no rows."""
    cols = len(rows[0]) if rows else cols
    lines = zip(*rows) if fortran else rows
    values = [value for line in lines for value in line]
    order = ">" if descr[0] == ">" else "<"
    content = struct.pack(f"{order}{len(values)}{CODES[descr[1:]]}", *values)
    path.write_bytes(header(descr, (len(rows), cols), fortran) + content)
    return str(path)


def read(path):
    """(descr, rows) of a file in C order."""
    content = path.read_bytes()
    (length,) = struct.unpack("<H", content[8:10])
    described = ast.literal_eval(content[10:10 + length].decode())
    assert content[:8] == b"\x93NUMPY\x01\x00" and not described["fortran_order"], described
    values = array.array(CODES[described["descr"][1:]], content[10 + length:])
    rows, cols = described["shape"]
    assert len(values) == rows * cols, f"{len(values)} elements of {described}"
    return described["descr"], [values[r * cols:(r + 1) * cols].tolist() for r in range(rows)]
