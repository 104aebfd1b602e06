"""product.svg: one block of C, step by step, with the numbers of launch/examples/four_a.npy and four_b.npy."""
import ast
import pathlib
import struct

from svg import BLOCKS, EDGES, GREY, Drawing

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "examples"
SIDE = 32             # of a number's square
SHADES = ("#e3e7eb", "#f3f0d9")  # of the two steps of the sum, in A and B
FIRST, SECOND = slice(0, 2), slice(2, 4)


def read_matrix(path):
    """The rows of an f4 file of numpy.save, as whole numbers."""
    content = path.read_bytes()
    (length,) = struct.unpack("<H", content[8:10])
    described = ast.literal_eval(content[10:10 + length].decode())
    if described["descr"] != "<f4" or described["fortran_order"]:
        raise ValueError(f"{path}: expected f4 in C order")
    rows, cols = described["shape"]
    values = struct.unpack(f"<{rows * cols}f", content[10 + length:])
    return [[int(value) for value in values[row * cols:(row + 1) * cols]] for row in range(rows)]


def part(matrix, rows, cols):
    return [row[cols] for row in matrix[rows]]


def product(a, b):
    return [[sum(x * y for x, y in zip(row, col)) for col in zip(*b)] for row in a]


def total(a, b):
    return [[x + y for x, y in zip(one, other)] for one, other in zip(a, b)]


def draw_matrix(drawing, x, y, matrix, fill, edge=GREY):
    """A block of numbers; returns its width."""
    width = SIDE * len(matrix[0])
    drawing.rect(x, y, width, SIDE * len(matrix), fill, edge, thick=1.5)
    for row, values in enumerate(matrix):
        for col, value in enumerate(values):
            drawing.text(x + (col + 0.5) * SIDE, y + (row + 0.5) * SIDE + 6, str(value), size=17)
    return width


def draw_whole(drawing, x, y, name, matrix, fills, edges):
    """A 4x4 matrix in four blocks with their names."""
    drawing.text(x + 2 * SIDE + 4, y - 30, name, size=19, bold="bold")
    for i, rows in enumerate((FIRST, SECOND)):
        for j, cols in enumerate((FIRST, SECOND)):
            left, top = x + j * (2 * SIDE + 8), y + i * (2 * SIDE + 8)
            draw_matrix(drawing, left, top, part(matrix, rows, cols), fills[2 * i + j], edges[2 * i + j])
            label_y = top - 8 if i == 0 else top + 2 * SIDE + 18
            drawing.text(left + SIDE, label_y, f"{name}{i + 1}{j + 1}", size=14, colour=GREY)


def draw_equation(drawing, x, y, parts):
    """Blocks and signs from left to right; a block is (name, matrix, fill, edge)."""
    for item in parts:
        if isinstance(item, str):
            drawing.text(x + 15, y + SIDE + 6, item, size=19)
            x += 30
        else:
            name, matrix, fill, edge = item
            drawing.text(x + SIDE, y - 8, name, size=14, colour=GREY)
            x += draw_matrix(drawing, x, y, matrix, fill, edge)


def draw():
    a, b = read_matrix(EXAMPLES / "four_a.npy"), read_matrix(EXAMPLES / "four_b.npy")
    c = product(a, b)
    drawing = Drawing(1000, 424, "A 4x4 product in blocks of 2x2: C11 = A11 B11 + A12 B21")
    white, one, two = "#ffffff", SHADES[0], SHADES[1]
    draw_whole(drawing, 60, 70, "A", a, (one, two, white, white), (GREY,) * 4)
    drawing.text(250, 143, "\u00d7", size=24)
    draw_whole(drawing, 290, 70, "B", b, (one, white, two, white), (GREY,) * 4)
    drawing.text(480, 143, "=", size=24)
    draw_whole(drawing, 520, 70, "C", c, BLOCKS, EDGES)
    words = ("Each of the four blocks of C is", "a sum of two products of blocks.", "These eight products need",
             "nothing from each other.")
    for line, text in enumerate(words):
        drawing.text(706, 112 + 26 * line, text, size=16, at="start")
    a11, a12, b11, b21 = part(a, FIRST, FIRST), part(a, FIRST, SECOND), part(b, FIRST, FIRST), part(b, SECOND, FIRST)
    terms = [product(a11, b11), product(a12, b21)]
    draw_equation(drawing, 160, 282, [
        ("A11", a11, one, GREY), "\u00d7", ("B11", b11, one, GREY), "+", ("A12", a12, two, GREY), "\u00d7",
        ("B21", b21, two, GREY), "=", ("A11 B11", terms[0], white, EDGES[0]), "+",
        ("A12 B21", terms[1], white, EDGES[0]), "=", ("C11", total(*terms), BLOCKS[0], EDGES[0])])
    drawing.text(500, 376, "Mesh 2x2x1: one rank computes both terms and adds them.", size=16)
    drawing.text(500, 402, "Mesh 2x2x2: two ranks compute one term each, and an all-reduce over k adds them.", size=16)
    return drawing
