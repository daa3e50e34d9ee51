"""The page itself: what the template is given, and the rules that keep it safe to open.

File names are whatever somebody called a file, so everything is escaped, and a content security policy lets the browser
run the page's own script alone and fetch nothing.
"""

import base64
import hashlib
import math
from collections.abc import Sequence
from typing import Any

import jinja2
from markupsafe import Markup

from asd_jax.detectors.bundle import LOG_MEL_MEAN
from asd_jax.evaluation.results import Results, difference_name
from asd_jax.report.clips import ClipRow
from asd_jax.report.media import data_uri
from asd_jax.report.numbers import number, signed, verdict
from asd_jax.report.plots.style import percent
from asd_jax.report.run_plots import Plot
from asd_jax.report.tables import result_tables

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("asd_jax.report", "."),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
_POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src"
_MISTAKES = ("missed", "false alarm")
_WORDS = {True: "anomalous", False: "normal", None: "no decision"}


def render(results: Results, description: str, plots: Sequence[Plot], rows: Sequence[ClipRow], map_title: str) -> str:
    """The report as HTML.

    Args:
        results: what `metrics.json` holds.
        description: of the recordings.
        plots: of the run.
        rows: the test clips, in the order of the list.
        map_title: what the small maps show.
    """
    script, style = (_TEMPLATES.loader.get_source(_TEMPLATES, name)[0] for name in ("page.js", "page.css"))
    # A browser hashes what stands between the tags; the template puts nothing else there.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return _TEMPLATES.get_template("page.html.jinja").render(
        policy=f"{_POLICY} 'sha256-{digest}'",
        script=Markup(script),
        style=Markup(style),
        warnings=_warnings(results),
        description=description,
        title=f"{results.experiment} on {results.machine}",
        cards=_cards(results, rows),
        finding=_finding(results),
        plots=[(plot, data_uri(plot.png, "image/png")) for plot in plots],
        clips=[_clip(number, row) for number, row in enumerate(rows, 1)],
        has_domains=any(row.ranked.clip.domain for row in rows),
        list_notes=_list_notes(rows),
        map_title=map_title,
        tables=result_tables(results),
        facts=_facts(results),
    )


def _warnings(results: Results) -> list[str]:
    """What a reader must not miss."""
    warnings = []
    if results.selection != "label-free":
        warnings.append(
            f"Selection: {results.selection}. Something was chosen with the labels of the test clips, so these "
            "numbers are no result of the method."
        )
    if results.random_weights:
        warnings.append("Random weights: these numbers are no result of the published network.")
    return warnings


def _text(text: str) -> str:
    """Text that can be written as UTF-8: a file's name may hold bytes that are no text."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _javascript(value: float) -> str:
    """A number as the page's script reads it."""
    return repr(value) if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")


def _clip(number: int, row: ClipRow) -> dict[str, Any]:
    ranked = row.ranked
    return {
        "number": number,
        "file_name": _text(ranked.clip.file_name),
        "start": f"worst part from {ranked.clip.start_seconds:g} s on" if ranked.clip.clip_seconds is not None else "",
        "machine_id": _text(ranked.clip.machine_id),
        "domain": ranked.clip.domain,
        "score": f"{ranked.score:.4g}",
        "sort_score": _javascript(ranked.score),
        "margin": signed(ranked.margin, 2),
        "sort_margin": _javascript(ranked.margin),
        "decision": _WORDS[ranked.decision],
        "truth": {**_WORDS, None: "unknown"}[ranked.clip.is_anomaly],
        "outcome": ranked.outcome,
        "kind": ranked.outcome.replace(" ", "-"),
        "map": row.map and data_uri(row.map, "image/png"),
        "picture": row.picture and data_uri(row.picture, "image/png"),
        "audio": row.audio and data_uri(row.audio, "audio/flac"),
    }


