"""Upper tail of Student's t distribution without SciPy, which an exported detector does without."""

import math

_STEPS = 500


def sf(t: float, df: int) -> float:
    """Probability of a value above `t` at `df` degrees of freedom, as `scipy.stats.t.sf`.

    Half the regularised incomplete beta function I_x(df / 2, 1 / 2) at x = df / (df + t²), which keeps its digits far
    out in the tail (Abramowitz and Stegun 26.7.1 and 26.5.8).
    """
    if math.isinf(t):
        return 0.0 if t > 0 else 1.0
    tail = 0.5 * _incomplete_beta(df / 2, 0.5, df / (df + t * t), t * t / (df + t * t))
    return tail if t >= 0 else 1.0 - tail


def isf(share: float, df: int) -> float:
    """The value above which lies a `share` in (0, 1), as `scipy.stats.t.isf`: `sf` inverted by bisection."""
    if share > 0.5:
        return -isf(1.0 - share, df)
    low, high = 0.0, 1.0
    while sf(high, df) > share:
        low, high = high, 2 * high
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if sf(middle, df) > share else (low, middle)
    return high


def _incomplete_beta(a: float, b: float, x: float, rest: float) -> float:
    """I_x(a, b) with `rest` = 1 - x, which is given so that no digits are lost where x is close to 1."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    logs = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    if x < (a + 1) / (a + b + 2):
        return math.exp(logs) * _fraction(a, b, x) / a
    return 1.0 - math.exp(logs) * _fraction(b, a, rest) / b


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function, by the modified method of Lentz."""
    tiny = 1e-300
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1) or tiny)
    result = d
    for m in range(1, _STEPS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d, c = 1.0 / (1.0 + term * d or tiny), 1.0 + term / c or tiny
            result *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return result
