"""How scores of clips that a network saw become those of clips that it did not see, of which there are few."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

_PRIOR_CLIPS = 30  # unseen clips at which half of what they show of the spread is believed


@dataclasses.dataclass(frozen=True)
class Gap:
    """How scores of clips that the network was not trained on differ from those of clips that it saw.

    Refitting a scorer does not make the network forget a clip: this does, on average.

    Attributes:
        factor, shift: by which they are higher in the mean: a factor, or where scores may be negative a difference.
        spread: how many times as widely they lie about it: of logarithms, or of the scores themselves.
        of_logs: whether scores are positive.
    """

    factor: float = 1.0
    shift: float = 0.0
    spread: float = 1.0
    of_logs: bool = False

    @classmethod
    def between(cls, pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> "Gap":
        """From the scores of unseen and of seen clips of each machine: a mean over machines, as each has few unseen.

        A network fits odd clips better than others, so that those that it saw lie closer together. How much is known
        from few clips: the logarithm of the ratio of spreads counts as if as many clips again (30) had shown none.
        """
        pairs = [pair for pair in pairs if all(map(len, pair))]
        if not pairs:
            return cls()
        of_logs = min(scores.min() for pair in pairs for scores in pair) > 0
        spread = cls._spread([[np.log(of) if of_logs else of for of in pair] for pair in pairs])
        if of_logs:
            factor = float(np.mean([unseen.mean() / seen.mean() for unseen, seen in pairs]))
            return cls(factor=factor, spread=spread, of_logs=True)
        return cls(shift=float(np.mean([unseen.mean() - seen.mean() for unseen, seen in pairs])), spread=spread)

    @staticmethod
    def _spread(pairs: Sequence[Sequence[np.ndarray]]) -> float:
        squares = [[np.square(of - of.mean()).sum() for of in pair] for pair in pairs]
        free = np.sum([[len(of) - 1 for of in pair] for pair in pairs], axis=0)
        if free.min() < 1:
            return 1.0
        unseen, seen = np.sum(squares, axis=0) / free
        if not unseen > seen > 0:
            return 1.0
        return float((unseen / seen) ** (0.5 * free[0] / (free[0] + _PRIOR_CLIPS)))

    def unseen(self, seen: Float[np.ndarray, " n_seen"]) -> Float[np.ndarray, " n_seen"]:
        """Scores of one machine's clips that the network saw, as if it had not."""
        if not len(seen):
            return seen
        if not self.of_logs:
            return seen.mean() + self.spread * (seen - seen.mean()) + self.shift
        centre = np.exp(np.log(seen).mean())
        wider = centre * (seen / centre) ** self.spread
        return wider * (self.factor * seen.mean() / wider.mean())
