"""report.html: one file that contains its plots as data. It needs no network and no script."""
import base64
import pathlib

import jinja2


def page(**content):
    """The text of report.html. page.html.j2 shows which names `content` needs."""
    templates = jinja2.Environment(loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent), autoescape=True,
                                   undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    templates.filters["data_uri"] = lambda svg: "data:image/svg+xml;base64," + base64.b64encode(svg).decode()
    templates.filters["unbroken"] = lambda text: text.replace("np = ", "np\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")
    return templates.get_template("page.html.j2").render(**content)
