"""Alert storm protection (SECMP0062) in H8's answer: what the rule alone does, and whether a code
should be on its exclusion list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.report import collateral
from sim.report.remedies import changes
from sim.report.words import interval, listed, percent

if TYPE_CHECKING:
    from sim.report.remedies import Remedies
    from sim.report.study import Cell

PROTECTION: Final = "alert_storm_protection"


def alone(remedies: Remedies) -> str:
    """Say what SECMP0062's rule alone does against one alert a day from every home, and against a
    device that chatters.
    """
    those = [
        cell
        for cell in remedies.cells
        if [c.setting.split(" (")[0] for c in changes(cell, remedies.storm(cell))]
        == [PROTECTION.replace("_", " ")]
    ]
    if not those:
        return ""
    cell, study = (
        min(those, key=lambda one: "exclude" in changes(one, remedies.storm(one))[0].setting),
        remedies.study,
    )  # what is excluded it cannot stop
    chatter = sorted(
        name
        for name, kind in cell.scenario.alerts.kinds.items()
        if kind.cause == "chatter" and name in cell.scenario.alerts.active
    )
    reports, cut = study.estimate(cell, "throttled_share", collateral.REPORT), remedies.cut(cell)
    stopped = [
        (kind, share)
        for kind in chatter
        if (share := study.estimate(cell, "throttled_share", kind)) is not None
    ]
    parts = []
    if reports is not None and cut is not None:
        parts.append(
            f"does nothing against a report a day from every home (it stops {percent(reports)} of the version reports, and the busiest second falls by"
            f" {percent(cut)})" if abs(cut.value) < 0.005 and reports.value < 0.005
            else f"stops {percent(reports)} of the version reports, and the busiest second falls by {percent(cut)}"
        )  # fmt: skip
    parts += [
        f"stops {percent(share)} of the {kind} alerts of single devices that repeat themselves"
        for kind, share in stopped
    ]
    seen = [
        f"all {interval(n)} a day of {kind}"
        for kind, _ in stopped
        if (n := study.estimate(cell, "anomaly_alerts_per_day", kind)) is not None
    ]
    still = f"; {listed(seen)} are counted for anomaly detection" if seen else ""
    which = f" ({remedies.called(cell)})" if len(those) > 1 else ""
    return f"SECMP0062's rule alone{which} {listed(parts)}{still}." if parts else ""


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
