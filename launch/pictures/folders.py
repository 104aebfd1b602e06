"""folders.svg: the folders of the repository, what lives in each, and which one calls or includes which."""
from svg import BLOCKS, EDGES, GREY, Drawing

# Folder, what it knows, two lines of what lives there. From top to bottom.
FOLDERS = (
    ("launch", "scripts", "quickstart, env, scaling: one machine", "slurm/, hosts/: many"),
    ("src", "programs and layers", "train/, matmul/: the two programs", "nn/: network and trainer; data/, report/"),
    ("distributed", "many ranks", "mesh, DistMatrix, communicator", "multiply, recombine; matmul/: schedules, planner"),
    ("kernels", "one rank", "matrix, stream, device, math", "cpu/, cuda/: the same arithmetic on each"),
)
ARROWS = ("starts", "includes", "includes")
TESTS = (("mirror every", "folder"), ("cuda_on_cpu/:", "the GPU's code", "without a GPU"),
         ("bench/: figures", "and how they", "were measured"))
LEFT, WIDTH, HEIGHT, STEP, TOP = 36, 720, 72, 112, 24


def draw():
    drawing = Drawing(1000, TOP + 3 * STEP + HEIGHT + 24, "launch starts the programs of src; src includes "
                      "distributed, distributed includes kernels; tests include all")
    for number, (folder, knows, first, second) in enumerate(FOLDERS):
        y = TOP + number * STEP
        drawing.begin(folder)
        drawing.rect(LEFT, y, WIDTH, HEIGHT, BLOCKS[number], EDGES[number], thick=1.5, round_by=6)
        drawing.text(LEFT + 18, y + 33, f"{folder}/", size=20, at="start", bold="bold")
        drawing.text(LEFT + 18, y + 57, knows, size=15, at="start")
        drawing.text(LEFT + 230, y + 31, first, size=17, at="start")
        drawing.text(LEFT + 230, y + 57, second, size=17, at="start")
        drawing.end()
    for number, word in enumerate(ARROWS):
        y = TOP + number * STEP + HEIGHT
        drawing.arrow(LEFT + 90, y + 4, LEFT + 90, y + STEP - HEIGHT - 3, GREY)
        drawing.text(LEFT + 106, y + 26, word, size=15, at="start", colour=GREY)
    height = 3 * STEP + HEIGHT
    drawing.begin("tests")
    drawing.rect(LEFT + WIDTH + 48, TOP, 160, height, "#f6f8fa", GREY, thick=1.5, round_by=6)
    drawing.text(LEFT + WIDTH + 128, TOP + 33, "tests/", size=20, bold="bold")
    y = TOP + 78
    for words in TESTS:
        for line in words:
            drawing.text(LEFT + WIDTH + 128, y, line, size=16)
            y += 25
        y += 22
    drawing.end()
    for number in range(4):
        y = TOP + number * STEP + HEIGHT / 2
        drawing.arrow(LEFT + WIDTH + 46, y, LEFT + WIDTH + 3, y, GREY)
    return drawing
