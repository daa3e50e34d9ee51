"""A table of text, rendered as aligned text, Markdown or CSV; `page.html.jinja` renders it as HTML."""

import dataclasses
from collections.abc import Sequence

from asd_jax import files

MARKED = ("headline", "decides")  # kinds of rows that text marks with a star


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        header: of the columns; the first column holds the rows' names.
        rows: cells.
        kinds: a word a row for its looks, such as `headline`; none where all rows are alike.
        caption: what it shows, where the header does not say it.
        notes: what a reader should know, a line each.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    kinds: Sequence[str] = ()
    caption: str = ""
    notes: Sequence[str] = ()

    def text(self) -> str:
        """Columns aligned with spaces, a rule under the header, then the notes."""
        marks = [
            ("* " if kind in MARKED else "  ") if self.kinds else "" for kind in self.kinds or [""] * len(self.rows)
        ]
        rows = [self.header, *([mark + row[0], *row[1:]] for mark, row in zip(marks, self.rows, strict=True))]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:], *self.notes])

    def markdown(self) -> str:
        """A Markdown table; characters that would end a cell are escaped."""
        rows = [self.header, ["---"] * len(self.header), *self.rows]
        cells = ([" ".join(cell.replace("|", "\\|").split()) for cell in row] for row in rows)
        return "".join("| " + " | ".join(row) + " |\n" for row in cells)

    def csv(self) -> str:
        """Comma-separated values."""
        return files.csv_text([self.header, *self.rows])
