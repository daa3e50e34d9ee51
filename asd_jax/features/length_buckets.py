"""Few lengths from many, so that a folder of mixed lengths does not compile once a file."""

import math


class LengthBuckets:
    """Map a length to the length it is padded to.

    The first few distinct lengths stand for themselves: most folders hold one length, and padding it would cost
    time for nothing. Beyond those a length is rounded up on a geometric scale of four steps an octave, so that at
    most a fifth of a padded clip is padding and the number of compiled programs grows with the logarithm.
    """

    def __init__(self, n_exact: int = 3) -> None:
        self._n_exact = n_exact
        self._exact: set[int] = set()

    def __call__(self, length: int) -> int:
        """Padded length, at least `length`; the same for the same sequence of calls."""
        if length in self._exact:
            return length
        if len(self._exact) < self._n_exact:
            self._exact.add(length)
            return length
        return max(length, math.ceil(2 ** (math.ceil(4 * math.log2(max(length, 1))) / 4)))
