"""The library speaks of settings, scripts of flags: one becomes the other where a script prints the library's words."""

import re
from collections.abc import Collection

_SETTING = re.compile(r"`(\w+)((?:=[^`\n]*)?)`")
# Settings whose flags have other names, or that a flag asks for by being there.
_FLAGS = {"machine_ids": "machine_id", "cache_dir=None": "noprepare", "evaluation=True": "eval"}


def as_flags(text: str, flags: Collection[str]) -> str:
    """A text in which settings stand in backticks, `` `epochs`=0 `` or `` `epochs=0` ``, with flags as `--epochs=0`.

    Args:
        text: of an error or a note of the library.
        flags: names of the flags there are; a setting that is none loses its backticks only.
    """

    def flag(match: re.Match[str]) -> str:
        name, value = match.groups()
        if name + value in _FLAGS:
            return f"--{_FLAGS[name + value]}"
        return f"--{name}{value}" if name in flags else name + value

    return _SETTING.sub(flag, text)
