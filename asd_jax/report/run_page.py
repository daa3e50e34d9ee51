"""What the page of a run says: measures, plots, the test clips with the worst mistakes first."""

from collections.abc import Sequence

from asd_jax.detectors.bundle import LOG_MEL_MEAN
from asd_jax.evaluation.results import Results, difference_name
from asd_jax.report.clips import ClipRow
from asd_jax.report.numbers import number, signed, verdict
from asd_jax.report.page import Cell, Entry, Page, number_cell, shown_for_some
from asd_jax.report.plots.style import percent
from asd_jax.report.run_plots import Plot
from asd_jax.report.tables import result_tables

_MISTAKES = ("missed", "false alarm")
_WORDS = {True: "anomalous", False: "normal", None: "no decision"}
_COLUMNS = ("machine id", "domain", "score", "margin", "decision", "truth", "outcome")


def run_page(
    results: Results, description: str, plots: Sequence[Plot], rows: Sequence[ClipRow], map_title: str
) -> Page:
    """The page of a run.

    Args:
        results: what `metrics.json` holds.
        description: of the recordings.
        plots: of the run.
        rows: the test clips, in the order of the list.
        map_title: what the small maps show.
    """
    labelled = any(row.ranked.clip.is_anomaly is not None for row in rows)
    has_domains = any(row.ranked.clip.domain for row in rows)
    return Page(
        title=f"{results.experiment} on {results.machine}",
        description=description,
        warnings=_warnings(results),
        cards=_cards(results, rows),
        finding=_finding(results),
        plots=plots,
        what="clips",
        one="clip",
        heading=f"Test clips, {'worst mistakes' if labelled else 'most anomalous'} first",
        intro=" ".join(
            [
                *_notes(rows),
                "The margin is the distance of the score from the threshold in standard deviations of normal scores. "
                f"The map shows the {map_title}; time runs to the right, frequency upwards."
                if map_title
                else "",
            ]
        ),
        columns={name.split()[0]: name for name in _COLUMNS if name != "domain" or has_domains},
        entries=[_entry(row) for row in rows],
        tables=result_tables(results) if labelled else (),  # there is nothing to measure
        about="this run",
        facts=_facts(results),
    )


def _entry(row: ClipRow) -> Entry:
    ranked, clip = row.ranked, row.ranked.clip
    cells = {
        "machine": Cell(clip.machine_id),
        "domain": Cell(clip.domain),
        "score": number_cell(ranked.score, f"{ranked.score:.4g}"),
        "margin": number_cell(ranked.margin, signed(ranked.margin, 2)),
        "decision": Cell(_WORDS[ranked.decision]),
        "truth": Cell({**_WORDS, None: "unknown"}[clip.is_anomaly]),
        "outcome": Cell(ranked.outcome),
    }
    part = f"worst part from {clip.start_seconds:g} s on" if clip.clip_seconds is not None else ""
    return Entry(row, cells, [part, row.drivers])


def _warnings(results: Results) -> list[str]:
    """What a reader must not miss."""
    warnings = []
    if results.selection == "supervised":
        warnings.append(
            "Selection: supervised. Labelled anomalous clips were learned from, by cross-validation: a ceiling for "
            "faults that were recorded, not what a label-free detector finds."
        )
    elif results.selection != "label-free":
        warnings.append(
            f"Selection: {results.selection}. Something was chosen with the labels of the test clips, so these "
            "numbers are no result of the method."
        )
    if results.random_weights:
        warnings.append("Random weights: these numbers are no result of the published network.")
    return warnings


def _notes(rows: Sequence[ClipRow]) -> list[str]:
    """What a reader should know of the list."""
    mistakes = sum(row.ranked.outcome in _MISTAKES for row in rows)
    labelled = sum(row.ranked.clip.is_anomaly is not None for row in rows)
    notes = []
    if labelled:
        notes.append(
            f"{mistakes} of {labelled} labelled clips are decided wrongly; these come first, the worst on top."
        )
    if labelled < len(rows):
        notes.append(f"{len(rows) - labelled} clips have no label and come last, the most anomalous of them first.")
    return notes + shown_for_some(rows, "clips")


def _cards(results: Results, rows: Sequence[ClipRow]) -> list[tuple[str, str, str]]:
    """The few numbers that a reader looks for."""
    if all(row.ranked.clip.is_anomaly is None for row in rows):
        hits = sum(row.ranked.decision is True for row in rows)
        return [("called anomalous", str(hits), f"of {len(rows)} test clips, none of which has a label")]
    mean = results.headline.mean
    over = "mean of machine ids" if len(results.headline.machine_ids) > 1 else "one machine id"
    cards = []
    for measure, name in (("auc", "AUC"), ("pauc", "pAUC (up to 0.1)")):
        limits = mean.interval_95.get(measure)
        note = f"95\N{NO-BREAK SPACE}% interval {limits[0]:.3f} to {limits[1]:.3f}" if limits else over
        cards.append((name, number(getattr(mean, measure)), f"{note}; 0.5 is chance"))
    normal = [row for row in rows if row.ranked.clip.is_anomaly is False]
    anomalous = [row for row in rows if row.ranked.clip.is_anomaly]
    for name, part, of in (("false alarms", normal, "normal"), ("anomalies found", anomalous, "anomalous")):
        hits = sum(row.ranked.decision is True for row in part)
        value = percent(hits / len(part)) if part else "–"
        cards.append((name, value, f"{hits} of {len(part)} {of} test clips"))
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
            return (
                f"The mean AUC of {headline} is {_compared(gain.auc_difference)} that of a Gaussian on mean "
                f"log-mels without any network (95\N{NO-BREAK SPACE}% interval of the difference {signed(low)} to "
                f"{signed(high)}). {finding}"
            )
    return ""


def _compared(difference: float) -> str:
    """`0.012 higher than`; what rounds to nothing is no difference in words."""
    if abs(difference) < 5e-4:
        return "as high as"
    return f"{abs(difference):.3f} {'higher' if difference > 0 else 'lower'} than"


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
    return facts