def _list_notes(rows: Sequence[ClipRow]) -> list[str]:
    """What of the list is there for some clips only."""
    mistakes = sum(row.ranked.outcome in _MISTAKES for row in rows)
    labelled = sum(row.ranked.clip.is_anomaly is not None for row in rows)
    notes = []
    if labelled:
        notes.append(
            f"{mistakes} of {labelled} labelled clips are decided wrongly; these come first, the worst on top."
        )
    if labelled < len(rows):
        notes.append(f"{len(rows) - labelled} clips have no label and come last, the most anomalous of them first.")
    pictures, sounds, maps = (
        sum(getattr(row, name) is not None for row in rows) for name in ("picture", "audio", "map")
    )
    if pictures < len(rows):
        fewer = f" (sound for {sounds} of them)" if sounds < pictures else ""
        notes.append(f"A large picture and sound are there for the top {pictures} clips only{fewer}.")
    if maps < len(rows):
        notes.append(f"Small maps are there for the top {maps}.")
    return notes


def _cards(results: Results, rows: Sequence[ClipRow]) -> list[dict[str, str]]:
    """The few numbers that a reader looks for."""
    mean = results.headline.mean
    over = "mean of machine ids" if len(results.headline.machine_ids) > 1 else "one machine id"
    cards = []
    for measure, name in (("auc", "AUC"), ("pauc", "pAUC (up to 0.1)")):
        limits = mean.interval_95.get(measure)
        note = f"95\N{NO-BREAK SPACE}% interval {limits[0]:.3f} to {limits[1]:.3f}" if limits else over
        cards.append({"name": name, "value": number(getattr(mean, measure)), "note": f"{note}; 0.5 is chance"})
    normal = [row for row in rows if row.ranked.clip.is_anomaly is False]
    anomalous = [row for row in rows if row.ranked.clip.is_anomaly]
    for name, part, of in (("false alarms", normal, "normal"), ("anomalies found", anomalous, "anomalous")):
        hits = sum(row.ranked.decision is True for row in part)
        value = percent(hits / len(part)) if part else "–"
        cards.append({"name": name, "value": value, "note": f"{hits} of {len(part)} {of} test clips"})
    return cards


def _finding(results: Results) -> str:
    """What the run adds to the control without a network, in a sentence."""
    headline, controls = results.headline_scorer, results.controls.get(LOG_MEL_MEAN, {})
    gains = results.differences.get(headline, {})
    for gain in (gains.get(difference_name(LOG_MEL_MEAN, scorer)) for scorer in controls):
        if gain is not None and gain.auc_difference is not None:
            low, high = gain.interval_95
            finding = {
                "better": "It beats that control.",
                "worse": "That simple control beats it.",
                "cannot be told apart": "The two cannot be told apart.",
            }[verdict(gain.interval_95)]
            side = "higher" if gain.auc_difference > 0 else "lower"
            return (
                f"The mean AUC of {headline} is {abs(gain.auc_difference):.3f} {side} than that of a Gaussian on mean "
                f"log-mels without any network (95\N{NO-BREAK SPACE}% interval of the difference {signed(low)} to "
                f"{signed(high)}). {finding}"
            )
    return ""


def _facts(results: Results) -> list[tuple[str, str]]:
    """Where the numbers come from."""
    facts = [("data set", results.dataset), ("machine", results.machine), ("selection", results.selection)]
    if results.evaluated_run is not None:
        facts.append(("evaluated run", results.evaluated_run))
    if results.validation_error is not None:
        facts.append(("validation error", f"{results.validation_error:.3f} of predicting the mean"))
    seconds = ", ".join(f"{name} {value:.1f}" for name, value in results.seconds.items())
    facts.append(("seconds", seconds or "–"))
    facts += [("note", note) for note in results.notes]
    for names, what in ((results.silent_test_clips, "silent test clips"), (results.bad_files, "bad files left out")):
        if names:
            facts.append((what, ", ".join(names)))
    return [(name, _text(value)) for name, value in facts]
