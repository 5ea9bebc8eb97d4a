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
            (
                "This turns with the size of the sample: at half of it, with one replication,"
                f" {listed(turned)}. A larger scale decides."
            ),
        )
    if not looked:
        return ()
    return (f"Half the size, with one replication, says the same of {listed(looked)}.",)


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
    found = False
    for place in places(cell):
        names = ("messages_per_s_peak", "peak_waiting_n", "waiting_share")
        peak, queue, more = (
            half.get((cell.name, f"{place.stage}_{name}", place.group)) for name in names
        )
        less = half.get((silent.name, f"{place.stage}_waiting_share", place.group))
        if peak is None or queue is None or more is None or less is None:
            return None
        is_luck = sample.is_luck(study, cell, place, peak, queue, part=1 / 2)
        found = found or (more > less and not is_luck)
    return found


def _ends(study: Study, half: Values, looked: list[str]) -> list[str]:
    """Return where the metric that the answer turns on is lowest, or highest, at half the size, and
    the run tells that cell from its own; add to *looked*.
    """
    metrics = asked(study)
    name = main(study, metrics) if metrics else ""
    cells = [cell for cell in study.cells if study.estimate(cell, name) is not None]
    there = [half[cell.name, name, "all"] for cell in cells if (cell.name, name, "all") in half]
    if len(there) < max(2, len(cells)):
        return []
    worlds = f"which worlds have the lowest and the highest {words(name)}"
    looked.append(f"{worlds}, where this run tells them apart")
    ranking, turned = of_cells(study, cells, name), []
    ends = (
        ("lowest", ranking.lowest.what, min(there)),
        ("highest", ranking.highest.what, max(there)),
    )
    for word, own, value in ends:
        other = cells[there.index(value)]
        apart = study.paired(other, own, name)
        is_another = half[own.name, name, "all"] != value
        if is_another and apart is not None and excludes_nought(apart):
            turned.append(f"{words(name)} is {word} in {called(other)}, not in {called(own)}")
    return turned
