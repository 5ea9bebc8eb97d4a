"""Numbers as a working group reads them: the one formatter that every sentence, table and notebook
passes. A number is rounded to what its interval supports, and never stands without that, nor
without the share of all that it speaks of.
"""

from __future__ import annotations

from math import floor, isfinite, log10
from typing import Final, Protocol

NO_INTERVAL: Final = "no interval"
EVEN: Final = 0.05  # arms that differ by less, in half-widths, are even to two digits
NEARLY_EVEN: Final = 0.25  # and by less than this, to one
UNREACHED: Final = "not reached"  # what the caution of a value begins with that some replications lack
_DUST: Final = 1e-9  # of a value: what floating-point sums leave


class Said(Protocol):
    """What can be said as a number with its interval: see `sim.metrics.estimates.Estimate`."""

    @property
    def value(self) -> float: ...
    @property
    def half_width(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def unit(self) -> str: ...
    @property
    def never(self) -> str: ...
    @property
    def caution(self) -> str: ...
    @property
    def about(self) -> str: ...


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
    """Return the decimal place of the last of so many *digits* of *half_width* (negative: tens, …)."""
    return min(digits - 1 - floor(log10(half_width)), 6)


def interval(found: Said | None, scale: float = 1, unit: str = "") -> str:
    """Return *found*, times *scale*, in *unit*: "12.3 ± 0.4 s", to the digits its interval allows.

    A lopsided interval, or one that ± would take out of its range, is said by its ends: "0.13 %
    (0 to 0.4 %)". What was the same in all replications stands alone; what was never reached says
    so; "–" is what does not apply. Whom it speaks of follows in brackets, where that is not all.
    """
    if found is None:
        return "–"
    if found.value == float("inf"):
        return found.never + found.caution.removeprefix(UNREACHED) + found.about
    tail = unit if unit in ("", "×") else f" {unit}"
    text = _with_its_error(found, scale, tail)
    if found.about and text.endswith(")"):
        return f"{text[:-1]}; {found.about.removeprefix(' (')}"
    return text + found.about


def _with_its_error(found: Said, scale: float, tail: str) -> str:
    """Return the value with its interval, whatever it speaks of."""
    value, half = found.value * scale, found.half_width * scale
    if not isfinite(half):
        return f"{number(value)}{tail} ({NO_INTERVAL})"
    if half <= _DUST * abs(value):
        return f"{number(value)}{tail}"
    for digits, uneven in ((2, EVEN), (1, NEARLY_EVEN)):
        decimals = decimals_of(half, digits)
        if _unevenness(found) < uneven and not _crosses(found, scale, decimals):
            return f"{number(value, decimals)} ± {number(half, decimals)}{tail}"
    decimals = decimals_of(half)
    low, high = (_end(end * scale, decimals) for end in (found.low, found.high))
    return f"{number(value, decimals)}{tail} ({low} to {high}{tail})"


def _end(value: float, decimals: int) -> str:
    """Return an end of an interval; nought is nought, and what is not is not said to be."""
    if round(value, decimals):
        return number(value, decimals)
    return number(float(f"{value:.1g}")) if value else "0"


def _unevenness(found: Said) -> float:
    """Return by how many half-widths the arms of the interval differ."""
    return abs((found.high - found.value) - (found.value - found.low)) / found.half_width


def _crosses(found: Said, scale: float, decimals: int) -> bool:
    """Return whether ±, as printed, would leave the range that the interval keeps to."""
    value, half = (round(each * scale, decimals) for each in (found.value, found.half_width))
    if (found.low > 0 and value - half <= 0) or (found.high < 0 and value + half >= 0):
        return True
    if found.unit == "share" and found.high <= 1 and value + half > scale * (1 + _DUST):
        return True
    return found.low >= 0 > value - half + _DUST * abs(value)


def percent(found: Said | None) -> str:
    """Return a share as "12.3 ± 0.4 %"."""
    return interval(found, 100, "%")
