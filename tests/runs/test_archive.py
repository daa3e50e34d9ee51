"""Archives: one table however often it is interrupted, whoever scores it, and whatever its files do to a worker."""

import dataclasses
import itertools
import math
import os
import signal
import subprocess
import sys
import time

import archives
import pytest

from asd_jax import errors, files
from asd_jax.detectors.bundle import load_detector
from asd_jax.evaluation.heard_files import HeardFiles, Listening
from asd_jax.runs.archive import archive as walk
from asd_jax.runs.archive import listing, table
from asd_jax.runs.archive.archive import score_archive
from asd_jax.runs.archive.engine import Died, Done, Failed
from asd_jax.runs.archive.local_engine import LocalEngine
from asd_jax.runs.archive.schedule import Schedule, Task
from asd_jax.runs.archive.scoring import Scoring
from asd_jax.runs.archive.summary import summarised


class Here:
    """An engine whose workers are objects of this process, which may die over a call."""

    def __init__(self, job, dies=lambda method, arguments: False):
        self.job, self.dies, self.owed, self.n_started = job, dies, [], 0

    def start(self):
        self.n_started += 1
        worker = Scoring(self.job)
        self.call(worker, "start")
        return worker

    def call(self, worker, method, *arguments):
        self.owed.append((worker, method, arguments))

    def wait(self, seconds):
        worker, method, arguments = self.owed.pop(0)
        if self.dies(method, arguments):
            return [(worker, Died())]
        try:
            return [(worker, Done(getattr(worker, method)(*arguments)))]
        except errors.InputError as error:
            return [(worker, Failed(str(error)))]

    def stop(self, worker):
        self.owed = [owed for owed in self.owed if owed[0] is not worker]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("archive")
    archives.make_recordings(root)
    archives.train(root)
    return root


def score(archive, n_workers=1, **options):
    return score_archive(archive, lambda: (Here(archive.job, **options), n_workers), say=lambda line: None)


@pytest.fixture(scope="module")
def whole(root, tmp_path_factory):
    """The table of an archive that nothing happened to."""
    archive = archives.archive_of(root, tmp_path_factory.mktemp("whole") / "out")
    return score(archive), archives.rows(archive.out)


def test_rows_are_those_of_the_detector(root, whole):
    scored, rows = whole
    names = sorted(str(path) for path in (root / "new").rglob("*.wav"))
    heard = HeardFiles(names, load_detector(root / "run"), Listening())
    verdict = heard.judged()
    assert [row.file_name for row in rows] == names and len(rows) == archives.N_FILES
    for index, row in enumerate(rows):
        expected = [None if value != value else value for value in heard.scored(index, verdict)]
        for value, of in zip([row.file_name, *row[2:10]], expected, strict=True):
            assert value == (pytest.approx(of, rel=1e-5) if isinstance(of, float) else of)
    long = next(row for row in rows if row.file_name.endswith("long.wav"))
    assert len(long.clip_scores) == len(long.clip_start_seconds) == 9
    assert scored.summary.counts["no verdict"] == 2
    assert scored.summary.worst[0].file_name.endswith("/050.wav") and scored.summary.worst[0].margin > 10
    assert {row.file_name.rsplit("/")[-1] for row in scored.summary.bad} == {"broken.wav", "short.wav"}


def test_interrupted_anywhere_the_table_is_the_same(root, whole, tmp_path, monkeypatch):
    archive = archives.archive_of(root, tmp_path / "out")
    write, left = table.write_shard, itertools.count()

    def full_disk(path, rows):
        if next(left) % 3 == 2:
            raise errors.InputError(f"{path} cannot be written (No space left on device)")
        write(path, rows)

    monkeypatch.setattr(table, "write_shard", full_disk)
    for _ in range(3):
        with pytest.raises(errors.InputError, match="No space left"):
            score(archive)
    monkeypatch.setattr(table, "write_shard", write)
    scored = score(archive)
    assert scored.n_scored == archives.N_FILES - 60 and archives.rows(archive.out) == whole[1]
    assert score(archive).n_scored == 0
    assert score(archive).summary == scored.summary


@pytest.mark.service
def test_killed_by_the_system_and_begun_again(root, whole, tmp_path):
    archive = archives.archive_of(root, tmp_path / "out", shard_size=3)
    arguments = [f"--checkpoint={root / 'run'}", f"--input={root / 'new'}", f"--out={archive.out}", "--shard_size=3"]
    command = [sys.executable, "-m", "experiments.score_archive", *arguments, "--noreport", "--workers=1"]
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 90
    while not list((archive.out / "scores").glob("shard*")) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert list((archive.out / "scores").glob("shard*"))
    score(archive)
    archives.assert_same_scores(archives.rows(archive.out), whole[1])


@pytest.mark.service
def test_files_that_crash_or_hang_the_decoder(root, whole, tmp_path):
    names = [str(path) for path in sorted((root / "new").rglob("*.wav"))]
    for bad in ("crash.wav", "hang.wav"):
        (tmp_path / bad).write_bytes((root / "press" / "000.wav").read_bytes())
    listed = tmp_path / "list.txt"
    listed.write_text("\n".join([*names[:5], str(tmp_path / "crash.wav"), str(tmp_path / "hang.wav"), *names[5:]]))
    archive = archives.archive_of(root, tmp_path / "out", source=listed, shard_size=100, file_seconds=1.0)
    engine = LocalEngine(archive.job, scoring=archives.Fragile)
    scored = score_archive(archive, lambda: (engine, 1), say=lambda line: None)
    rows = archives.rows(archive.out)
    for row, name in zip(rows[5:7], ("crash.wav", "hang.wav"), strict=True):
        assert row.decision == "no verdict" and "more than 1 s; remove it" in row.remarks and name in row.remarks
    archives.assert_same_scores(rows[:5] + rows[7:], whole[1])
    assert scored.n_replaced == 5  # once over all, twice over each


