"""Validation targets V4, V10, V11, V13 and V16: of later months, of sizes, and what follows."""

from __future__ import annotations

import pytest

from sim.run import replicate
from sim.scenario.load import load
from tests.laws.firmware_worlds import counted, firmware_world
from tests.laws.worlds import DAY_S, fates, ledger, tables_of

# Of an estate of 14 M premises with 23.9 M meters and 60 M devices, one premises in a thousand.
DECEMBER_2022 = (
    "estate.premises=14_000", "network=[{stage: dsp}]", "window.length=31 d",
    "estate.devices={esme: 1.0, gsme: 0.714286, ppmid: 0.45, ihd: 0.08, hcalcs: 0.0084615}",
)  # fmt: skip
READS = ("scheduled_read",)
MESSAGES = (*READS, "on_demand", "future_dated")

# Bytes of messages in the reference test data (table 2d of what is known of the domain), by code.
SIZES = {
    "8F8A": 142,
    "8F72": 158,
    "8F8B": 132,
    "8F36": 152,
    "8F12": 174,
    "81A0": 89,
    "8F3E": 124,
    "8F3F": 124,
    "8F75": 124,
    "AD1": 85,
}
REPORT, READ, XML = 132, 78, 1701


def rate(level: str) -> float:
    """Return messages a second of that estate at a *level* of the traffic of July 2022 a device."""
    tables = replicate(load("gb_2022_07", [*DECEMBER_2022, f"traffic.level={level}"]), 0)
    return 1000 * int(tables["arrivals"]["n"].sum()) / (31 * DAY_S)


def test_december_2022_is_a_question_of_level():
    """V4: 4 bn messages in the month, 1,520 a second within 15 %; it takes about a third more of
    each meter and device than in July, and the growth of the estate alone does not make it.
    """
    published = 4.0e9 / (31 * DAY_S)

    assert rate("135 %") == pytest.approx(published, rel=0.15)
    assert rate("100 %") < 0.85 * published


def test_sizes_are_those_of_the_reference_data():
    """V10: every alert with a code, the version report, its request, and the XML around it."""
    world = load("gb_firmware")
    sizes = {kind.code: kind.size for kind in world.alerts.kinds.values() if kind.code}

    assert sizes == SIZES
    assert (world.reporting.size, world.reporting.request_size) == (REPORT, READ)
    assert world.reporting.xml_overhead == XML


def test_three_messages_in_five_are_readings():
    """V11: about 60 % within 5 points, of what reaches the DSP in a week."""
    sets = ["estate.premises=20_000", "network=[{stage: dsp}]", "window.length=7 d"]
    table = replicate(load("gb_2022_07", sets), 0)["arrivals"]
    n = table.groupby("kind")["n"].sum()

    assert n[list(READS)].sum() / n[list(MESSAGES)].sum() == pytest.approx(0.60, abs=0.05)


@pytest.mark.parametrize(("silent", "low", "high"), [("10 %", 0.883, 0.923), ("5 %", 0.933, 0.953)])
def test_of_all_meters_nine_in_ten_are_smart(silent, low, high):
    """V13: 32.7 of 36.2 M, 90.3 % within 2 points, is of all smart meters, also those that were
    never enrolled: what the high end of the range of homes that never communicate gives. Of homes
    with a hub of the DCC's, which the base is about, more communicate.
    """
    sets = [
        "estate.scale=1/1000", "estate.devices.ppmid=100 %", "reporting.rule=periodic",
        "reporting.devices=[ppmid]", "updates.policy=ota_only", "window.warm_up=0 s",
        "window.length=1 d", f"estate.not_communicating_share={silent}",
    ]  # fmt: skip
    found = fates(replicate(load("gb_base", sets), 0))

    assert low <= found["delivered"] / sum(found.values()) <= high


@pytest.mark.parametrize(("a_day", "stopped"), [(1, False), (4, False), (8, True)])
def test_the_protection_leaves_alone_who_keeps_below_it(a_day, stopped):
    """V16: five alerts in any 24 hours pass it; a sixth does not."""
    rule = "{kind: alert_storm_protection, threshold: 5, window: 24 h, forward_period: 24 h}"
    found = fates(tables_of({
        "updates.policy": "ota_only", "reporting.rule": "periodic", "window.length": "3 d",
        "reporting.period": f"{24 // a_day} h", "estate.premises": 100,
        "reporting.phase": f"{{source: hashed, window: {24 // a_day} h}}",
        "network": f"[{{stage: dsp, mitigations: [{rule}]}}]",
    }))  # fmt: skip

    assert sum(found.values()) == pytest.approx(100 * 3 * a_day, rel=0.02)
    assert (found.get("throttled", 0) > 0) is stopped
    if not stopped:
        assert set(found) == {"delivered"}


def test_where_every_answer_arrives_nothing_is_stale():
    """V16: an inventory told by every activation is wrong for the second an answer takes alone."""
    delay = {"firmware.ota.response": "{delay: {low: 1 s, high: 1 s}, loss: 0 %, patience: 1 d}"}
    smi = ledger(firmware_world(delay))

    assert (smi["n_changes"], smi["wrong_s"], smi["unknown_s"]) == (400, 400, 0)


def test_no_more_are_updated_than_have_a_hub_that_can():
    """V16: what is not ready refuses, however often it is asked."""
    done = {}
    for ready in (0, 30, 60, 100):
        hubs = f"{{start: 0 s, curve: [{{share: {ready} %, time: 0 s}}]}}"
        settings = {"firmware.ota.hub_ready": hubs, "firmware.ota.retries": 3}
        done[ready] = counted(firmware_world(settings)["jobs"], "ended").get("done", 0)

    assert done[0] == 0
    assert done[100] == 400
    assert done[30] < done[60]
    assert all(n / 400 <= ready / 100 + 0.1 for ready, n in done.items()), "four standard errors"
