"""What is released: an sdist and a wheel that work outside the checkout; pages and files that belong to it."""

import configparser
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from experiments.commands import commands, listing

ROOT = Path(__file__).parents[1]
SETTINGS = configparser.ConfigParser()
SETTINGS.read(ROOT / "setup.cfg")
VERSION = SETTINGS["metadata"]["version"]


def run(*command, cwd):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """The folder of an sdist and of the wheel that was built from it, without network."""
    if importlib.util.find_spec("build.env") is None or importlib.util.find_spec("setuptools") is None:
        pytest.skip("needs build and setuptools: pip install build setuptools")
    source, out = tmp_path_factory.mktemp("checkout") / "asd_jax", tmp_path_factory.mktemp("released")
    source.mkdir()
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, source)
        elif path.name in ("asd_jax", "benchmarks", "docs", "experiments", "notebooks", "tests"):
            shutil.copytree(path, source / path.name, ignore=shutil.ignore_patterns("__pycache__", "_build"))
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, source, cwd=out)
    return out


@pytest.fixture(scope="module")
def installed(released, tmp_path_factory):
    """A fresh environment with the wheel in it; what it depends on is found where the tests have it."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    packages = Path(run(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=folder).strip())
    with zipfile.ZipFile(next(released.glob("*.whl"))) as wheel:
        wheel.extractall(packages)
    # After the wheel's own folder, and as a path, so that an editable install there names nothing.
    (packages / "dependencies.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")))
    return python


@pytest.mark.service
def test_the_sdist_holds_what_the_wheel_and_its_readers_need(released):
    with tarfile.open(next(released.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    expected = {"README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "docs/architecture.md"}
    assert expected | {"tests/conftest.py", "notebooks/tour.ipynb"} <= names
    with zipfile.ZipFile(next(released.glob("*.whl"))) as wheel:
        held = set(wheel.namelist())
    files = [path for name in ("asd_jax", "experiments") for path in (ROOT / name).rglob("*") if path.is_file()]
    wanted = {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}
    assert wanted <= held
    others = {name for name in held - wanted if ".dist-info/" not in name}
    assert not others
    assert f"asd_jax-{VERSION}" in next(released.glob("*.whl")).name


@pytest.mark.service
def test_an_installed_wheel_works_outside_the_checkout(installed, machine_tree, tmp_path):
    where = run(
        installed, "-c", "import asd_jax, experiments; print(asd_jax.__file__, experiments.__file__)", cwd=tmp_path
    )
    assert where.count(str(installed.parents[1])) == 2
    assert "lstm_pred" in run(installed, "-m", "experiments", cwd=tmp_path)
    options = ["--machine=fan", f"--data_dir={machine_tree}", "--workdir=run", "--notensorboard", "--noprepare"]
    run(installed, "-m", "experiments.gmm", *options, cwd=tmp_path)
    assert "<html" in (tmp_path / "run" / "report.html").read_text()
    clip = next((machine_tree / "fan" / "test").glob("anomaly_id_00_*.wav"))
    said = run(installed, "-m", "experiments.score", "--checkpoint=run", "--machine_id=id_00", clip, cwd=tmp_path)
    assert "anomalous" in said
    code = "import asd_jax.report as r, pathlib; f = pathlib.Path(r.__file__).parent; print(f / 'live' / 'charts.js')"
    assert Path(run(installed, "-c", code, cwd=tmp_path).strip()).is_file()


def test_every_command_has_a_line():
    found = commands()
    scripts = {path.stem for path in (ROOT / "experiments").glob("*.py") if "launch.run(" in path.read_text()}
    scripts |= {path.stem for path in (ROOT / "experiments").glob("*.py") if "launch.experiment(" in path.read_text()}
    assert set(found["systems"]) | set(found["tools"]) == scripts - {"launch", "commands"}
    assert {"lstm_pred", "supervised"} <= set(found["systems"]) and {"score", "table"} <= set(found["tools"])
    lines = listing().splitlines()
    assert all(len(line) < 150 for line in lines)
    assert all(len(line.split(maxsplit=1)) == 2 for line in lines if line.startswith("  "))


def test_one_version_everywhere():
    assert re.search(r"^version: (.*)$", (ROOT / "CITATION.cff").read_text(), re.M)[1] == VERSION
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert "## [Unreleased]" in changelog and f"## [{VERSION}]" in changelog


def test_commit_hooks_need_no_network():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert set(re.findall(r"repo: (\S+)", hooks)) == {"local"}
    assert set(re.findall(r"language: (\S+)", hooks)) == {"system"}
