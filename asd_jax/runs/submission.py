"""Submission files of DCASE Task 2, 2020 to 2026, from the folder of a run that was evaluated.

Anomaly scores: `anomaly_score_<machine type>_<id or section>[_test].csv`, a line `file name,score` a clip; decisions:
`decision_result_...`, lines `file name,0 or 1`. 2021 has a file a section and domain (`..._source_test.csv`), 2022 and
later one a section; 2020 took scores alone and its evaluator reads past the decisions. There are no headers, and the
machine type is spelt as in the release (`slider`, `ToyCar`). Sources: the submission sections of the task pages and the
file names that the published evaluators read.
"""

import re
from pathlib import Path

from asd_jax.datasets.clips import Clip
from asd_jax.datasets.machines import canonical_machine
from asd_jax.datasets.releases import own_name
from asd_jax.errors import InputError
from asd_jax.evaluation import official_scores
from asd_jax.evaluation.results import Results
from asd_jax.evaluation.score_files import ScoredClips, read_scores
from asd_jax.files import csv_text, write_text

FOLDER = "submission"


def machine_type(machine: str, file_name: str = "") -> str:
    """A release's own name of a machine type.

    Args:
        machine: canonical name, such as `slide_rail`.
        file_name: of a clip, `.../<machine type>/test/<name>`; where it names the machine, that spelling is taken.
    """
    folders = re.findall(r"[^/]+", file_name)[:-1]
    return next((name for name in folders[::-1] if canonical_machine(name) == machine), own_name(machine))


def files(scored: ScoredClips, *, headline: str, machine: str, dataset: str) -> dict[str, str]:
    """Names and texts of the submission files.

    Args:
        scored: the clips of a machine type with their scores and decisions.
        headline: the scorer that is submitted.
        machine: canonical name of the machine type.
        dataset: the release, such as `dcase2023`. Recordings of no release are written as 2020 has them where their
            ids look like `id_00`, as 2022 has them otherwise.

    Raises:
        InputError: a score is not finite, two clips would have one name, or a clip of 2021 has no domain.
    """
    release = official_scores.year(dataset)
    lines: dict[str, list[list[str]]] = {}
    seen: dict[tuple[str, str], str] = {}
    for clip, score, decision in zip(scored.clips, scored.scores[headline], scored.decisions, strict=True):
        if decision is None:
            raise InputError(f"`submission`: the score of {clip.file_name} is {score}, which no challenge takes")
        name = clip.file_name.rsplit("/", 1)[-1]
        suffix = _suffix(clip, release)
        if (other := seen.setdefault((suffix, name), clip.file_name)) != clip.file_name:
            raise InputError(f"`submission`: {other} and {clip.file_name} have the same name; submit one of them")
        stem = f"{machine_type(machine, clip.file_name)}_{suffix}.csv"
        lines.setdefault(f"anomaly_score_{stem}", []).append([name, f"{score:.9g}"])
        lines.setdefault(f"decision_result_{stem}", []).append([name, str(int(decision))])
    return {name: csv_text(sorted(table)) for name, table in sorted(lines.items())}


def _suffix(clip: Clip, release: int | None) -> str:
    if release == 2020 or (release is None and re.fullmatch(r"id_\d+", clip.machine_id)):
        return clip.machine_id
    if release == 2021:
        if clip.domain not in official_scores.DOMAINS:
            raise InputError(f"`submission`: {clip.file_name} has no domain, and 2021 wants a file a domain")
        return f"{clip.machine_id}_{clip.domain}_test"
    return f"{clip.machine_id}_test"


def write(run: str | Path) -> list[Path]:
    """Write the submission files of an evaluated run into `run/submission`, and give their paths.

    Raises:
        InputError: the run was not evaluated; further reasons as in `files`.
    """
    run = Path(run)
    scored = read_scores(run / "scores.csv")
    results = Results.read(run)
    texts = files(scored, headline=results.headline_scorer, machine=results.machine, dataset=results.dataset)
    for name, text in texts.items():
        write_text(run / FOLDER / name, text)
    return [run / FOLDER / name for name in texts]
