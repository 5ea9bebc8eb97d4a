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

Values = dict[tuple[str, str, str], float]  # cell, metric, group


def points(study: Study) -> tuple[str, ...]:
    """Say what was looked at again at half the size, and whether it turns; nothing where nothing
    was.
    """
    half = study.results.half
    if half is None or len(study.cells) < 2:
        return ()
    looked: list[str] = []
    turned = [*_storms(study, half, looked), *_ends(study, half, looked)]
    if turned:
        return (
            "This turns with the size of the sample: at half of it, with one replication,"
            f" {listed(turned)}. A larger scale decides.",
        )
    if not looked:
        return ()
    return (f"At half this size, with one replication, it is the same {listed(looked)}.",)


def _storms(study: Study, half: Values, looked: list[str]) -> list[str]:
    """Return in which cells there is a storm at one size and none at the other; add to *looked*."""
    if not storm.fits(study):
        return []
    full = Storm(study)
    there = {cell.name: _is_storm(study, full.silent(cell), cell, half) for cell in full.cells}
    if any(is_storm is None for is_storm in there.values()):
        return []
    looked.append("which ways of choosing the moment make a storm")
    turned = [
        f"{plain(cell)} makes a storm"
        for cell in full.cells
        if there[cell.name] and full.is_calm(cell)
    ]
    return turned + [
        f"{plain(cell)} makes none"
        for cell in full.cells
        if not there[cell.name] and full.is_storm(cell)
    ]


def _is_storm(study: Study, silent: Cell, cell: Cell, half: Values) -> bool | None:
    """Whether more waits in *cell* at half the size than in the *silent* one, by more than luck;
    None where that was not measured.
    """
    found, seconds = False, study.window(cell).length_s
    for place in places(cell):
        names = (f"{place.stage}_{name}" for name in ("waiting_share", "peak_waiting_n"))
        (more, queue) = (half.get((cell.name, name, place.group)) for name in names)
        less = half.get((silent.name, f"{place.stage}_waiting_share", place.group))
        peak = half.get((cell.name, f"{place.stage}_messages_per_s_peak", place.group))
        if more is None or less is None or queue is None or peak is None:
            return None
        capacity = place.capacity / 2
        is_luck = sample.is_scaled(cell) and not (
            sample.is_more_than_luck(peak, capacity, seconds)
            or sample.is_longer_than_luck(queue, capacity, seconds)
        )
        found = found or (more > less and not is_luck)
    return found


def _ends(study: Study, half: Values, looked: list[str]) -> list[str]:
    """Return where the metric that the answer turns on is lowest, or highest, at half the size, and
    the run tells that cell from its own; add to *looked*.
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
    looked.append(f"where {words(name)} is lowest and highest, as far as this run tells")
    turned = []
    for word, end, choose in (("lowest", ranking.lowest, min), ("highest", ranking.highest, max)):
        other = next(one for one in study.cells if one.name == choose(found, key=found.__getitem__))
        apart = study.paired(other, end.what, name)
        is_another = found[other.name] != found[end.what.name]
        if is_another and apart is not None and excludes_nought(apart):
            turned.append(f"{words(name)} is {word} in {called(other)}, not in {called(end.what)}")
    return turned
