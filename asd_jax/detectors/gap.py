"""How scores of clips that a network saw become those of clips that it did not see, of which there are few."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

_PRIOR_CLIPS = 30  # unseen clips at which half of what they show of the spread is believed


@dataclasses.dataclass(frozen=True)
class Gap:
    """How scores of a machine's clips that the network was not trained on differ from those of clips that it saw.

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
    def of_machines(cls, pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> "list[Gap]":
        """The gap of each machine, from its scores of unseen and of seen clips, either of which may be empty.

        A machine has few unseen clips. How much higher they score is therefore a mean over machines, from which each
        departs as far as the machines differ by more than such few clips would by chance: the estimate of a random
        effect, the variance between machines by moments (DerSimonian and Laird, Controlled Clinical Trials, 1986). A
        network also fits odd clips better than ordinary ones, so that those it saw lie closer together. Of the spread
        few clips tell little: the logarithm of the ratio counts as if 30 clips more had shown none.
        """
        known = [pair for pair in pairs if all(map(len, pair))]
        if not known:
            return [cls()] * len(pairs)
        of_logs = min(scores.min() for pair in known for scores in pair) > 0
        scaled = [[np.log(of) if of_logs else of for of in pair] for pair in known]
        squares = np.sum([[np.square(of - of.mean()).sum() for of in pair] for pair in scaled], axis=0)
        free = np.sum([[len(of) - 1 for of in pair] for pair in scaled], axis=0)
        means = [(unseen.mean(), seen.mean()) for unseen, seen in known]
        higher = np.asarray([np.log(a / b) if of_logs else a - b for a, b in means])
        mean, own = float(higher.mean()), iter(_pooled(higher, np.asarray([len(of) for of, _ in known]), squares, free))
        spread = _spread(squares, free)

        def gap(by: float) -> Gap:
            return cls(float(np.exp(by)), 0.0, spread, True) if of_logs else cls(1.0, by, spread)

        return [gap(float(next(own)) if all(map(len, pair)) else mean) for pair in pairs]

    def unseen(self, seen: Float[np.ndarray, " n_seen"]) -> Float[np.ndarray, " n_seen"]:
        """Scores of one machine's clips that the network saw, as if it had not."""
        if not len(seen):
            return seen
        if not self.of_logs:
            return seen.mean() + self.spread * (seen - seen.mean()) + self.shift
        centre = np.exp(np.log(seen).mean())
        wider = centre * (seen / centre) ** self.spread
        return wider * (self.factor * seen.mean() / wider.mean())


def _pooled(higher: np.ndarray, count: np.ndarray, squares: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Each machine's difference, drawn to their mean as far as its unseen clips are few."""
    if len(higher) < 2 or free[0] < 1:
        return np.full(len(higher), higher.mean())
    by_chance = squares[0] / free[0] / count
    between = max(0.0, float(higher.var(ddof=1) - by_chance.mean()))
    own = between / (between + by_chance) if between > 0 else np.zeros(len(higher))
    return higher.mean() + own * (higher - higher.mean())


def _spread(squares: np.ndarray, free: np.ndarray) -> float:
    if free.min() < 1:
        return 1.0
    unseen, seen = squares / free
    if not unseen > seen > 0:  # no network fits unseen clips more evenly, except by chance
        return 1.0
    return float((unseen / seen) ** (0.5 * free[0] / (free[0] + _PRIOR_CLIPS)))
