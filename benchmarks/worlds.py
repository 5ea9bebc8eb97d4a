"""The worlds that are timed: everyone reports once a day, through a CSP region and the DSP, into a
ledger.
"""

from __future__ import annotations

from sim.scenario.load import load
from sim.scenario.schema import Scenario

GB = 20_000_000  # premises for which gb_base states its capacities
SPREAD = '{source: hashed, at: "00:00", window: 24 h}'
# Everyone in twenty seconds, many times what the DSP passes in that time: the worst case for the
# fast path, whose queues hold names.
STORM = 'reporting.phase={source: hashed, at: "03:00", window: 20 s}'


def daily(premises: int, days: int, *sets: str) -> Scenario:
    """Return *premises* with a PPMID each that report daily for *days*; the capacity per premises
    is that of gb_base.
    """
    share = premises / GB
    settings = {
        "estate.premises": premises,
        "estate.devices.ppmid": "100 %",
        "estate.devices.ihd": "0 %",
        "estate.devices.hcalcs": "0 %",
        "estate.no_wan_share": "0 %",
        "estate.not_communicating_share": "0 %",
        "window.warm_up": "0 s",
        "window.length": f"{days} d",
        "reporting.rule": "periodic",
        "reporting.devices": "[ppmid]",
        "reporting.phase": SPREAD,
        "network": (
            f"[{{stage: csp, capacity: {2000 * share:.9g} /s}}, {{stage: dsp, capacity:"
            f" {4600 * share:.9g} /s}}]"
        ),
    }
    return load(
        "gb_base",
        [
            f"{path}={value}"
            for path, value in (settings | dict(text.split("=", 1) for text in sets)).items()
        ],
    )


def thirty_million(days: int, *sets: str) -> Scenario:
    """Return the whole of Great Britain: 20 million premises, each with a PPMID and every second
    one with an IHD, thirty million daily reports.
    """
    return load(
        "gb_base",
        [
            "estate.devices.ppmid=100 %",
            "estate.devices.ihd=50 %",
            "window.warm_up=0 s",
            f"window.length={days} d",
            "reporting.rule=periodic",
            *sets,
        ],
    )


WORLDS = {"daily": daily, "thirty_million": thirty_million}
