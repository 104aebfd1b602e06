"""mesh.svg: which rank of a 2x2x2 mesh multiplies which blocks, and which ranks are summed."""
from svg import BLOCKS, EDGES, GREY, I, J, K, Drawing

CELL_WIDTH, CELL_HEIGHT = 112, 92
PLATE_WIDTH, PLATE_HEIGHT = 2 * CELL_WIDTH, 2 * CELL_HEIGHT
HALVES = (0, 1)
LAYERS = ((96, 170), (440, 110))  # the corner of each layer of the mesh: k = 0, k = 1
C_AT = (740, 170)


def rank_of(i, j, k):
    return (i * 2 + j) * 2 + k


def draw_cells(drawing, corner, name_of, texts_of):
    """A plate of 2x2 cells, each with the colour of its block of C. texts_of(i, j): (distance from the top, text,
    options) of each line."""
    x, y = corner
    for i in HALVES:
        for j in HALVES:
            left, top = x + j * CELL_WIDTH, y + i * CELL_HEIGHT
            drawing.begin(name_of(i, j))
            drawing.rect(left, top, CELL_WIDTH, CELL_HEIGHT, BLOCKS[2 * i + j], EDGES[2 * i + j], thick=1.5)
            for down, text, options in texts_of(i, j):
                drawing.text(left + CELL_WIDTH / 2, top + down, text, **options)
            drawing.end()


def draw_layer(drawing, k):
    """The four ranks of one k. Their blocks of A stand to the left of them, their blocks of B above them."""
    x, y = LAYERS[k]
    for half in HALVES:
        drawing.rect(x - 58, y + half * CELL_HEIGHT + 6, 44, CELL_HEIGHT - 12, fill="#f6f8fa", edge=GREY)
        drawing.text(x - 36, y + (half + 0.5) * CELL_HEIGHT + 6, f"A{half + 1}{k + 1}", size=17)
        drawing.rect(x + half * CELL_WIDTH + 6, y - 48, CELL_WIDTH - 12, 34, fill="#f6f8fa", edge=GREY)
        drawing.text(x + (half + 0.5) * CELL_WIDTH, y - 25, f"B{k + 1}{half + 1}", size=17)
    draw_cells(drawing, (x, y), lambda i, j: f"rank{rank_of(i, j, k)}", lambda i, j: [
        (30, f"rank {rank_of(i, j, k)}", {"size": 19, "bold": "bold"}),
        (50, f"({i}, {j}, {k})", {"size": 14, "colour": GREY}),
        (76, f"A{i + 1}{k + 1} B{k + 1}{j + 1}", {"size": 17})])
    drawing.text(x + PLATE_WIDTH / 2, y + PLATE_HEIGHT + 26, f"k = {k}", size=17, bold="bold", colour=K)


def draw_sum(drawing):
    x, y = C_AT
    draw_cells(drawing, C_AT, lambda i, j: f"C{i + 1}{j + 1}", lambda i, j: [
        (38, f"C{i + 1}{j + 1}", {"size": 19, "bold": "bold"}),
        (66, f"ranks {rank_of(i, j, 0)} + {rank_of(i, j, 1)}", {"size": 16})])
    drawing.text(x + PLATE_WIDTH / 2, y + PLATE_HEIGHT + 26, "sum over k", size=17, bold="bold", colour=K)


def draw_axes(drawing):
    """The same directions as in the layers: i down, j to the right, k to the layer behind."""
    x, y = 44, 50
    for to_x, to_y, name, colour in ((0, 52, "i", I), (60, 0, "j", J), (44, -24, "k", K)):
        drawing.arrow(x, y, x + to_x, y + to_y, colour)
        drawing.text(x + to_x * 1.28 + (0 if to_x else -2), y + to_y * 1.28 + 6, name, size=18, bold="bold",
                     colour=colour)


def draw():
    drawing = Drawing(1000, 480, "Mesh 2x2x2: rank (i, j, k) multiplies A_ik by B_kj. Ranks that differ only in k "
                      "have the terms of one block of C.")
    (x0, y0), (x1, y1) = LAYERS
    for right, down in ((PLATE_WIDTH, 0), (PLATE_WIDTH, PLATE_HEIGHT)):  # two edges of the cube, along k
        drawing.line(x0 + right, y0 + down, x1 - 62, y1 + down + 10, GREY, dashes="5 5")
    draw_axes(drawing)
    for k in HALVES:
        draw_layer(drawing, k)
    draw_sum(drawing)
    drawing.arrow(x1 + PLATE_WIDTH + 14, y1 + PLATE_HEIGHT / 2 + 30, C_AT[0] - 14, y1 + PLATE_HEIGHT / 2 + 30, K, 3)
    drawing.text(500, 424, "Rank (i, j, k): a row of ranks shares a block of A, a column shares a block of B.", size=17)
    drawing.text(500, 453, "Ranks of one colour, one in each layer, have the two terms of one block of C.", size=17)
    return drawing
