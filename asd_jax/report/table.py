"""A table of text, rendered as aligned text, Markdown, CSV or LaTeX; `page.html.jinja` renders it as HTML."""

import dataclasses
import re
from collections.abc import Sequence

from asd_jax import files

_LATEX = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {
        "±": r"$\pm$",
        "−": "$-$",
        "–": "--",
        "†": r"\dag{}",
        "×": r"$\times$",
        "²": "$^2$",
        "≤": r"$\leq$",
        "≥": r"$\geq$",
    }
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "\N{NO-BREAK SPACE}": "~"}
)
_ROW_OPTION = re.compile(r"^\s*[\[*]")  # which the end of the row before would take for its own
_BRACKETS = re.compile(r"(\[[-+\d., ]+\])$")  # of an interval
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

    def latex(self) -> str:
        """A `tabular` with the rules of the package booktabs; intervals in brackets are set small.

        A rule stands above each row whose first cell begins a new group, where the first cells of the others are
        empty.
        """
        lines = [f"\\begin{{tabular}}{{{'l' * len(self.header)}}}", r"\toprule", _latex_row(self.header), r"\midrule"]
        grouped = any(not row[0] for row in self.rows)
        for number, row in enumerate(self.rows):
            if grouped and number and row[0]:
                lines.append(r"\addlinespace")
            lines.append(_latex_row(row))
        return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _latex_row(cells: Sequence[str]) -> str:
    small = (_BRACKETS.sub(r"{\\footnotesize \1}", cell.translate(_LATEX)) for cell in cells)
    row = " & ".join(small)
    return f"{'{}' if _ROW_OPTION.match(row) else ''}{row} \\\\"
