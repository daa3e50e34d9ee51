"""The notebook runs from its first cell to its last in a fresh kernel."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
EXECUTE = """
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook, timeout=500, kernel_name="python3", resources={"metadata": {"path": "."}}).execute()
nbformat.write(notebook, sys.argv[2])
"""


def test_the_tour(tmp_path, monkeypatch):
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the checkout's code, whatever is installed
    monkeypatch.delenv("MPLBACKEND", raising=False)
    command = [sys.executable, "-c", EXECUTE, ROOT / "notebooks" / "tour.ipynb", tmp_path / "done.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "runs" / "tour" / "report.html").exists()
    assert (tmp_path / "done.ipynb").read_text().count('"image/png"') == 3
