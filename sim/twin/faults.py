"""What goes wrong for a premises (`docs/model.md` section 5): when it is dark, and when its link is
down.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from sim.calendar import strokes
from sim.kernels import draws
from sim.twin.estate import Dark, LinkOutage

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario
    from sim.twin.estate import Luck, Premises, Region


def lay_out_faults(scenario: Scenario, luck: Luck, regions: list[Region]) -> None:
    """Tell every premises of *regions* when it will be dark and when its link will be down."""
    by_name = {region.name: region for region in regions}
    for what, footprint, restoration in (
        ("power_cuts", "cut.footprint", "cut.restoration"),
        ("hub_reboots", "reboot.footprint", "reboot.restoration"),
    ):
        for number, (start_s, fault) in enumerate(strokes(scenario, luck.replication, what)):
            for home in by_name[fault.region].premises:
                if luck.happens(fault.share, footprint, home.hub.place, home.index, number):
                    wait_s = restored_after_s(
                        fault, luck.word(restoration, home.hub.place, home.index, number)
                    )
                    home.dark.append(
                        Dark(start_s, start_s + fault.duration + wait_s, what == "power_cuts")
                    )
    spread_s = next(
        (
            row.spread
            for stage in scenario.network
            for row in stage.mitigations
            if row.kind == "staggered_reconnect"
        ),
        0,
    )
    for number, (start_s, fault) in enumerate(strokes(scenario, luck.replication, "wan_outages")):
        for home in by_name[fault.region].premises:
            cell, end_s = home.index // scenario.estate.premises_per_cell, start_s + fault.duration
            if luck.happens(fault.share, "wan.footprint", home.hub.place, cell, number):
                wait_s = luck.scaled(spread_s, "wan.reconnect", home.hub.place, home.index, number)
                home.link_outages.append(LinkOutage(start_s, end_s, end_s + wait_s))
    for home in (home for region in regions for home in region.premises):
        home.dark.sort(key=lambda dark: dark.start_s)
        home.spells = joined(home.dark)


def restored_after_s(fault: Any, word: int) -> int:
    """Return how long after its duration a cut or reboot leaves the premises of *word* dark:
    uniform, or by the inverse of the curve.
    """
    if not fault.curve:
        return int(word * fault.restoration) >> 32
    shares = [0, *(draws.threshold(point.share) for point in fault.curve)]
    times_s = [0, *(point.time for point in fault.curve)]
    i = bisect_right(shares, word)
    return int(
        times_s[i - 1]
        + ((word - shares[i - 1]) * (times_s[i] - times_s[i - 1])) // (shares[i] - shares[i - 1])
    )


def joined(dark: list[Dark]) -> list[Dark]:
    """Return the spells of *dark*, which is in order of start: intervals that overlap or touch are
    one.
    """
    spells: list[Dark] = []
    for one in dark:
        if spells and one.start_s <= spells[-1].end_s:
            last = spells.pop()
            one = Dark(last.start_s, max(last.end_s, one.end_s), last.is_outage or one.is_outage)
        spells.append(one)
    return spells


def is_dark(home: Premises, second: int) -> bool:
    """Return whether *home* is dark in *second*."""
    return any(spell.start_s <= second < spell.end_s for spell in home.spells)


def release_s(home: Premises, second: int) -> int:
    """Return from when, at or after *second*, the hub of *home* can send: *second* itself while its
    link is up.
    """
    while covering := [
        outage for outage in home.link_outages if outage.start_s <= second < outage.end_s
    ]:
        second = max(outage.connected_s for outage in covering)
    return second
