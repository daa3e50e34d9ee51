"""Zip files that mean well, and those that do not."""

import contextlib
import io
import stat
import tempfile
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asd_jax.datasets import unpack as unpack_module
from asd_jax.datasets.unpack import unpack
from asd_jax.errors import InputError


def make_zip(path, members, compression=zipfile.ZIP_STORED):
    """A zip file; members are a name, or a `ZipInfo`, and the content."""
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


def files_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def link(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def test_what_is_in_it_is_there(tmp_path):
    members = [("fan/", ""), ("fan/train/normal ä.wav", b"a" * 10), ("fan/test/b.wav", b"b"), ("__MACOSX/._b", b"x")]
    found = unpack(make_zip(tmp_path / "a.zip", members), tmp_path / "out")
    assert found == {"fan/train/normal ä.wav": 10, "fan/test/b.wav": 1}
    assert files_in(tmp_path / "out") == set(found)


def test_archives_of_one_machine_come_together(tmp_path):
    out = tmp_path / "eval_data"
    unpack(make_zip(tmp_path / "a.zip", [("fan/train/a.wav", b"a"), ("fan/attributes_00.csv", b"old")]), out)
    unpack(make_zip(tmp_path / "b.zip", [("fan/test/b.wav", b"b"), ("fan/attributes_00.csv", b"new")]), out)
    assert files_in(out) == {"fan/train/a.wav", "fan/test/b.wav", "fan/attributes_00.csv"}
    assert (out / "fan" / "attributes_00.csv").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["dev_data/fan/a.wav", "dev_data/fan/b.wav"], {"fan/a.wav", "fan/b.wav"}),
        (["fan/a.wav", "dev_data/b.wav"], {"fan/a.wav", "dev_data/b.wav"}),
        (["fan/a.wav"], {"fan/a.wav"}),
        (["dev_data"], {"dev_data"}),
    ],
)
def test_a_folder_that_says_nothing_is_left_out(tmp_path, names, expected):
    archive = make_zip(tmp_path / "a.zip", [(name, b"x") for name in names])
    assert set(unpack(archive, tmp_path / "out", strip=["dev_data"])) == expected == files_in(tmp_path / "out")


@pytest.mark.parametrize(
    "member",
    ["../evil.wav", "/tmp/evil.wav", "fan/../../evil.wav", "C:/evil.wav", "..\\evil.wav", "fan/.."],
)
def test_paths_that_lead_out(tmp_path, member):
    archive = make_zip(tmp_path / "a.zip", [("fan/good.wav", b"x"), (member, b"x")])
    with pytest.raises(InputError, match=r"a\.zip is refused: the path .* leads out"):
        unpack(archive, tmp_path / "in" / "out")
    assert files_in(tmp_path) == {"a.zip"}


@given(st.lists(st.sampled_from(["..", ".", "fan", "", "a.wav", "~", "C:"]), min_size=1, max_size=5).filter(any))
def test_no_path_leads_out(parts):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        archive = make_zip(folder / "a.zip", [("/".join(parts), b"x")])
        with contextlib.suppress(InputError):
            unpack(archive, folder / "in" / "out")
        assert all(name == "a.zip" or name.startswith("in/out/") for name in files_in(folder))


def test_links_are_refused(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [(link("fan"), "/etc"), ("fan/passwd", b"x")])
    with pytest.raises(InputError, match="'fan' is a link"):
        unpack(archive, tmp_path / "out")
    assert files_in(tmp_path) == {"a.zip"}


def test_bombs_are_refused(tmp_path, monkeypatch):
    archive = make_zip(tmp_path / "a.zip", [("fan/a.wav", bytes(70 * 2**20))], zipfile.ZIP_DEFLATED)
    with pytest.raises(InputError, match=r"are more than .* can honestly hold"):
        unpack(archive, tmp_path / "out")
    monkeypatch.setattr(unpack_module, "_MOST_FILES", 3)
    with pytest.raises(InputError, match="4 files of"):
        unpack(make_zip(tmp_path / "b.zip", [(f"{i}.wav", b"") for i in range(4)]), tmp_path / "out")
    assert files_in(tmp_path) == {"a.zip", "b.zip"}


def test_a_size_that_lies_fills_no_disk(tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("fan/a.wav", bytes(100_000))
    lie = content.getvalue().replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    (tmp_path / "a.zip").write_bytes(lie)
    with pytest.raises(InputError, match="is not a whole zip file"):
        unpack(tmp_path / "a.zip", tmp_path / "out")
    assert files_in(tmp_path) == {"a.zip"}


def test_the_same_name_twice(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        archive = make_zip(tmp_path / "a.zip", [("fan/a.wav", b"x"), ("fan/a.wav", b"y")])
    with pytest.raises(InputError, match="twice"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize("damage", ["truncated", "flipped", "no zip"])
def test_damage_leaves_nothing_that_looks_whole(tmp_path, damage):
    archive = make_zip(tmp_path / "a.zip", [(f"fan/{i}.wav", bytes([i]) * 1_000) for i in range(9)])
    content = archive.read_bytes()
    changed = {
        "truncated": content[:5_000],
        "flipped": content.replace(bytes([7]) * 1_000, bytes([8]) * 1_000),
        "no zip": b"<html>",
    }
    archive.write_bytes(changed[damage])
    with pytest.raises(InputError, match=r"a\.zip is not a whole zip file"):
        unpack(archive, tmp_path / "out")
    assert files_in(tmp_path) == {"a.zip"}


def test_a_full_disk(tmp_path, monkeypatch):
    archive = make_zip(tmp_path / "a.zip", [("fan/a.wav", bytes(1_000))])
    monkeypatch.setattr(unpack_module.shutil, "disk_usage", lambda _: SimpleNamespace(free=10))
    with pytest.raises(InputError, match=r"a\.zip takes .* are free; make room"):
        unpack(archive, tmp_path / "out")
    assert files_in(tmp_path) == {"a.zip"}


def test_what_a_killed_call_left_is_cleared(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("fan/a.wav", b"x")])
    left = tmp_path / "out" / ".a.zip.unpacking" / "fan" / "half.wav"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"ha")
    unpack(archive, tmp_path / "out")
    assert files_in(tmp_path / "out") == {"fan/a.wav"}
