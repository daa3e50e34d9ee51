"""Settings of all tests: JAX's strict modes, the folder of real recordings, tests that need a GPU."""

import os
from pathlib import Path

import jax
import numpy as np
import pytest
import soundfile

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")


def pytest_configure(config):
    """Compiled programs are shared by the tests' processes, and by the scripts that tests start; so are the cores."""
    cache = config.rootpath / ".pytest_cache" / "jax"
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
    jax.config.update("jax_compilation_cache_dir", os.environ["JAX_COMPILATION_CACHE_DIR"])
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    # Inherited by the processes that are started after this. Threads of BLAS and OpenMP wait for one another by
    # spinning: where each process has one a core, fitting mixtures took twice as long.
    n_processes = getattr(config.option, "numprocesses", None) or 1
    if n_processes > 1:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ.setdefault(name, str(max(1, (os.cpu_count() or 1) // n_processes)))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """What tests prepare and fetch stays out of the user's cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real recordings, from the environment variable ASD_JAX_REAL_DATA; the test skips without it."""
    folder = os.environ.get("ASD_JAX_REAL_DATA")
    if not folder:
        pytest.skip("set ASD_JAX_REAL_DATA to the folder of real recordings")
    return Path(folder)


# Begun first, in this order: a file goes to one process, and nobody should be left alone with one of these at the end.
_LONG = (
    "test_multi_branch",
    "test_embedding_runs",
    "test_end_to_end",
    "test_notebook",
    "test_features_flag",
    "test_extending",
    "test_members",
    "test_several_machines",
    "test_classical",
    "test_bad_input",
    "test_benchmarks",
)


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what -m leaves out
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: _LONG.index(item.path.stem) if item.path.stem in _LONG else len(_LONG))
    for item in items:
        if "service" in item.keywords:
            item.add_marker(pytest.mark.slow)
    if jax.default_backend() == "gpu":
        return
    for item in items:
        if "gpu" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="no GPU here"))


@pytest.fixture(scope="session")
def machine_tree(tmp_path_factory) -> Path:
    """A small DCASE 2020 tree: a humming machine of two ids, 12 training and 3 + 3 test clips each, 1.0 or 1.3 s.

    The anomaly is a second tone, so loud that any sane detector hears it.
    """
    root = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(0)
    for number, hum in ((0, 180.0), (2, 310.0)):
        for split, label, count in (("train", "normal", 12), ("test", "normal", 3), ("test", "anomaly", 3)):
            for index in range(count):
                time = np.arange(16_000 + 4_800 * (index == 2)) / 16_000
                waveform = 0.1 * np.sin(2 * np.pi * hum * time) + 0.02 * rng.standard_normal(len(time))
                if label == "anomaly":
                    waveform += 0.1 * np.sin(2 * np.pi * 3_000 * time)
                path = root / "fan" / split / f"{label}_id_{number:02d}_{index:08d}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, waveform, 16_000, subtype="PCM_16")
    return root
