"""The page of recordings scored in service: what it shows, what it leaves out, and what drove a score in words."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from browsing import HOSTILE
from conftest import FRONT_END, PICTURES, make, read

from asd_jax.datasets import Machine
from asd_jax.detectors.verdicts import Timeline
from asd_jax.errors import InputError
from asd_jax.report import ScoredRecording, check_can_be_shown, clips, write_scored_report
from asd_jax.report.drivers import find_drivers, in_words

RATE, SECONDS = 16_000, 0.5


def waveform(name):
    """The sound of `read` for each part of a second: the name says which parts."""
    from asd_jax.datasets import Clip

    parts = [int(part) for part in name.split("/")[0].split("-")]
    return np.concatenate([read(Clip(f"{part}/", "id_00", "test", part >= 100)) for part in parts])


def read_again(name, start_seconds, clip_seconds):
    first = round(start_seconds * RATE)
    count = None if clip_seconds is None else round(clip_seconds * RATE)
    if "gone" in name:
        raise FileNotFoundError(name)
    return waveform(name)[first:][:count]


def scored(made, names, machine_id="id_00"):
    """Recordings as `score` gives them, from the detector's own verdicts."""
    system = dataclasses.replace(made.detectors.system, clip_seconds=SECONDS)
    verdict = system.judge([waveform(name) for name in names], sample_rate=RATE, machine_id=machine_id)
    recordings = [
        ScoredRecording(
            name,
            Machine("", machine_id),
            verdict.scores[index],
            verdict.thresholds[index],
            "anomalous" if verdict.is_anomalous[index] else "normal",
            verdict.share_of_normal_above[index],
            verdict.worst_start_seconds[index],
            "20 dB quieter than in training" * (index == 0),
            verdict.timelines[index],
        )
        for index, name in enumerate(names)
    ]
    return dataclasses.replace(made.detectors, system=system), recordings


LONG = "/".join(["-".join(map(str, [*range(50, 60), 100, 102, 104, *range(60, 70)])), "long.wav"])


@pytest.fixture(scope="module")
def page(made, tmp_path_factory):
    from test_report import Page

    names = [f"1/{HOSTILE}", "6/b.wav", LONG, "4/gone.wav"]
    detectors, recordings = scored(made, names)
    unheard = Timeline(np.zeros(0), np.zeros(0), 1.0)
    recordings.append(
        ScoredRecording("bad.wav", Machine("", "id_00"), *[np.nan] * 2, "no verdict", np.nan, np.nan, "broken", unheard)
    )
    path = tmp_path_factory.mktemp("score") / "report.html"
    write_scored_report(path, recordings, detectors, read_again, run="watch", scorer="mahalanobis")
    return recordings, Page(path.read_text(encoding="utf-8"))


def test_what_the_page_says(page):
    recordings, html = page
    assert recordings[2].decision == "anomalous" and recordings[4].decision == "no verdict"
    rows = [row for row in html.all("tbody") if "data-score" in row]
    files = [row["data-file"] for row in rows]
    assert files[0] == LONG and files[-1] == "bad.wav" and set(files) == {of.name for of in recordings}
    decided = {of.name: of.decision for of in recordings}
    assert [row["data-outcome"] for row in rows] == [decided[name] for name in files]
    for said in (f"1/{HOSTILE}", "20 dB quieter than in training", "broken", "5 recordings scored", "from 8 normal"):
        assert said in html.text, said
    assert "decided by 5.0 to 6.5 s" in html.text


def test_words_of_labelled_clips_are_not_on_it(page):
    _, html = page
    shown = html.text[html.text.index("5 recordings scored\n", 100) :].split('"use strict"')[
        0
    ]  # without style and script
    for word in ("AUC", "mistake", "missed", "false alarm", "truth", "label", "test clip", "undefined"):
        assert word not in shown, word


def test_it_needs_no_other_file_and_shows_a_few_alone(page):
    _, html = page
    for _, attributes in html.tags:
        for name in ("src", "href"):
            assert (attributes.get(name) or "").startswith(("data:", "#", "")), attributes
    assert not [a for a in html.all("img") if a.get("src") == "x"]
    names = [image["alt"] for image in html.all("img")]
    whole = [name for name in names if name.startswith("Waveform, log-mel and map of the clip")]
    assert len(whole) == len(html.all("audio")) == PICTURES
    assert all("Furthest from normal" in name for name in whole)
    assert names.count("Scores over time") == 1 and names.count("map of the recording") == 3


def test_one_machine_is_not_named_and_several_are(made, tmp_path):
    from test_report import Page

    alone = make(machine_ids=("id_00",))
    for of, known in ((alone, False), (made, True)):
        detectors, recordings = scored(of, ["1/a.wav"])
        path = write_scored_report(
            tmp_path / "report.html", recordings, detectors, read_again, run="watch", scorer="mahalanobis"
        )
        assert ("machine id" in Page(path.read_text(encoding="utf-8")).text) == known


@pytest.mark.parametrize("names", [["5/gone.wav"], ["5/a.wav"]])
def test_a_network_and_recordings_that_are_gone(names, tmp_path):
    made = make(4, network=True)
    detectors, recordings = scored(made, names)
    path = write_scored_report(tmp_path / "r.html", recordings, detectors, read_again, run="watch", scorer="mse")
    assert ("squared residual" in path.read_text(encoding="utf-8")) == ("gone" not in names[0])


def test_a_bundle_without_the_control_is_refused(made):
    with pytest.raises(InputError, match="lacks the control log_mel_mean"):
        check_can_be_shown(dataclasses.replace(made.detectors, controls={}), Path("watch"))
    check_can_be_shown(made.detectors, Path("watch"))


def test_what_drove_a_score():
    frames, bands = 100, 16
    squared, deviation = np.ones((frames, bands)), np.zeros(bands)
    squared[50:55] = 200.0
    deviation[[7, 8]] = -3.0, -6.0
    hop = FRONT_END.hop_length / FRONT_END.sample_rate
    how = {"frequencies": clips.band_frequencies(FRONT_END), "hop_seconds": hop}
    found = find_drivers(squared, deviation, hop_seconds=hop)
    assert found.bands == (7, 8) and found.n_spans == len(found.spans) == 2  # five frames, and the first of the others
    assert found.spans[1] == (50, 54) or found.spans[0] == (50, 54)
    said = in_words(found, start_seconds=100.0, **how)
    assert "quieter there by 6.0 times" in said
    assert f"{100 + 50 * hop:.1f} to {100 + 54 * hop:.1f} s" in said
    found = find_drivers(np.ones((frames, bands)) + 9.0 * (np.arange(bands) == 3), None, hop_seconds=hop)
    assert found.bands == (3, 3) and found.spans == ()
    said = in_words(found, **how)
    assert "6.4 times the residual of the average band" in said and said.endswith("all the time alike.")
    nothing = find_drivers(np.full_like(squared, np.nan), None, hop_seconds=hop)
    assert nothing is None and in_words(nothing, **how) == ""
