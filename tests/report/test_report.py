import base64
import dataclasses
import io
from html.parser import HTMLParser

import numpy as np
import pytest
import soundfile
from browsing import HOSTILE
from conftest import PICTURES, make
from PIL import Image

from asd_jax.datasets import Machine
from asd_jax.detectors.thresholds import decide
from asd_jax.report import media, tables, write_report
from asd_jax.report.clips import N_MAPS
from asd_jax.report.ranking import rank_clips


class Page(HTMLParser):
    """What a browser would find: tags with their attributes, and text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def decoded(uri):
    return soundfile.read(io.BytesIO(base64.b64decode(uri.removeprefix("data:audio/flac;base64,"))))


@pytest.fixture(scope="module")
def written(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    path = write_report(folder, *made.arguments())
    return folder, path.read_text(encoding="utf-8")


def test_one_file_needs_no_other(written):
    _, html = written
    page = Page(html)
    for attributes in (attributes for _, attributes in page.tags):
        for name in ("src", "href", "srcset", "action", "data"):
            value = attributes.get(name) or ""
            assert value == "" or value.startswith(("data:", "#")), value
    assert "url(" not in html and "@import" not in html
    (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "script-src 'sha256-" in policy


def test_a_hostile_file_name_stays_text(written):
    _, html = written
    page = Page(html)
    assert HOSTILE in page.text
    assert not [a for a in page.all("img") if a.get("src") == "x"]
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]


def test_plots_are_files_too(written):
    folder, _ = written
    names = {path.stem for path in (folder / "plots").iterdir()}
    assert {"scores", "machine_ids", "roc", "confusion", "precision_recall"} <= names
    assert {f"worst_{k:02d}" for k in range(1, PICTURES + 1)} <= names


def test_numbers_are_those_of_the_results(made, written):
    _, html = written
    text = Page(html).text
    mean = made.results.scorers["mahalanobis"].mean
    assert f"{mean.auc:.3f} / {mean.pauc:.3f} / {mean.average_precision:.3f}" in text
    at = made.results.thresholds["mahalanobis"]["gamma_0.9"]["id_02"]
    assert f"{at.value:.4g}" in text and "made of noise, not recordings" in text


def test_clips_are_listed_worst_first(made, written):
    rows = Page(written[1]).all("tbody")
    rows = [row for row in rows if "data-score" in row]
    assert len(rows) == len(made.evaluation.clips) and [row["data-number"] for row in rows] == [
        str(k) for k in range(1, 13)
    ]
    wrong = [row["data-decision"] != row["data-truth"] for row in rows]
    assert wrong == sorted(wrong, reverse=True) and any(wrong) and not all(wrong)
    scores = made.evaluation.scores["mahalanobis"]
    by_name = {clip.file_name: score for clip, score in zip(made.evaluation.clips, scores, strict=True)}
    assert all(float(row["data-score"]) == by_name[row["data-file"]] for row in rows)


def test_ranking_by_hand(made):
    detector, clips = made.detectors.system, made.evaluation.clips[:5]
    limits = [detector.fitted["mahalanobis"][clip.machine].threshold.value for clip in clips]
    clips = [dataclasses.replace(clip, machine_id="id_00") for clip in clips]
    truth = [False, True, None, True, False]
    clips = [dataclasses.replace(clip, is_anomaly=label) for clip, label in zip(clips, truth, strict=True)]
    limit = limits[0]
    scores = np.array([limit + 1, limit - 2, limit + 9, limit + 3, np.nan])
    ranked = rank_clips(detector, clips, scores, decide(scores, limit))
    assert [row.index for row in ranked] == [4, 1, 0, 3, 2]
    assert [row.outcome for row in ranked] == ["no decision", "missed", "false alarm", "found", "alarm"]
    assert ranked[0].decision is None


def test_a_rule_that_never_alarms_is_ranked_by_score(made):
    detector, clips = made.detectors.system, list(made.evaluation.clips[:3])
    machine = Machine("", "id_00")
    of_id = detector.fitted["mahalanobis"][machine]
    never = dataclasses.replace(of_id, threshold=dataclasses.replace(of_id.threshold, value=np.inf))
    detector = dataclasses.replace(detector, fitted={"mahalanobis": {machine: never}})
    clips = [dataclasses.replace(clip, machine_id="id_00", is_anomaly=True) for clip in clips]
    scores = np.array([5.0, 3.0, 4.0])
    ranked = rank_clips(detector, clips, scores, decide(scores, np.inf))
    assert [row.index for row in ranked] == [1, 2, 0] and {row.outcome for row in ranked} == {"missed"}
    assert np.isfinite([row.margin for row in ranked]).all()


def test_sound_is_the_clips_own(made, written):
    page = Page(written[1])
    first = next(row for row in page.all("tbody") if "data-score" in row)
    sounds = [attributes["src"] for attributes in page.all("audio")]
    assert len(sounds) == PICTURES and f"top {PICTURES} clips only" in page.text
    samples, rate = decoded(sounds[0])
    clip = next(clip for clip in made.evaluation.clips if clip.file_name == first["data-file"])
    assert rate == 16_000
    np.testing.assert_allclose(samples, made.dataset.read(clip), atol=2**-15)


def test_a_recording_that_was_cut_is_shown_by_its_worst_part(tmp_path):
    made = make(9, cut=True)
    evaluation = made.evaluation
    assert [clip.file_name for clip in evaluation.clips] == ["long 0.wav", "long 1.wav", "long 2.wav"]
    page = Page(write_report(tmp_path, *made.arguments()).read_text(encoding="utf-8"))
    first = next(row for row in page.all("tbody") if "data-score" in row)
    index = [clip.file_name for clip in evaluation.clips].index(first["data-file"])
    part = made.dataset.clips[evaluation.worst[index]]
    assert part.recording == first["data-file"] and part.start_seconds == evaluation.clips[index].start_seconds > 0
    assert f"worst part from {part.start_seconds:g} s on" in page.text
    np.testing.assert_allclose(decoded(page.all("audio")[0]["src"])[0], made.dataset.read(part), atol=2**-15)


@pytest.mark.slow
def test_a_thousand_clips_stay_a_small_page(tmp_path):
    made = make(1000)
    html = write_report(tmp_path, *made.arguments()).read_text(encoding="utf-8")
    page = Page(html)
    assert len([row for row in page.all("tbody") if "data-score" in row]) == 1000
    assert len(page.all("audio")) == PICTURES and f"Small maps are there for the top {N_MAPS}." in page.text
    assert len(html) < 12e6


@pytest.mark.slow
@pytest.mark.parametrize("labels", [(None,), (False,), (None, True, False)])
def test_sets_with_few_labels(labels, tmp_path):
    html = write_report(tmp_path, *make(6, labels=labels).arguments()).read_text(encoding="utf-8")
    if labels == (None,):
        assert "6 clips have no label" in html and not (tmp_path / "plots" / "roc.png").exists()


@pytest.mark.parametrize(("dataset", "domains"), [("dcase2020", ("",)), ("dcase2022", ("source", "target"))])
def test_official_scores_and_domains(dataset, domains):
    results = make(24, dataset=dataset, domains=domains).results
    table = tables.means_table(results)
    assert ("official score" in table.header) == (dataset == "dcase2022")
    assert [name in table.header for name in ("source", "target")] == [dataset == "dcase2022"] * 2
    means = results.scorers["mahalanobis"].harmonic_mean
    assert table.rows[0][:2] == ["mahalanobis", f"{means.auc:.3f} / {means.pauc:.3f}"]
    if dataset == "dcase2022":
        shown = table.rows[0][table.header.index("official score")]
        assert shown == f"{results.scorers['mahalanobis'].official.score:.3f}"


def test_a_network_shows_its_residual(tmp_path):
    made = make(4, network=True)
    (tmp_path / "training.csv").write_text(
        "seed,machine_id,epoch,train_loss,validation_loss,learning_rate\n0,,1,2.0,,0.1\n0,,2,1.0,,0.05\n"
    )
    html = write_report(tmp_path, *made.arguments()).read_text(encoding="utf-8")
    assert "shows the squared residual" in html
    assert (tmp_path / "plots" / "training.png").exists()


def test_what_is_printed_is_what_the_report_shows(made, written):
    text = "".join(Page(written[1]).text.split())
    for table in tables.result_tables(made.results):
        for row in (table.header, *table.rows):
            assert "".join("".join(row).split()) in text


def test_a_score_that_is_not_finite_has_no_decision(made, tmp_path):
    evaluation = made.evaluation
    scores = evaluation.scores["mahalanobis"].copy()
    scores[5] = np.nan
    odd = dataclasses.replace(evaluation, scores={"mahalanobis": scores}, decisions=decide(scores, 1.0))
    page = Page(write_report(tmp_path, *dataclasses.replace(made, evaluation=odd).arguments()).read_text("utf-8"))
    first = next(row for row in page.all("tbody") if "data-score" in row)
    assert (first["data-score"], first["data-decision"], first["data-outcome"]) == ("NaN", "no decision", "no decision")


def test_shrunken_maps():
    values = np.arange(12.0).reshape(6, 2)
    np.testing.assert_array_equal(media.shrink(values), values)
    large = np.tile(np.arange(312.0)[:, None], (1, 96))
    large[:2] = np.nan
    small = media.shrink(large)
    assert small.shape == media.MAP_SIZE and np.isnan(small[0]).all()
    np.testing.assert_allclose(small[1], 2.5)
    image = Image.open(io.BytesIO(media.map_png(small, 312.0))).convert("RGB")
    assert image.size == media.MAP_SIZE
    assert image.getpixel((0, 0)) == (0xDD, 0xDD, 0xDD)  # no value
    brightness = np.asarray(image.convert("L"))[0].astype(int)
    assert brightness[-1] > brightness[80] > brightness[2]


def test_odd_runs_are_reported(made, tmp_path):
    """Chosen with labels, a file name that is no text, recordings that were moved away meanwhile."""

    def gone(clip):
        raise FileNotFoundError(clip.file_name)

    clips = list(made.evaluation.clips)
    clips[3] = dataclasses.replace(clips[3], file_name="3/caf\udce9.wav")
    odd = dataclasses.replace(
        made,
        results=dataclasses.replace(made.results, selection="oracle"),
        evaluation=dataclasses.replace(made.evaluation, clips=tuple(clips)),
        dataset=dataclasses.replace(made.dataset, read=gone),
    )
    html = write_report(tmp_path, *odd.arguments()).read_text(encoding="utf-8")
    assert 'class="warning">Selection: oracle' in html
    assert "3/caf?.wav" in html
    assert not Page(html).all("audio")
