"""The library speaks of settings, scripts of flags: one becomes the other where a script prints the library's words."""

import re
from collections.abc import Collection


def as_flags(text: str, flags: Collection[str]) -> str:
    """A text in which settings stand in backticks, `` `epochs=0` ``, with those that are flags as `--epochs=0`.

    Args:
        text: of an error or a note of the library.
        flags: names of the flags there are; a setting that is none loses its backticks only.
    """
    return re.sub(r"`(\w+)((?:=[^`]*)?)`", lambda m: f"{'--' if m[1] in flags else ''}{m[1]}{m[2]}", text)
