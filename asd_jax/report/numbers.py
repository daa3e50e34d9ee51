"""Numbers as tables and pages show them."""

from collections.abc import Sequence

from asd_jax.evaluation.results import Interval

UNDEFINED = "undefined"


def number(value: float | None) -> str:
    """`0.902`, or `undefined`."""
    return UNDEFINED if value is None else f"{value:.3f}"


def joined(values: Sequence[float | None]) -> str:
    """`0.902 / 0.829`, or `undefined` where one of them is."""
    return UNDEFINED if None in values else " / ".join(map(number, values))


def signed(value: float, digits: int = 3) -> str:
    """A value with its sign."""
    return f"{value:+.{digits}f}"


def bracketed(interval: Interval | None, sign: str = "") -> str:
    """`[0.858, 0.991]`; empty where there is none."""
    return "" if interval is None else f"[{interval[0]:{sign}.3f}, {interval[1]:{sign}.3f}]"


def with_interval(value: float | None, interval: Interval | None, sign: str = "") -> str:
    """`0.902 [0.858, 0.991]`, the value alone, or `undefined`."""
    return UNDEFINED if value is None else f"{value:{sign}.3f} {bracketed(interval, sign)}".rstrip()


def spread(mean: float, standard_deviation: float) -> str:
    """`0.902 ± 0.010`."""
    return f"{mean:.3f} ± {standard_deviation:.3f}"


def verdict(difference: Interval) -> str:
    """What the 95 % interval of a difference says."""
    low, high = difference
    return "better" if low > 0 else "worse" if high < 0 else "cannot be told apart"
