"""The real recordings that parity is tested on, from the folder that ASD_JAX_REAL_DATA names."""

import os
from pathlib import Path

import pytest
import soundfile


def _real_clips() -> list:
    root = os.environ.get("ASD_JAX_REAL_DATA")
    files = sorted(Path(root, "dcase2020_real_clips").glob("*/*.wav")) if root else []
    if not files:
        reason = "set ASD_JAX_REAL_DATA to a folder with dcase2020_real_clips/"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="no-real-clips")]
    return [pytest.param(file, id=f"{file.parent.name}-{file.stem}") for file in files]


@pytest.fixture(params=_real_clips())
def real_clip(request):
    """Samples (float32) and sample rate of one recording after the other."""
    return soundfile.read(request.param, dtype="float32")
