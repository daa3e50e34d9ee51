"""Compiled programs kept on disk, so that a second start compiles nothing."""

import hashlib
import platform
from pathlib import Path

import jax

from asd_jax import files


def folder() -> Path:
    """`asd_jax/<key>` below the user's cache folder; the key tells apart versions of JAX and processors.

    A program compiled for a CPU uses the instructions of that CPU, and home folders are shared between machines.
    """
    parts = [jax.__version__, jax.lib.__version__, platform.python_version(), platform.machine(), _processor()]
    return files.cache_folder() / hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def enable() -> None:
    """Keep every compiled program; a folder or a refusal that the user gave to JAX itself is left as it is."""
    if jax.config.jax_compilation_cache_dir or not jax.config.jax_enable_compilation_cache:
        return
    path = folder()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        return  # a home folder that cannot be written: compile as if there were no cache
    jax.config.update("jax_compilation_cache_dir", str(path))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)  # by default only what took over a second
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _processor() -> str:
    """Model and instruction sets, where the system tells."""
    try:
        with open("/proc/cpuinfo") as file:
            return "".join(sorted({line for line in file if line.startswith(("model name", "flags", "Features"))}))
    except OSError:
        return platform.processor()
