"""The second size of a run: whether what it concludes stands at half the size too."""

from __future__ import annotations

from sim.report import sample, storm
from sim.report.general import asked, main, words
from sim.report.lives import called
from sim.report.moments import Storm, plain
from sim.report.ranking import excludes_nought, of_cells
from sim.report.servers import places
from sim.report.study import Cell, Study
from sim.report.words import listed
from sim.scenario.scale import CENTRAL

Values = dict[tuple[str, str, str], float]  # cell, metric, group


def points(study: Study) -> tuple[str, ...]:
    """Say which conclusion turns at half the size, or that none does; nothing without one."""
    half = study.results.half
    if half is None or len(study.cells) < 2:
        return ()
    turned = [*_storms(study, half), *_ends(study, half)]
    if not turned:
        return ("At half this size, with one replication, it says the same.",)
    return (
        f"This turns with the size of the sample: at half of it, with one replication, {listed(turned)}."
        " A larger scale decides.",
    )


def _storms(study: Study, half: Values) -> list[str]:
    """Return in which cells there is a storm at one size and none at the other."""
    if not storm.fits(study):
        return []
    full, turned = Storm(study), []
    for cell in full.cells:
        is_storm = _is_storm(study, full.silent(cell), cell, half)
        if is_storm and full.is_calm(cell):
            turned.append(f"{plain(cell)} makes a storm")
        if not is_storm and full.is_storm(cell):
            turned.append(f"{plain(cell)} makes none")
    return turned


def _is_storm(study: Study, silent: Cell, cell: Cell, half: Values) -> bool:
    """Whether more waits in *cell* at half the size than in the *silent* one, by more than luck."""
    for place in places(cell):
        waiting = f"{place.stage}_waiting_share"
        more = half.get((cell.name, waiting, place.group), 0.0)
        peak = half.get((cell.name, f"{place.stage}_messages_per_s_peak", place.group), 0.0)
        less = half.get((silent.name, waiting, place.group), 0.0)
        is_scaled = sample.is_scaled(study) and place.stage in CENTRAL
        capacity = place.capacity / 2 if is_scaled else place.capacity
        seconds = study.window(cell).length_s
        if more > less and (not is_scaled or sample.is_more_than_luck(peak, capacity, seconds)):
            return True
    return False


def _ends(study: Study, half: Values) -> list[str]:
    """Return where the metric that the answer turns on is lowest, or highest, at half the size, and
    the run tells that cell from its own.
    """
    metrics = asked(study)
    if not metrics:
        return []
    name = main(study, metrics)
    ranking = of_cells(study, study.cells, name)
    there = {entry.what.name: half.get((entry.what.name, name, "all")) for entry in ranking.entries}
    found = {cell: value for cell, value in there.items() if value is not None}
    if len(found) < len(ranking.entries) or len(found) < 2:
        return []
    turned = []
    for word, end, choose in (("lowest", ranking.lowest, min), ("highest", ranking.highest, max)):
        other = next(one for one in study.cells if one.name == choose(found, key=found.__getitem__))
        apart = study.paired(other, end.what, name)
        is_another = found[other.name] != found[end.what.name]
        if is_another and apart is not None and excludes_nought(apart):
            turned.append(f"{words(name)} is {word} in {called(other)}, not in {called(end.what)}")
    return turned
