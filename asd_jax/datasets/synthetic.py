"""stub to be replaced"""

NAME = "synthetic"


def load(**kw):
    raise NotImplementedError
