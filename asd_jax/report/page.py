"""The page itself: what the template is given, and the rules that keep it safe to open.

File names are whatever somebody called a file, so everything is escaped, and a content security policy lets the browser
run the page's own script alone and fetch nothing. What a page says of a run is in `run_page`, of recordings that were
scored in service in `scored_page`.
"""

import base64
import dataclasses
import hashlib
import math
from collections.abc import Sequence
from typing import Any

import jinja2
from markupsafe import Markup

from asd_jax.report.clips import ClipRow
from asd_jax.report.media import data_uri
from asd_jax.report.run_plots import Plot
from asd_jax.report.table import Table

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("asd_jax.report", "."),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
_POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src"


@dataclasses.dataclass(frozen=True)
class Cell:
    """What a column of the list shows of a clip, and what the page's script sorts by: the same where not given."""

    text: str
    sort: str | None = None


@dataclasses.dataclass(frozen=True)
class Entry:
    """A clip in the list.

    Attributes:
        row: its pictures and sound.
        cells: by the columns' keys; that of `outcome` is the one that the list is filtered by.
        notes: below its name, a line each.
    """

    row: ClipRow
    cells: dict[str, Cell]
    notes: Sequence[str] = ()


@dataclasses.dataclass(frozen=True)
class Page:
    """A page: figures on top, plots, a list of clips, tables, facts. What is empty is left out.

    Attributes:
        title: of the page.
        description: of the recordings.
        warnings: what a reader must not miss.
        cards: name, value and note of the few numbers that a reader looks for.
        finding: one sentence.
        plots: pictures with captions.
        what: what the entries are, in the plural, such as `clips`.
        one: one of them.
        heading: of the list.
        intro: sentences above the list.
        columns: key and heading of each column of the list, beside the name, the map and the sound.
        entries: in the order of the list.
        tables: of numbers.
        about: what the facts are about, such as `this run`.
        facts: names and values.
    """

    title: str
    description: str
    warnings: Sequence[str]
    cards: Sequence[tuple[str, str, str]]
    finding: str
    plots: Sequence[Plot]
    what: str
    one: str
    heading: str
    intro: str
    columns: dict[str, str]
    entries: Sequence[Entry]
    tables: Sequence[Table]
    about: str
    facts: Sequence[tuple[str, str]]


def render(page: Page) -> str:
    """A page as HTML that needs no other file."""
    script, style = (_TEMPLATES.loader.get_source(_TEMPLATES, name)[0] for name in ("page.js", "page.css"))
    # A browser hashes what stands between the tags; the template puts nothing else there.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return _TEMPLATES.get_template("page.html.jinja").render(
        page=page,
        policy=f"{_POLICY} 'sha256-{digest}'",
        script=Markup(script),
        style=Markup(style),
        plots=[(plot, data_uri(plot.png, "image/png")) for plot in page.plots],
        clips=[_clip(number, entry) for number, entry in enumerate(page.entries, 1)],
        facts=[(name, text(value)) for name, value in page.facts],
    )


def text(value: str) -> str:
    """Text that can be written as UTF-8: a file's name may hold bytes that are no text."""
    return value.encode("utf-8", "replace").decode("utf-8")


def number_cell(value: float, shown: str) -> Cell:
    """A cell with a number that the page's script sorts by."""
    words = {math.inf: "Infinity", -math.inf: "-Infinity"}
    return Cell(shown, repr(value) if math.isfinite(value) else words.get(value, "NaN"))


def _clip(number: int, entry: Entry) -> dict[str, Any]:
    row = entry.row
    cells = {
        key: (text(cell.text), text(cell.text if cell.sort is None else cell.sort), cell.sort is not None)
        for key, cell in entry.cells.items()
    }
    return {
        "number": number,
        "file_name": text(row.ranked.clip.file_name),
        "notes": [text(note) for note in entry.notes if note],
        "cells": cells,
        "kind": row.ranked.outcome.replace(" ", "-"),
        "map": row.map and data_uri(row.map, "image/png"),
        "pictures": [(name, data_uri(png, "image/png")) for name, png in row.pictures],
        "audio": row.audio and data_uri(row.audio, "audio/flac"),
    }


def shown_for_some(rows: Sequence[ClipRow], what: str) -> list[str]:
    """What of the list is there for some clips only, a sentence each."""
    pictures, sounds, maps = (
        sum(getattr(row, name) is not None for row in rows) for name in ("picture", "audio", "map")
    )
    notes = []
    if not maps:  # nothing was heard that could be shown
        return notes
    if pictures < len(rows):
        fewer = f" (sound for {sounds} of them)" if sounds < pictures else ""
        notes.append(f"A large picture and sound are there for the top {pictures} {what} only{fewer}.")
    if maps < len(rows):
        notes.append(f"Small maps are there for the top {maps}.")
    return notes
