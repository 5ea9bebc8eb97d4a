"""Alert storm protection (SECMP0062) in H8's answer: what the rule alone does, and whether a code
should be on its exclusion list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.report.collateral import REPORT
from sim.report.remedies import changes
from sim.report.words import interval, listed, percent

if TYPE_CHECKING:
    from sim.report.remedies import Remedies
    from sim.report.study import Cell

PROTECTION: Final = "alert_storm_protection"
_STOPPED: Final = "throttled_share"
_LITTLE: Final = 0.005  # half a percentage point, which is nothing here


def alone(remedies: Remedies) -> str:
    """Say what SECMP0062's rule alone does against one alert a day from every home, and against a
    device that chatters.
    """
    those = [cell for cell in remedies.cells if _is_alone(remedies, cell)]
    if not those:
        return ""
    # What is excluded it cannot stop: of several, the one that excludes nothing.
    cell = min(those, key=lambda one: bool(_protects(one)))
    stopped = _chatter(remedies, cell)
    parts = [*_reports(remedies, cell), *(told for told, _ in stopped)]
    seen = [known for _, known in stopped if known]
    still = f"; {listed(seen)} are counted for anomaly detection" if seen else ""
    which = f" ({remedies.called(cell)})" if len(those) > 1 else ""
    return f"SECMP0062's rule alone{which} {listed(parts)}{still}." if parts else ""


def _is_alone(remedies: Remedies, cell: Cell) -> bool:
    """Whether the rule is all that *cell* has more than its storm."""
    kinds = [change.setting.split(" (")[0] for change in changes(cell, remedies.storm(cell))]
    return kinds == [PROTECTION.replace("_", " ")]


def _reports(remedies: Remedies, cell: Cell) -> list[str]:
    """Say what it does against version reports, where there are any."""
    stopped, cut = remedies.study.estimate(cell, _STOPPED, REPORT), remedies.cut(cell)
    if stopped is None or cut is None:
        return []
    told = f"{percent(stopped)} of the version reports, and the busiest second falls by"
    if abs(cut.value) < _LITTLE and stopped.value < _LITTLE:
        nothing = "does nothing against a report a day from every home"
        return [f"{nothing} (it stops {told} {percent(cut)})"]
    return [f"stops {told} {percent(cut)}"]


def _chatter(remedies: Remedies, cell: Cell) -> list[tuple[str, str]]:
    """Say of each kind that chatters how much of it is stopped, and how much is counted still."""
    study = remedies.study
    alerts = cell.scenario.alerts
    told = []
    for kind in sorted(name for name in alerts.active if alerts.kinds[name].cause == "chatter"):
        share = study.estimate(cell, _STOPPED, kind)
        if share is None:
            continue
        n = study.estimate(cell, "anomaly_alerts_per_day", kind)
        whose = f"{kind} alerts of single devices that repeat themselves"
        stops = f"stops {percent(share)} of the {whose}"
        told.append((stops, f"all {interval(n)} a day of {kind}" if n is not None else ""))
    return told


def listing(remedies: Remedies) -> str:
    """Answer whether a code should be on the exclusion list, where the run has the protection with
    and without one, in genuine alerts and in load.
    """
    on, off = (
        [cell for cell in remedies.cells if _protects(cell) == with_list]
        for with_list in (True, False)
    )
    if not on or not off or any(_protects(cell) is None for cell in remedies.cells):
        return ""
    costs = {cell.name: remedies.costs(cell) for cell in (*on, *off)}
    lost = [percent(more) for cell in off if (more := costs[cell.name]) is not None]
    spared = [cut for cell in off if (cut := remedies.cut(cell)) is not None and cut.value > 0.005]
    if not lost or any(costs[cell.name] is not None for cell in on):
        return ""
    load = (
        "and spares the busiest second nothing"
        if not spared
        else f"and lowers the busiest second by {percent(max(spared, key=lambda cut: cut.value))}"
    )
    return (
        "Yes: on the list no more genuine alerts are lost than without any protection; off it the"
        f" protection suppresses or delays {lost[0]} more, {load}."
    )


def _protects(cell: Cell) -> bool | None:
    """Whether the protection of *cell* excludes something; None where it has none."""
    rows = [
        row
        for stage in cell.scenario.network
        for row in stage.mitigations
        if row.kind == PROTECTION
    ]
    return any(row.exclude for row in rows) if rows else None
