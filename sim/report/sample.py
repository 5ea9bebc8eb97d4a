"""A part of the estate instead of all of it: what it is a verdict on, and what luck does in it."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, sqrt
from typing import Final

from sim.metrics import Estimate
from sim.report.servers import Place, places
from sim.report.study import Cell, Study
from sim.report.words import interval, number
from sim.scenario.fields import of_server
from sim.scenario.scale import CENTRAL, is_of_the_estate, scale_of

PEAKS: Final = (
    "This is a sample of the estate: peaks do not scale with it, and capacities are as the scenario"
    " has them. Run all premises, or a part in proportion (estate.scale), to decide."
)
# How sure a sample must be before it says that a second brings more than is passed on, or less.
SURE: Final = 0.95
_LADDER: Final = tuple(Fraction(1, n) for n in (1000, 500, 200, 100, 50, 20, 10, 5, 2, 1))


def is_scaled(cell: Cell) -> bool:
    """Whether *cell* is a part of an estate with all that is of it in proportion."""
    return scale_of(cell.asked) < 1


def preface(study: Study) -> str:
    """Say that a run is no verdict where its premises meet a network that is for others."""
    for cell in study.cells:
        asked = cell.asked
        n, meant = asked.estate.premises, asked.network_for
        if meant is None or n == meant or not is_of_the_estate(asked.network):
            continue
        about = (
            f"Not a verdict on Great Britain: {n:,} premises meet a network that is for {meant:,}"
        )
        if n > meant:
            return f"{about}; say with network_for if it is theirs."
        part = scale_of(asked) * Fraction(n, meant)
        return (
            f"{about}, so that nothing queues here as it would there; give all {meant:,} premises"
            f" and estate.scale: {part}, and the network follows."
        )
    return ""


def doubt(study: Study, of_premises: str) -> tuple[str, ...]:
    """Return what is to be doubted in a sample: of one in proportion its luck, of one by premises
    alone what *of_premises* says.
    """
    if not any(map(is_scaled, study.cells)):
        return (of_premises,)
    return (
        (
            "This is a part of the estate, and what is of the estate is in proportion. Shares, ages"
            " and waits of many minutes carry over; the luck of single seconds is larger here than"
            " in the whole, so peaks and short queues are too. estate.scale: 1 decides."
        ),
    )


def points(study: Study) -> tuple[str, ...]:
    """Say by how much luck moves a second of a scaled network, once for each scale."""
    by_scale = {scale_of(cell.asked): cell for cell in study.cells if is_scaled(cell)}
    return tuple(_error(cell) for _, cell in sorted(by_scale.items()))


def _error(cell: Cell) -> str:
    """Say what part *cell* is, and between which numbers a second varies that has just its fill."""
    scale = scale_of(cell.asked)
    part = (
        f"Scale {scale}: {cell.scenario.estate.premises:,} of {cell.asked.estate.premises:,}"
        " premises, and all that is of the estate in proportion. Numbers of messages and devices"
        " are of this part."
    )
    central = [place for place in places(cell) if place.stage in CENTRAL]
    if not central:
        return part
    least = min(central, key=lambda place: place.capacity)
    (low, high), (below, above) = _ends(least.capacity), _ends(least.capacity / float(scale))
    return (
        f"{part} A second in which {least} has just its fill ({number(least.capacity)} messages"
        f" expected) has {low:,} to {high:,} by luck, 19 times in 20; in the whole, where"
        f" {number(least.capacity / float(scale))} are expected, {below:,} to {above:,}. Busiest"
        " seconds and short queues are larger here than there."
    )


def _ends(expected: float) -> tuple[int, int]:
    """Return between which whole numbers a Poisson number lies 19 times in 20, tails alike."""
    from scipy.special import pdtrik

    tail = (1 - SURE) / 2
    low, high = (ceil(float(pdtrik(p, expected))) for p in (tail, 1 - tail))
    return max(low, 0), high


def exceeds(study: Study, cell: Cell, place: Place) -> bool:
    """Whether more comes to *place* than it passes on, and the luck of a sample does not explain
    it: its busiest second, or its longest queue. In the whole estate nothing needs explaining.
    """
    queue = study.estimate(cell, f"{place.stage}_peak_waiting_n", place.group)
    peak = _busiest(study, cell, place)
    values = (0.0 if one is None else one.value for one in (peak, queue))
    return not is_luck(study, cell, place, *values)


def is_luck(
    study: Study, cell: Cell, place: Place, peak: float, queue: float, part: float = 1
) -> bool:
    """Whether luck explains that *place* has *peak* messages in its busiest second, and a *queue*
    so long, in *part* of the scaled *cell*; of bytes the queue alone tells.
    """
    if not is_scaled(cell) or place.stage not in CENTRAL:
        return False
    capacity, seconds = part * place.capacity, study.window(cell).length_s
    if is_longer_than_luck(queue, capacity, seconds):
        return False
    return place.in_bytes or not is_more_than_luck(peak, capacity, seconds * _n_central(cell))


def is_more_than_luck(peak: float, capacity: float, seconds: int) -> bool:
    """Whether the busiest of so many *seconds* has more messages than luck explains where no more
    than *capacity* is expected in any: less than 1 chance in 20, over all of them.
    """
    from scipy.special import pdtrc

    return float(pdtrc(peak - 1, capacity)) < (1 - SURE) / seconds


def is_longer_than_luck(queue: float, capacity: float, seconds: int) -> bool:
    """Whether a *queue* is longer than luck makes it in so many *seconds* at a server to which
    never more than *capacity* is expected: less than 1 chance in 20 at just its fill, the worst of
    these.

    Its length is then a random walk held above 0 by a wall, whose highest point over n steps of
    variance c passes x with chance 4 (1 − Φ(x ÷ √(c n))) at most.
    """
    from scipy.special import ndtri

    return queue > float(ndtri(1 - (1 - SURE) / 4)) * sqrt(capacity * seconds)


def stays_below(study: Study, cell: Cell) -> bool:
    """Whether no second of *cell* can have had more than its servers pass on, were it the whole: a
    second with just their fill would have shown more, with 19 chances in 20.
    """
    return not is_scaled(cell) or not _doubtful(study, cell)


def _doubtful(study: Study, cell: Cell) -> list[Place]:
    """Return the servers of *cell* at which a storm of the whole estate may hide: all that count
    bytes, for of those only messages are recorded.
    """
    from scipy.special import pdtr

    found = []
    for place in places(cell):
        peak = _busiest(study, cell, place)
        if place.stage not in CENTRAL or peak is None:
            continue
        so_few = float(pdtr(peak.value, _passed_on(cell, place)))
        if place.in_bytes or so_few >= 1 - SURE:
            found.append(place)
    return found


def _passed_on(cell: Cell, place: Place) -> float:
    """Return what *place* passes on in a second at most: its capacity, or less where rows shape it.
    """
    stage = next(one for one in cell.scenario.network if one.stage == place.stage)
    shapes = (row for row in stage.mitigations if row.kind == "shape")
    return min([place.capacity, *(float(of_server(row.rate, place.server)) for row in shapes)])


def _busiest(study: Study, cell: Cell, place: Place) -> Estimate | None:
    return study.estimate(cell, f"{place.stage}_messages_per_s_peak", place.group)


def _n_central(cell: Cell) -> int:
    return sum(place.stage in CENTRAL for place in places(cell))


def cannot_tell(study: Study, cell: Cell) -> str:
    """Say at which server of *cell* luck hides whether it is a storm, and which scale would tell.
    """
    hidden = _doubtful(study, cell) or places(cell)
    place = max(hidden, key=lambda one: _load(study, cell, one))
    peak = _busiest(study, cell, place)
    share, whole = _load(study, cell, place), place.capacity / float(scale_of(cell.asked))
    if place.in_bytes:
        return f"{place} is limited in bytes, and how many come in a second is not recorded"
    told = (
        f"its busiest second brings {interval(peak)} messages to {place}, which passes on"
        f" {number(place.capacity)} here, and in so small a part a second with just as many as are"
        " passed on often shows as few, or more"
    )
    larger = [scale for scale in _LADDER if scale > scale_of(cell.asked)]
    seconds = study.window(cell).length_s
    tells = (scale for scale in larger if _tells(share, whole * float(scale), seconds))
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
