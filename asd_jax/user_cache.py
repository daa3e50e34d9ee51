"""Where this package keeps what it can make again: compiled programs, prepared recordings."""

import os
from pathlib import Path


def folder() -> Path:
    """`asd_jax` below the user's cache folder, `$XDG_CACHE_HOME` or `~/.cache`; it need not exist."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "asd_jax"
