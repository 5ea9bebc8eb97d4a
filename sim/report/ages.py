"""How old wrong records are: for how long the inventory has been wrong where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.report.grids import Grid
from sim.report.lives import called
from sim.report.ranking import of_cells
from sim.report.words import alone, interval

if TYPE_CHECKING:
    from sim.report.study import Cell, Study

MEAN, HALF, MOST = "wrong_age_days_mean", "wrong_age_days_p50", "wrong_age_days_p95"
_RECORDS: Final = "record_wrong_share"
_MOST: Final = 300  # rows of a page


def fits(study: Study) -> bool:
    """Whether *study* asks for records that are wrong, and some are."""
    return _RECORDS in study.metrics and any(study.estimate(cell, MEAN) for cell in study.cells)


def sentence(study: Study) -> str:
    """Say in which cell wrong records are youngest and in which oldest, as far as the run can tell."""
    ranking = of_cells(study, study.cells, MEAN)
    young, old = ranking.lowest, ranking.highest
    if young is old:
        return f"How old wrong records are: {_age(study, old.what)}."
    doubts = [ranking.doubt(end, called) for end in (young, old)]
    return (
        f"How old wrong records are: youngest under {called(young.what)}, {_age(study, young.what)}"
        f"{doubts[0]}; oldest under {called(old.what)}, {_age(study, old.what)}{doubts[1]}."
    )


def _age(study: Study, cell: Cell) -> str:
    mean, half, most = (study.estimate(cell, name) for name in (MEAN, HALF, MOST))
    told = [f"{name} {alone(found, 1, 'd')}" for name, found in (
        ("half of them more than", half), ("one in twenty more than", most),
    ) if found is not None]  # fmt: skip
    return ", ".join([f"on average {interval(mean, 1, 'd')}", *told])


def grid(study: Study) -> tuple[Grid, ...]:
    """Return the ages by cell and type, and their means by region."""
    cells = study.cells
    regions = list(dict.fromkeys(name for cell in cells for name in cell.scenario.estate.regions))
    rows = []
    for cell in cells:
        means = study.groups(cell, MEAN)
        for kind in (name for name in ("all", *means) if "/" not in name):
            if (found := study.estimate(cell, MEAN, kind)) is None:
                continue
            ends = [interval(study.estimate(cell, name, kind)) for name in (HALF, MOST)]
            parts = [interval(means.get(f"{kind}/{region}")) for region in regions]
            name = kind if kind == "all" else kind.upper()
            rows.append((called(cell), name, interval(found), *ends, *parts))
    head = (
        *("world", "device type", "mean age, d", "half older than, d", "1 in 20 older than, d"),
        *(f"mean of {name}, d" for name in regions),
    )
    note = (
        "Age of a wrong record: for how long it has been wrong, at a random moment at which it is."
        " Quantiles are found in bands of half an octave."
    )
    return (Grid("How old wrong records are", head, tuple(rows[:_MOST]), note, page_only=True),)
