"""Numbers as a working group reads them: rounded to what their interval supports, and never without
it. `sim.metrics.estimates.Estimate.said`, which every sentence, table and notebook passes, adds
whom a number speaks of.
"""

from __future__ import annotations

from math import floor, inf, isfinite, log10
from typing import Final

NO_INTERVAL: Final = "no interval"
EVEN: Final = 0.05  # arms that differ by less, in half-widths, are even to two digits
NEARLY_EVEN: Final = 0.25  # and by less than this, to one
UNREACHED: Final = (
    "not reached"  # what the caution of a value begins with that some replications lack
)
_DUST: Final = 1e-9  # of a value: what floating-point sums leave


def number(value: float, decimals: int | None = None) -> str:
    """Return *value* with thousands grouped: to *decimals* places (negative: tens, hundreds, …),
    or, without, to four digits, and whole above a thousand.
    """
    if not isfinite(value):
        return "unlimited" if value > 0 else "–"
    if decimals is None:
        whole = abs(value) >= 1000 or value == int(value)
        decimals = 0 if whole else 3 - floor(log10(abs(value)))
        text = f"{value:,.{max(0, min(decimals, 6))}f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")
    text = f"{round(value, decimals):,.{max(0, decimals)}f}"
    return text.replace("-", "−") if round(value, decimals) else text.replace("-", "")


def rounded(value: float, digits: int) -> str:
    """Return *value* to so many significant *digits*."""
    return number(float(f"{value:.{digits}g}"))


def decimals_of(half_width: float, digits: int = 2) -> int:
    """Return the decimal place of the last of so many *digits* of *half_width* (negative: tens, …).
    """
    return min(digits - 1 - floor(log10(half_width)), 6)


def with_interval(
    value: float, half: float, ends: tuple[float, float], unit: str = "", most: float = inf
) -> str:
    """Return "12.3 ± 0.4 s", to the digits that the interval *ends*, of half-width *half*, allow.

    A lopsided interval, or one that ± would take below nought, above the *most* that a value can
    be, or onto nought where it is not, is said by its ends: "0.13 % (0 to 0.4 %)". What was the
    same in all replications stands alone.
    """
    tail = unit if unit in ("", "×") else f" {unit}"
    if not isfinite(half):
        return f"{number(value)}{tail} ({NO_INTERVAL})"
    if half <= _DUST * abs(value):
        return f"{number(value)}{tail}"
    low, high = ends
    uneven = abs((high - value) - (value - low)) / half
    for digits, bearable in ((2, EVEN), (1, NEARLY_EVEN)):
        decimals = decimals_of(half, digits)
        printed = round(value, decimals), round(half, decimals)
        if uneven < bearable and not _crosses(*printed, ends, most):
            return f"{number(value, decimals)} ± {number(half, decimals)}{tail}"
    decimals = decimals_of(half)
    return (
        f"{number(value, decimals)}{tail} ({_end(low, decimals)} to {_end(high, decimals)}{tail})"
    )


def _crosses(value: float, half: float, ends: tuple[float, float], most: float) -> bool:
    """Return whether *value* ± *half* would leave the range that the interval keeps to."""
    low, high = ends
    onto_nought = (low > 0 and value - half <= 0) or (high < 0 and value + half >= 0)
    below_nought = low >= 0 > value - half + _DUST * abs(value)
    above_most = high <= most < (value + half) * (1 - _DUST)
    return onto_nought or below_nought or above_most


def _end(value: float, decimals: int) -> str:
    """Return an end of an interval; nought is nought, and what is not is not said to be."""
    if round(value, decimals):
        return number(value, decimals)
    return number(float(f"{value:.1g}")) if value else "0"
