"""A part of the estate instead of all of it: what it is a verdict on, and what luck does in it."""

from __future__ import annotations

from fractions import Fraction
from math import sqrt
from typing import Final

from sim.metrics import Estimate
from sim.report.servers import Place, places
from sim.report.study import Cell, Study
from sim.report.words import interval, number, rounded
from sim.scenario.scale import CENTRAL, scale_of

PEAKS: Final = (
    "This is a sample of the estate: peaks do not scale with it, and capacities are as the scenario has"
    " them. Run all premises, or a part in proportion (estate.scale), to decide."
)
# How sure a sample must be before it says that a second brings more than a server passes on, or less.
SURE: Final = 0.95
_Z: Final = 1.96  # standard deviations of a 95 % interval
_LADDER: Final = tuple(Fraction(1, n) for n in (1000, 500, 200, 100, 50, 20, 10, 5, 2, 1))


def is_scaled(study: Study) -> bool:
    """Whether any cell of *study* is a part of an estate with all that is of it in proportion."""
    return any(scale_of(cell.asked) < 1 for cell in study.cells)


def preface(study: Study) -> str:
    """Say that a run is no verdict where its premises meet a network that is for others."""
    for cell in study.cells:
        asked = cell.asked
        n, meant = asked.estate.premises, asked.network_for
        if meant is not None and n != meant and places(cell):
            part = Fraction(n, meant)
            cure = (
                f"give all {meant:,} premises and estate.scale: {part}, and the network follows"
                if part < 1
                else "say with network_for if it is theirs"
            )
            return (
                f"Not a verdict on Great Britain: {n:,} premises meet a network that is for"
                f" {meant:,}, so that nothing queues here as it would there; {cure}."
            )
    return ""


def doubt(study: Study, of_premises: str) -> tuple[str, ...]:
    """Return what is to be doubted in a sample: of one in proportion its luck, of one by premises
    alone what *of_premises* says.
    """
    if not is_scaled(study):
        return (of_premises,)
    return (
        "This is a part of the estate, and what is of the estate is in proportion. Shares, ages and"
        " waits of many minutes carry over; the luck of single seconds is larger here than in the"
        " nation, so peaks and short queues are too. estate.scale: 1 decides.",
    )


def points(study: Study) -> tuple[str, ...]:
    """Say by how much luck moves a second of a scaled network: the error of the scale."""
    cell = next((cell for cell in study.cells if scale_of(cell.asked) < 1), None)
    if cell is None:
        return ()
    told = (
        f"Scale {scale_of(cell.asked)}: {cell.scenario.estate.premises:,} of"
        f" {cell.asked.estate.premises:,} premises, and all that is of the estate in proportion."
        " Numbers of messages and devices are of this part."
    )
    central = [place for place in places(cell) if place.stage in CENTRAL and place.capacity]
    if not central:
        return (told,)
    least = min(central, key=lambda place: place.capacity)
    here, there = (
        f"{rounded(100 * _Z / sqrt(capacity), 2)} %"
        for capacity in (least.capacity, least.capacity / float(scale_of(cell.asked)))
    )
    return (
        f"{told} A second in which {least} has just its fill ({number(least.capacity)} messages)"
        f" varies by ± {here} by luck, in the nation by ± {there}: busiest seconds and short queues"
        " are larger here than there.",
    )


def exceeds(study: Study, cell: Cell, place: Place) -> bool:
    """Whether more comes to *place* in some second than it passes on, and the luck of a sample does
    not explain it: less than 1 chance in 20 that any second of the window brings so many, were the
    nation's load never above capacity. In the nation itself nothing needs explaining.
    """
    peak = _busiest(study, cell, place)
    if scale_of(cell.asked) == 1 or place.stage not in CENTRAL or peak is None:
        return True
    return is_more_than_luck(peak.value, place.capacity, study.window(cell).length_s)


def is_more_than_luck(peak: float, capacity: float, seconds: int) -> bool:
    """Whether the busiest of so many *seconds* has more messages than luck explains where no more
    than *capacity* is expected in any.
    """
    from scipy.special import pdtrc

    return float(pdtrc(peak - 1, capacity)) < (1 - SURE) / seconds


def stays_below(study: Study, cell: Cell) -> bool:
    """Whether no second of *cell* can have had more than its servers pass on, were it the nation: a
    second with just their fill would have shown more, with 19 chances in 20.
    """
    return scale_of(cell.asked) == 1 or not _doubtful(study, cell)


def _doubtful(study: Study, cell: Cell) -> list[Place]:
    """Return the servers of *cell* at which a storm of the nation may hide."""
    from scipy.special import pdtr

    found = []
    for place in places(cell):
        peak = _busiest(study, cell, place)
        if place.stage not in CENTRAL or peak is None:
            continue
        if float(pdtr(peak.value, place.capacity)) >= 1 - SURE:  # so few, or fewer
            found.append(place)
    return found


def _busiest(study: Study, cell: Cell, place: Place) -> Estimate | None:
    return study.estimate(cell, f"{place.stage}_messages_per_s_peak", place.group)


def cannot_tell(study: Study, cell: Cell) -> str:
    """Say at which server of *cell* luck hides whether it is a storm, and which scale would tell."""
    place = max(_doubtful(study, cell), key=lambda one: _load(study, cell, one))
    peak = _busiest(study, cell, place)
    assert peak is not None
    told = (
        f"in its busiest second {interval(peak)} messages come to {place}, which passes on"
        f" {number(place.capacity)} here, and luck moves so full a second by more than that"
    )
    share, whole = _load(study, cell, place), place.capacity / float(scale_of(cell.asked))
    seconds = study.window(cell).length_s
    tells = (scale for scale in _LADDER if _tells(share, whole * float(scale), seconds))
    enough = next(tells, None)
    if enough is None:
        return told
    which = "only the whole estate" if enough == 1 else f"a scale of about {enough}"
    return f"{told}; {which} would tell"


def _load(study: Study, cell: Cell, place: Place) -> float:
    """Return what comes to *place* in its busiest quarter of an hour, ÷ capacity."""
    left = study.estimate(cell, f"{place.stage}_headroom_share", place.group)
    return 0.0 if left is None else 1 - left.value


def _tells(share: float, capacity: float, seconds: int) -> bool:
    """Whether a load of *share* of *capacity* would be seen to stay below it in every second."""
    from scipy.special import pdtr, pdtrik

    most = float(pdtrik(1 - (1 - SURE) / seconds, share * capacity)) if share else 0.0
    return share < 1 and float(pdtr(most, capacity)) < 1 - SURE
