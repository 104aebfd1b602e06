"""A drawing as SVG text: shapes, words, and the colours of all pictures.

A drawing has its own white background, so it looks the same on a light and on a dark page.
"""
import xml.sax.saxutils

INK, GREY, PALE = "#1f2328", "#656d76", "#d0d7de"
BLOCKS = ("#cfe3ff", "#ffe2b0", "#d2f0cd", "#f4d3ee")  # of C11, C12, C21, C22
EDGES = ("#3d76c2", "#b9770b", "#3f8f37", "#a8529a")   # the same, darker
I, J, K = "#1f6fd0", "#c2600a", "#1d8a4a"              # the three axes of the mesh


def number(value):
    return f"{value:.1f}".removesuffix(".0")


class Drawing:
    def __init__(self, width, height, title):
        self.lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
                      f'height="{height}" font-family="Helvetica, Arial, sans-serif" role="img">',
                      f"<title>{xml.sax.saxutils.escape(title)}</title>"]
        self.rect(0.5, 0.5, width - 1, height - 1, fill="#ffffff", edge=PALE, round_by=8)

    def rect(self, x, y, width, height, fill="none", edge=INK, thick=1, round_by=0):
        corner = f' rx="{round_by}"' if round_by else ""
        self.lines.append(f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
                          f'{corner} fill="{fill}" stroke="{edge}" stroke-width="{number(thick)}"/>')

    def line(self, x1, y1, x2, y2, colour=INK, thick=1.5, dashes=""):
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.lines.append(f'<path d="M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}" stroke="{colour}" '
                          f'stroke-width="{number(thick)}"{dashed}/>')

    def arrow(self, x1, y1, x2, y2, colour=INK, thick=2):
        length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
        ux, uy = (x2 - x1) / length, (y2 - y1) / length
        bx, by = x2 - 9 * ux, y2 - 9 * uy
        self.line(x1, y1, bx, by, colour, thick)
        points = [(x2, y2), (bx - 5 * uy, by + 5 * ux), (bx + 5 * uy, by - 5 * ux)]
        at = " ".join(f"{number(x)},{number(y)}" for x, y in points)
        self.lines.append(f'<polygon points="{at}" fill="{colour}"/>')

    def text(self, x, y, words, size=15, at="middle", bold="", colour=INK):
        """`y` is that of the base line; `at` is start, middle or end; `bold` is "" or bold."""
        weight = f' font-weight="{bold}"' if bold else ""
        self.lines.append(f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" text-anchor="{at}"'
                          f'{weight} fill="{colour}">{xml.sax.saxutils.escape(words)}</text>')

    def begin(self, name):
        """All shapes until end() are one group, with this id."""
        self.lines.append(f'<g id="{name}">')

    def end(self):
        self.lines.append("</g>")

    def content(self):
        return "\n".join([*self.lines, "</svg>", ""])
