"""Settings of all tests: JAX's strict modes, the folder of real recordings, tests that need a GPU."""

import os
from pathlib import Path

import jax
import pytest

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real recordings, from the environment variable ASD_JAX_REAL_DATA; the test skips without it."""
    folder = os.environ.get("ASD_JAX_REAL_DATA")
    if not folder:
        pytest.skip("set ASD_JAX_REAL_DATA to the folder of real recordings")
    return Path(folder)


def pytest_collection_modifyitems(items):
    if jax.default_backend() == "gpu":
        return
    for item in items:
        if "gpu" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="no GPU here"))
