"""Tables of strings as aligned text, Markdown and CSV; the first row is the header."""

import csv
import io
from collections.abc import Sequence

Table = Sequence[Sequence[str]]


def text(table: Table) -> str:
    """Columns aligned with spaces, a rule under the header."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def markdown(table: Table) -> str:
    """A Markdown table; characters that would end a cell are escaped."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |"

    header, *rows = table
    return "\n".join([line(header), line(["---"] * len(header)), *map(line, rows)]) + "\n"


def csv_text(table: Table) -> str:
    """Comma-separated values."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(table)
    return out.getvalue()
