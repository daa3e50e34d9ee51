"""The house as docs/architecture.md has it, held by reading imports: the order of rooms, and who may import what."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY, EXPERIMENTS = ROOT / "asd_jax", ROOT / "experiments"
# Imports, those inside functions too, point to the same or an earlier one.
ROOMS = (
    "errors",
    "files",
    "features",
    "scorers",
    "datasets",
    "models",
    "training",
    "representations",
    "detectors",
    "evaluation",
    "report",
    "runs",
)
# Where a package may be imported; paths are files, or folders of them.
PLACES = {
    "absl": ("experiments/",),
    "orbax": ("asd_jax/training/checkpoints.py", "asd_jax/detectors/bundle.py"),
    "tensorflow_datasets": ("asd_jax/datasets/",),
    "sklearn": (
        "asd_jax/scorers/",
        "asd_jax/evaluation/metrics.py",
        "asd_jax/report/plots/",
        "asd_jax/runs/clip_detector.py",
    ),
    "torch": ("asd_jax/models/published.py",),
    "tensorflow": ("asd_jax/models/vggish_weights.py",),
    "jax2onnx": ("asd_jax/detectors/export/",),
    "onnx": ("asd_jax/detectors/export/",),
    "onnxruntime": ("asd_jax/detectors/exported_file.py",),
    "sounddevice": ("asd_jax/datasets/live/microphone.py",),
    "prometheus_client": ("asd_jax/report/live/metrics.py",),
    "tensorboardX": ("asd_jax/training/", "asd_jax/report/"),
    "pyarrow": ("asd_jax/runs/archive/table.py",),
    "ray": ("asd_jax/runs/cluster.py",),
    "matplotlib": ("asd_jax/report/plots/", "asd_jax/report/media.py", "experiments/show_features.py"),
}
FILES = sorted(path.relative_to(ROOT) for folder in (LIBRARY, EXPERIMENTS) for path in folder.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Dotted names that a file imports anywhere; of `from package import name` also `package.name`."""
    names = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}, line {node.lineno}: imports are absolute"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def packages(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


def rooms_imported(path: Path) -> set[str]:
    """The library's rooms that a file imports from."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("asd_jax.")} & set(ROOMS)


def test_the_rooms_are_those_that_have_an_order():
    entries = {path.name for path in LIBRARY.iterdir() if path.name != "__pycache__"}
    assert len(entries) <= 14
    assert {name.removesuffix(".py") for name in entries} - {"__init__", "py.typed"} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_to_earlier_rooms(room):
    earlier = set(ROOMS[: ROOMS.index(room) + 1])
    files = [path for path in FILES if path.parts[:2] in (("asd_jax", room), ("asd_jax", f"{room}.py"))]
    later = {str(path): sorted(rooms_imported(path) - earlier) for path in files}
    assert files
    assert {path: rooms for path, rooms in later.items() if rooms} == {}


def test_the_library_imports_nothing_that_uses_it():
    users = {"experiments", "benchmarks", "tests"}
    assert {
        str(path): packages(path) & users for path in FILES if path.parts[0] == "asd_jax" and packages(path) & users
    } == {}


@pytest.mark.slow
@pytest.mark.parametrize("package", PLACES)
def test_a_package_is_imported_where_it_belongs(package):
    users = [path.as_posix() for path in FILES if package in packages(path)]
    assert users
    assert [path for path in users if not path.startswith(PLACES[package])] == []


@pytest.mark.parametrize("room", [room for room in ROOMS if (LIBRARY / room).is_dir()])
def test_a_room_says_what_comes_out_of_it(room):
    docstring = ast.get_docstring(ast.parse((LIBRARY / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert len(docstring.split()) >= 6, f"asd_jax/{room}/__init__.py: {docstring!r}"


def test_the_page_on_architecture_names_every_room_and_no_module_that_is_gone():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    there = [f"/{path.as_posix()}" for path in FILES]
    mentioned = set(re.findall(r"[\w/]+\.py\b", page))
    gone = {name for name in mentioned if not any(path.endswith(f"/{name}") for path in there)}
    assert sorted(name for name in gone if not (ROOT / name).is_file()) == []
    assert [room for room in ROOMS if not re.search(rf"`(?:asd_jax/)?{room}(?:\.py|/)?[`/]", page)] == []
