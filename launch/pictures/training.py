"""training.svg: the three products of a dense layer, the axis over which each is summed, and what cuts it."""
from svg import GREY, I, J, K, PALE, Drawing

COLOURS = {"i": I, "j": J, "k": K}
SIDES = {"i": 108, "j": 66, "k": 86}
CENTRES = (214, 372, 528)  # of the three matrices of a row
# What is computed, with the axes of its rows and columns; then what its axis of summation means.
ROWS = (
    ("forward", ("Y", "ij"), ("X", "ik"), ("W\u1d40", "kj"), "cut k alone: row-parallel layer", "1x1xP"),
    ("backward", ("dX", "ik"), ("dY", "ij"), ("W", "jk"), "cut j alone: column-parallel layer", "1xPx1"),
    ("gradient", ("dW", "jk"), ("dY\u1d40", "ji"), ("X", "ik"), "cut i alone: data parallel", "Px1x1"),
)
ROW_HEIGHT = 162
FIRST = 96  # the middle of the first row


def draw_matrix(drawing, centre, middle, name, axes, summed):
    """A matrix cut in two along both sides; each side has the colour of its axis."""
    height, width = SIDES[axes[0]], SIDES[axes[1]]
    left, top = centre - width / 2, middle - height / 2
    drawing.rect(left, top, width, height, "#f6f8fa", PALE)
    drawing.line(left, middle, left + width, middle, GREY, 1, "4 4")
    drawing.line(left + width / 2, top, left + width / 2, top + height, GREY, 1, "4 4")
    for axis, ends in ((axes[0], (left, top, left, top + height)), (axes[1], (left, top, left + width, top))):
        drawing.line(*ends, COLOURS[axis], 7 if axis == summed else 3)
    drawing.rect(left + width / 2 - 19, middle - 14, 38, 28, "#f6f8fa", "none")
    drawing.text(left + width / 2, middle + 7, name, size=20, bold="bold")
    drawing.text(left - 9, middle + 5, axes[0], size=16, at="end", bold="bold", colour=COLOURS[axes[0]])
    drawing.text(left + width / 2, top - 9, axes[1], size=16, bold="bold", colour=COLOURS[axes[1]])


def draw_row(drawing, middle, row):
    what, result, left_factor, right_factor, meaning, mesh = row
    summed = left_factor[1][1]
    drawing.text(28, middle + 6, what, size=19, at="start", bold="bold")
    for matrix, centre in zip((result, left_factor, right_factor), CENTRES):
        draw_matrix(drawing, centre, middle, *matrix, summed if matrix is not result else "")
    drawing.text(284, middle + 7, "=", size=22)
    drawing.text(449, middle + 7, "\u00d7", size=22)
    drawing.text(656, middle - 14, f"sum over {summed}", size=19, at="start", bold="bold", colour=COLOURS[summed])
    drawing.text(656, middle + 12, meaning, size=17, at="start")
    drawing.text(656, middle + 38, f"mesh {mesh}: the only sum of the layer", size=16, at="start", colour=GREY)


def draw():
    drawing = Drawing(1000, 580, "A dense layer is three products; each is summed over another axis of the mesh")
    for number, row in enumerate(ROWS):
        draw_row(drawing, FIRST + number * ROW_HEIGHT, row)
    for axis, x, words in (("i", 28, "i cuts the rows of a batch"), ("j", 338, "j cuts the outputs of the layer"),
                           ("k", 690, "k cuts its inputs")):
        drawing.line(x, 528, x + 26, 528, COLOURS[axis], 5)
        drawing.text(x + 36, 534, words, size=17, at="start", colour=COLOURS[axis])
    drawing.text(28, 562, "The next layer swaps j and k: its inputs are this layer's outputs, so no activation moves "
                 "between layers.", size=16, at="start")
    return drawing
