"""The library speaks of settings, as in `` `learning_rate`=0 ``; whoever runs a script reads of flags."""

import re
from collections.abc import Container

from absl import flags

_SETTING = re.compile(r"`([a-z_]+)(=[^`\n]*)?`")
# Settings of the library whose flags have other names, or that a flag asks for by being there.
_FLAGS = {
    "machine_ids": "machine_id",
    "machine_type": "machine",
    "cache_dir=None": "noprepare",
    "evaluation=True": "eval",
}


def in_flags(text: str, known: Container[str] = flags.FLAGS) -> str:
    """A text of the library with `` `name` `` and `` `name=value` `` as `--name` and `--name=value`.

    Args:
        text: such as an InputError's; what stands in backticks and is no flag stays as it is.
        known: names of the flags that there are.
    """

    def flag(match: re.Match[str]) -> str:
        name, value = match[1], match[2] or ""
        if name + value in _FLAGS:
            return f"--{_FLAGS[name + value]}"
        name = _FLAGS.get(name, name)
        return f"--{name}{value}" if name in known else match[0]

    return _SETTING.sub(flag, text)


def say(line: str) -> None:
    """Print a line of the library's."""
    print(in_flags(line))
