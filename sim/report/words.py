"""Numbers and lists as a working group reads them: rounded to what the interval supports, and never without it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import floor, isfinite, log10

from sim.metrics import Estimate

NO_INTERVAL = "no interval"
DOUBT = "†"  # beside an interval that is known to cover less than it claims


def number(value: float, decimals: int | None = None) -> str:
    """Return *value* with thousands grouped: to *decimals* places (negative: tens, hundreds, ...), or, without, to four digits and whole above a thousand."""
    if not isfinite(value):
        return "unlimited" if value > 0 else "–"
    if decimals is None:
        decimals = 0 if abs(value) >= 1000 or value == int(value) else 3 - floor(log10(abs(value)))
        text = f"{value:,.{max(0, min(decimals, 6))}f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")
    text = f"{round(value, decimals):,.{max(0, decimals)}f}"
    return text.replace("-", "−") if round(value, decimals) else text.replace("-", "")


def rounded(value: float, digits: int) -> str:
    """Return *value* to so many significant *digits*."""
    return number(float(f"{value:.{digits}g}"))


def decimals_of(half_width: float) -> int:
    """Return the decimal place of the second digit of *half_width* (negative: tens, hundreds, ...)."""
    return min(1 - floor(log10(half_width)), 6)


def spread(found: Estimate, scale: float = 1) -> float:
    """Return the half-width times *scale*, 0 where it is only the dust of floating-point sums."""
    return 0.0 if found.half_width <= 1e-9 * abs(found.value) else found.half_width * scale


def interval(found: Estimate | None, scale: float = 1, unit: str = "") -> str:
    """Return "value ± half-width unit", both times *scale*, to the second digit of the half-width, with † where that is doubtful; "–" for None."""
    if found is None:
        return "–"
    value, half_width = found.value * scale, spread(found, scale)
    tail = unit if unit in ("", "×") else f" {unit}"
    if not isfinite(half_width):
        return f"{number(value)}{tail} ({NO_INTERVAL})"
    tail += f" {DOUBT}" if found.warning else ""
    if half_width == 0:
        return f"{number(value)} ± 0{tail}"
    decimals = decimals_of(half_width)
    return f"{number(value, decimals)} ± {number(half_width, decimals)}{tail}"


def percent(found: Estimate | None) -> str:
    """Return a share as "12.3 ± 0.4 %"."""
    return interval(found, 100, "%")


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Return "a", "a and b" or "a, b and c"."""
    return f" {last} ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def counted(n: int, noun: str) -> str:
    """Return "one rule" or "3 rules"; British plurals in s."""
    return f"one {noun}" if n == 1 else f"{n:,} {noun}s"


def duration(seconds: float) -> str:
    """Return *seconds* in the unit that reads best: "12 s", "14 min", "3.4 h", "2.5 days"."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{number(round(seconds / size, 1))} {unit}"
    return f"{number(round(seconds, 1))} s"


def span(seconds: int) -> str:
    """Return whole *seconds* exactly: "23 h 59 min 40 s"."""
    parts = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        n, seconds = divmod(seconds, size)
        parts += [f"{n} {unit}"] if n else []
    return " ".join(parts) or "0 s"


def often(period_s: int) -> str:
    """Return how often a *period_s* is: "a day", "a week", "every 12 h"."""
    return {86_400: "a day", 604_800: "a week", 3_600: "an hour"}.get(period_s, f"every {span(period_s)}")


def tied(text: str) -> str:
    """Return *text* with no-break spaces inside quantities, so that no line ends between a number and its unit, interval or †."""
    return re.sub(r"(?<=[0-9]) (?=[%±])|(?<=±) (?=[0-9])|(?<=[0-9]) (?=(?:s|min|h|d)\b)| (?=†)", "\u00a0", text)
