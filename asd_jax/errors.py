"""The one exception for mistakes a user can make and mend."""


class InputError(ValueError):
    """Bad input: the message is one line that names the file or setting and says what to do."""
