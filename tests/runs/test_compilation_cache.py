import os
import subprocess
import sys

import pytest

from asd_jax.runs import compilation_cache

PROGRAM = """
import jax, jax.numpy as jnp
from asd_jax.runs import compilation_cache
compilation_cache.enable()
jax.jit(lambda x: jnp.tanh(x) @ x)(jnp.ones((4, 4))).block_until_ready()
"""


@pytest.mark.slow
def test_a_second_start_compiles_nothing(tmp_path):
    def start():
        environment = {k: v for k, v in os.environ.items() if not k.startswith("JAX_")}
        environment |= {"XDG_CACHE_HOME": str(tmp_path), "JAX_LOG_COMPILES": "1"}
        subprocess.run([sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True)
        return {path.name for path in tmp_path.rglob("*-cache")}

    first = start()
    assert any("lambda" in name for name in first)
    assert start() == first


def test_the_users_own_folder_stays(monkeypatch, tmp_path):
    import jax

    monkeypatch.setattr(jax.config, "update", None)  # nothing may be set
    compilation_cache.enable()  # the tests have a folder of their own
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert compilation_cache.folder().parent == tmp_path / "asd_jax"
