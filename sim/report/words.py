"""Numbers and lists as a working group reads them: rounded to what the interval supports, and never
without it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from math import isfinite

from sim.metrics import Estimate
from sim.metrics.wording import NO_INTERVAL, number, rounded
from sim.units import DAY_S, HOUR_S, MINUTE_S, listed

__all__ = [
    "NO_INTERVAL",
    "alone",
    "capitalised",
    "counted",
    "duration",
    "interval",
    "lasting",
    "listed",
    "number",
    "often",
    "once",
    "percent",
    "rounded",
    "span",
    "tied",
    "time_of",
]


_UNITS = ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min"), (1, "s"))  # the longest first
_SENTENCE = re.compile(r"(?<=\.) (?=[A-Z0-9‘])")
_CONDITION = re.compile(r" \(of the [^()]*\)")


def interval(found: Estimate | None, scale: float = 1, unit: str = "") -> str:
    """Return *found*, times *scale*, in *unit*, as it is said; "–" for what does not apply."""
    return "–" if found is None else found.said(scale, unit)


def alone(found: Estimate, scale: float = 1, unit: str = "") -> str:
    """Return *found* as `interval` does, of those that the number before it spoke of: whom it
    speaks of was said there.
    """
    return interval(replace(found, condition=None), scale, unit)


def percent(found: Estimate | None) -> str:
    """Return a share as "12.3 ± 0.4 %"."""
    return interval(found, 100, "%")


def once(text: str) -> str:
    """Return *text* with each remark on whom a number speaks of, "(of the 91 % of …)", said once in
    a sentence: there it holds for the numbers that follow.
    """
    return " ".join(map(_once, _SENTENCE.split(text)))


def _once(sentence: str) -> str:
    said: set[str] = set()

    def remark(match: re.Match[str]) -> str:
        is_new = match[0] not in said
        said.add(match[0])
        return match[0] if is_new else ""

    return _CONDITION.sub(remark, sentence)


def capitalised(text: str) -> str:
    """Return *text* with its first letter a capital, the others as they are."""
    return text[:1].upper() + text[1:]


def counted(n: int, noun: str) -> str:
    """Return "one rule" or "3 rules"; British plurals in s."""
    return f"one {noun}" if n == 1 else f"{n:,} {noun}s"


def duration(seconds: float) -> str:
    """Return *seconds* in the unit that reads best: "12 s", "14 min", "3.4 h", "2.5 days"."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{number(round(seconds / size, 1))} {unit}"
    return f"{number(round(seconds, 1))} s"


def lasting(found: Estimate | None) -> str:
    """Return a time without its interval, in the unit that reads best, and whom it speaks of."""
    if found is None:
        return "–"
    return (duration(found.value) if isfinite(found.value) else found.never) + found.about


def time_of(found: Estimate, length_s: int) -> str:
    """Return *found*, a number of times *length_s* seconds or a share of them, as a time with its
    interval, in the unit that reads best.
    """
    lasts_s = found.value * length_s
    size, unit = next(pair for pair in _UNITS if pair[0] == 1 or lasts_s >= 2 * pair[0])
    return interval(found, length_s / size, unit)


def span(seconds: int) -> str:
    """Return whole *seconds* exactly: "23 h 59 min 40 s"."""
    parts = []
    for size, unit in _UNITS:
        n, seconds = divmod(seconds, size)
        parts += [f"{n} {unit}"] if n else []
    return " ".join(parts) or "0 s"


def often(period_s: int) -> str:
    """Return how often a *period_s* is: "a day", "a week", "every 12 h"."""
    return {86_400: "a day", 604_800: "a week", 3_600: "an hour"}.get(
        period_s, f"every {span(period_s)}"
    )


def tied(text: str) -> str:
    """Return *text* with no-break spaces inside quantities, so that no line ends between a number
    and its unit or interval.
    """
    return re.sub(
        r"(?<=[0-9]) (?=[%±])|(?<=±) (?=[0-9])|(?<=[0-9]) (?=(?:s|min|h|d)\b)", "\u00a0", text
    )
