"""How old wrong records are: for how long the inventory has been wrong where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.report.contest import in_words
from sim.report.grids import Grid
from sim.report.lives import called, told_levels
from sim.report.ranking import of_cells
from sim.report.words import alone, interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.report.study import Cell, Study

MEAN = "wrong_age_days_mean"
HALF = "wrong_age_days_p50"
MOST = "wrong_age_days_p95"
_RECORDS: Final = "record_wrong_share"
_MOST: Final = 300  # rows of a page


def fits(study: Study) -> bool:
    """Whether *study* asks for records that are wrong, and some are."""
    return _RECORDS in study.metrics and any(study.estimate(cell, MEAN) for cell in study.cells)


def sentence(study: Study) -> str:
    """Say in which cell wrong records are youngest and in which oldest, as far as the run can tell.
    """
    ranking = of_cells(study, study.cells, MEAN)
    young, old = ranking.lowest, ranking.highest
    if young is old or ranking.alike:
        alike = "" if young is old else ", the same in each world"
        return f"How old wrong records are: {_age(study, old.what)}{alike}."
    name_of = naming(study)
    doubts = [ranking.doubt(end, name_of) for end in (young, old)]
    return (
        f"How old wrong records are: youngest under {name_of(young.what)},"
        f" {_age(study, young.what)}{doubts[0]}; oldest under {name_of(old.what)},"
        f" {_age(study, old.what)}{doubts[1]}."
    )


def naming(study: Study) -> Callable[[Cell], str]:
    """Return what names the cells of *study* for readers: by the reporting rule in words, where
    each option has its own, else by the option.
    """
    words = [in_words(cell.scenario) for cell in study.cells]
    pairs = set(zip(words, (cell.option for cell in study.cells), strict=True))
    if not all(cell.option for cell in study.cells) or len(pairs) > len(set(words)):
        return called
    return lambda cell: ", ".join(filter(None, (in_words(cell.scenario), told_levels(cell))))


def _age(study: Study, cell: Cell) -> str:
    mean, half, most = (study.estimate(cell, name) for name in (MEAN, HALF, MOST))
    told = [f"{name} {alone(found, 1, 'd')}" for name, found in (
        ("half of them more than", half), ("one in twenty more than", most),
    ) if found is not None]  # fmt: skip
    return ", ".join([f"on average {interval(mean, 1, 'd')}", *told])


def grid(study: Study) -> tuple[Grid, ...]:
    """Return the ages by cell and type, and their means by region."""
    cells, name_of = study.cells, naming(study)
    regions = list(dict.fromkeys(name for cell in cells for name in cell.scenario.estate.regions))
    rows = []
    for cell in cells:
        means = study.groups(cell, MEAN)
        for kind in (name for name in ("all", *means) if "/" not in name):
            if (found := study.estimate(cell, MEAN, kind)) is None:
                continue
            ends = [study.estimate(cell, name, kind) for name in (HALF, MOST)]
            told = ["–" if end is None else alone(end) for end in ends]
            parts = [interval(means.get(f"{kind}/{region}")) for region in regions]
            name = kind if kind == "all" else kind.upper()
            rows.append((name_of(cell), name, interval(found), *told, *parts))
    head = (
        *("world", "device type", "mean age, d", "half older than, d", "1 in 20 older than, d"),
        *(f"mean of {name}, d" for name in regions),
    )
    note = (
        "Age of a wrong record: for how long it has been wrong, at a random moment at which it is."
        " In brackets, the share of the time that a record is wrong, of all there or of the region;"
        " the quantiles speak of the same records as the mean. They are found in bands of half an"
        " octave."
    )
    return (Grid("How old wrong records are", head, tuple(rows[:_MOST]), note, page_only=True),)
