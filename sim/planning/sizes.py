"""How many bytes a message of each kind has on each part of its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sim.scenario.schema import Scenario

VERSION_REPORT: Final = "version_report"
REQUEST: Final = "request"


def sizes_at(scenario: Scenario, stage: str) -> dict[str, int]:
    """Return the bytes of a message of each kind at *stage*: DUIS at `user`, GBCS before."""
    return sizes_of(scenario)["user" if stage == "user" else "dsp"]


def sizes_of(scenario: Scenario) -> dict[str, dict[str, int]]:
    """Return bytes by segment (han, wan, dsp: GBCS; user: DUIS) and kind of message, `request`
    among them: what asks for a version.
    """
    reporting, alerts = scenario.reporting, scenario.alerts
    gbcs = {name: kind.size for name, kind in scenario.traffic.kinds.items()}
    gbcs |= {name: alerts.kinds[name].size for name in alerts.active}
    gbcs |= {VERSION_REPORT: reporting.size, REQUEST: reporting.request_size}
    # A DUIS message is its wrapper and the GBCS message in base64.
    duis = {kind: reporting.xml_overhead + 4 * -(-size // 3) for kind, size in gbcs.items()}
    return dict.fromkeys(("han", "wan", "dsp"), gbcs) | {"user": duis}
