"""What the library says of settings, as the user of a script reads it."""

import pytest
from absl import flags

from experiments.wording import in_flags

KNOWN = {"learning_rate", "threshold", "skip_bad_files", "machine_id", "prepare"}


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("`learning_rate`=0: give a number above 0", "--learning_rate=0: give a number above 0"),
        ("record more, or take `threshold=gamma_0.9`", "record more, or take --threshold=gamma_0.9"),
        ("a.wav is empty; pass `skip_bad_files`", "a.wav is empty; pass --skip_bad_files"),
        ("`machine_ids`=id_09: not in data", "--machine_id=id_09: not in data"),
        ("or pass `cache_dir=None`", "or pass --noprepare"),
        ("`threshold` or `learning_rate=1e-3`", "--threshold or --learning_rate=1e-3"),
        ("`window` and `load_detector(RUN)` are no flags", "`window` and `load_detector(RUN)` are no flags"),
        ("no settings, no change: a=1, --threshold", "no settings, no change: a=1, --threshold"),
    ],
)
def test_settings_become_flags_where_there_are_such(said, read):
    assert in_flags(said, KNOWN) == read


def test_the_flags_that_are_defined_are_known_by_default():
    flags.DEFINE_bool("known_to_this_test", False, "Nothing.")
    assert in_flags("pass `known_to_this_test`") == "pass --known_to_this_test"
    delattr(flags.FLAGS, "known_to_this_test")
