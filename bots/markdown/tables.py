"""Lines up a table's cells as text in a fixed-width font; it reads no Markdown."""

import unicodedata
from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows, all of as many cells, as lines whose columns stand below each other."""
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    text = [
        "  ".join(cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return [line.rstrip() for line in text]


def columns(text: str) -> int:
    """How many columns of a fixed-width font `text` takes, nearly."""
    return sum(
        0 if unicodedata.combining(sign) else 1 + (unicodedata.east_asian_width(sign) in "WF")
        for sign in text
    )