def test_workers_that_die_of_other_things_lose_nothing(root, whole, tmp_path):
    counts = itertools.count()
    archive = archives.archive_of(root, tmp_path / "out")
    scored = score(archive, n_workers=3, dies=lambda *call: next(counts) % 7 == 6)
    assert scored.n_replaced >= 3 and archives.rows(archive.out) == whole[1]


def test_a_worker_that_always_dies_ends_it(root, tmp_path):
    archive = archives.archive_of(root, tmp_path / "out")
    with pytest.raises(errors.InputError, match="while they load"):
        score(archive, dies=lambda method, _: method == "start")
    with pytest.raises(errors.InputError, match="is there memory"):
        score(archive, dies=lambda method, _: method == "score")


def test_what_was_begun_stays_what_it_is(root, tmp_path):
    archive = archives.archive_of(root, tmp_path / "out")
    score(archive)
    with pytest.raises(errors.InputError, match=r"another shard size \(10 then, 11 now\)"):
        score(archives.archive_of(root, archive.out, shard_size=11))
    with pytest.raises(errors.InputError, match=r"another settings \(threshold: null then, \"percentile_0.8\" now\)"):
        score(archives.archive_of(root, archive.out, threshold="percentile_0.8"))
    with pytest.raises(errors.InputError, match="another listing"):
        score(archives.archive_of(root, archive.out, source=root / "new" / "1"))
    shard = table.shard_path(archive.out, 0)
    shard.write_bytes(shard.read_bytes()[:-20])
    with pytest.raises(errors.InputError, match=r"damaged; remove it"):
        score(archive)


def test_another_model_on_a_worker_is_an_error(root, tmp_path):
    archive = archives.archive_of(root, tmp_path / "out")
    other = dataclasses.replace(archive, job=dataclasses.replace(archive.job, sha256="0" * 64))
    with pytest.raises(errors.InputError, match="another detector than at the start"):
        score(other)


def test_a_listing_that_changes_is_noticed(root, tmp_path):
    listed = tmp_path / "list.txt"
    names = [str(path) for path in sorted((root / "new" / "0").glob("*.wav"))]
    listed.write_text("\n".join(names[:12]))

    def grow(method, arguments):
        listed.write_text("\n".join(names[:13]))
        return False

    archive = archives.archive_of(root, tmp_path / "out", source=listed)
    with pytest.raises(errors.InputError, match="changed while it was scored: 12 recordings then, 13 now"):
        score(archive, dies=grow)
    assert len(archives.rows(archive.out)) == 12


def test_listings_of_folders_are_sorted_whatever_is_held(tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "_AT_ONCE", 4)
    for index in range(23):
        path = tmp_path / "in" / f"{index % 3}" / f"{index * 7 % 23:02d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = listing.write_listing(tmp_path / "in", tmp_path / "list")
    lines = (tmp_path / "list").read_text().splitlines()
    assert lines == sorted(str(path) for path in (tmp_path / "in").rglob("*.wav")) and found.n_files == 23
    assert found.sha256 == listing.digest_of(lines)
    assert [len(part) for part in listing.shards_of(tmp_path / "list", 10)] == [10, 10, 3]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "list"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "no such folder or list"),
        (lambda path: path.mkdir(), "no recordings in it"),
        (lambda path: path.write_bytes(b"\xff\xfe\n"), "no list of paths in UTF-8"),
    ],
)
def test_a_listing_that_cannot_be(tmp_path, make, message):
    make(tmp_path / "in")
    with pytest.raises(errors.InputError, match=message):
        listing.write_listing(tmp_path / "in", tmp_path / "list")


def test_two_at_once_are_refused(root, tmp_path):
    archive = archives.archive_of(root, tmp_path / "out")
    with walk._alone(archive.out), pytest.raises(errors.InputError, match="another process writes there"):
        score(archive)
    with pytest.raises(errors.InputError, match=r"`out=.*is a run"):
        score(archives.archive_of(root, root / "run"))
    full = tmp_path / "full"
    files.write_text(full, "")
    with pytest.raises(errors.InputError, match="is a file"):
        score(archives.archive_of(root, full))


def test_the_worst_of_many_rows():
    def row(number, margin):
        known = not math.isnan(margin)
        decision = "anomalous" if margin > 0 else "normal" if known else "no verdict"
        return table.Row(str(number), "", "id_00", margin, decision, 0.0, 0.0, 9, 0.5, "", margin, [], [])

    margins = [math.sin(number * number) for number in range(1000)] + [math.nan] * 3
    found = summarised(row(number, margin) for number, margin in enumerate(margins))
    assert [of.margin for of in found.worst] == sorted(margins[:1000], reverse=True)[:150]
    assert found.counts["no verdict"] == 3 and found.n_files == 1003 and len(found.bad) == 3


def test_a_schedule_gives_every_task_once_whatever_dies(root):
    archive = archives.archive_of(root, root)
    counts = itertools.count()
    engine = Here(archive.job, dies=lambda *call: next(counts) % 5 == 4)
    schedule = Schedule(engine, 2, file_seconds=1.0)
    names = [str(path) for path in sorted((root / "new" / "0").glob("*.wav"))[:8]]
    done = list(schedule.run(Task(0, part, names[part * 2 : part * 2 + 2]) for part in range(4)))
    assert sorted(task.part for task, _ in done) == [0, 1, 2, 3]
    assert all([row.file_name for row in rows] == task.names for task, rows in done)
    assert engine.owed == []
