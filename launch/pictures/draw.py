#!/usr/bin/env python3
"""Draws the pictures of the READMEs as SVG files. It needs only Python.

usage: launch/pictures/draw.py [FOLDER]     by default the folder of this script
"""
import pathlib
import sys

import folders
import mesh
import product
import training

HERE = pathlib.Path(__file__).resolve().parent
PICTURES = {"mesh.svg": mesh.draw, "product.svg": product.draw, "training.svg": training.draw,
            "folders.svg": folders.draw}


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for name, draw in PICTURES.items():
        (folder / name).write_text(draw().content(), encoding="utf-8")


if __name__ == "__main__":
    main()
