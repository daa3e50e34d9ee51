"""The one exception for mistakes a user can make and mend."""


class InputError(ValueError):
    """Bad input: the message is one line that names the file or setting and says what to do.

    A setting stands in backticks by its own name, as in `` `learning_rate`=0: give a number above 0 `` and `` pass
    `skip_bad_files` ``; scripts show their flags in its place (`experiments/wording.py`).
    """
