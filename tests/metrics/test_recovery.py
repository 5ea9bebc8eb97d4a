"""Recovery, from minutes written by hand: a DSP that is out for ten minutes of a day's sixth hour,
and a CSP that never notices.
"""

from __future__ import annotations

from math import inf

import pytest

from sim.metrics import Window, measure
from tests.metrics.hand import tables, timeline

HOUR_S = 3_600
WINDOW = Window(HOUR_S, 5 * HOUR_S)
OUT_S = 3 * HOUR_S  # two measured hours after the start
MEASURED = (
    "drain_time_s",
    "drain_fluid_s",
    "returned_to_normal_share",
    "load_before_share",
    "load_after_share",
)
RATE, CAPACITY = 300, 10.0  # arrivals a minute, service a second: half of it is used


def fluid(backlog, spare=300, minutes=180):
    """Return minutes in which *backlog* drains by *spare* a minute."""
    waits = [max(0, backlog - spare * (n + 1)) for n in range(minutes)]
    return [
        (RATE, RATE + before - after, after)
        for before, after in zip([backlog, *waits], waits, strict=False)
    ]


def world(
    dsp, *, before=(0,) * 120, triggers=(("stage_outages", "dsp/dsp", OUT_S, OUT_S + 600),), csp=0
):
    """Return tables in which the DSP waits *before* the outage, then as the minutes *dsp* say from
    its end on.
    """
    calm = [(RATE, RATE, waits) for waits in before]
    out = [(RATE, 0, RATE * (n + 1)) for n in range(10)]
    minutes = [(9_999, 0, 9_999)] * 60 + calm + out + list(dsp)
    length_s = 60 * (len(minutes) - 60)
    return tables(
        triggers=triggers,
        stages=[
            ("csp", "north", 20.0, length_s, 0, 0, csp, 0),
            ("dsp", "dsp", CAPACITY, length_s, 0, 0, 3000, 0),
        ],
        timeline=[
            *timeline("dsp", "dsp", 0, minutes),
            *timeline("csp", "north", HOUR_S, [(120, 120, csp)] * (len(minutes) - 60)),
        ],
    )


def test_a_backlog_drains_as_fluid_does():
    """Backlog λD = 3,000; spare capacity 300 a minute: ten minutes, and so says the closed form
    from the load before.
    """
    values = measure(world(fluid(3000, minutes=170)), WINDOW)

    assert set(MEASURED) <= {name for name, _ in values}
    assert values["drain_time_s", "dsp/dsp"] == 600
    assert values["drain_time_s", "all"] == 600
    assert values["drain_time_s", "csp/north"] == 0
    assert values["drain_fluid_s", "dsp/dsp"] == pytest.approx(600)
    assert ("drain_fluid_s", "csp/north") not in values
    assert values["load_before_share", "dsp/dsp"] == pytest.approx(0.5)
    assert values["load_after_share", "dsp/dsp"] == pytest.approx(0.5)
    assert values["load_after_share", "csp/north"] == pytest.approx(0.1)
    assert values["returned_to_normal_share", "all"] == 1


def test_an_outage_of_all_servers_is_an_outage_of_each():
    """`dsp/all` strikes the DSP; a power cut of the north strikes no server."""
    all_of_it = measure(
        world(
            fluid(3000, minutes=170), triggers=[("stage_outages", "dsp/all", OUT_S, OUT_S + 300)]
        ),
        WINDOW,
    )
    cut = measure(
        world(fluid(3000, minutes=170), triggers=[("power_cuts", "north", OUT_S, OUT_S + 600)]),
        WINDOW,
    )

    assert all_of_it["drain_fluid_s", "dsp/dsp"] == pytest.approx(300)
    assert cut["drain_time_s", "all"] == 600
    assert ("drain_fluid_s", "all") not in cut


def test_what_waited_before_the_trigger_is_calm():
    """A server on which 900 waited at times before is calm with 900, though not with 901."""
    before = [0] * 100 + [900] + [0] * 19

    assert (
        measure(world(fluid(3000, minutes=170), before=before), WINDOW)["drain_time_s", "all"]
        == 420
    )
    assert (
        measure(world(fluid(3001, minutes=170), before=before), WINDOW)["drain_time_s", "all"]
        == 480
    )


def test_calm_must_last_an_hour():
    """A second wave fifty minutes after the first was gone puts the end off; one after seventy
    minutes does not.
    """
    first, wave = fluid(3000, minutes=10), fluid(600, minutes=2)
    for gap, want in ((50, 62 * 60), (70, 600)):
        minutes = [*first, *[(RATE, RATE, 0)] * gap, *wave]
        values = measure(world([*minutes, *[(RATE, RATE, 0)] * (170 - len(minutes))]), WINDOW)
        assert values["drain_time_s", "dsp/dsp"] == want
        assert values["returned_to_normal_share", "all"] == 1


def test_a_world_that_does_not_drain_has_no_drain_time():
    """Retries keep the DSP busy for ever: no finite time; and it has not returned to normal."""
    values = measure(world([(900, 600, 3000 + n) for n in range(170)]), WINDOW)

    assert values["drain_time_s", "dsp/dsp"] == inf
    assert values["drain_time_s", "all"] == inf
    assert values["drain_time_s", "csp/north"] == 0
    assert values["returned_to_normal_share", "dsp/dsp"] == 0
    assert values["returned_to_normal_share", "csp/north"] == 1
    assert values["returned_to_normal_share", "all"] == 0
    assert values["load_after_share", "all"] == pytest.approx(1.5)


def test_turning_away_more_than_before_is_not_normal():
    """Nothing waits, but two in a hundred are refused for ever; one in a hundred is forgiven, or
    what was refused before as well.
    """
    for served, want in ((294, 0), (297, 1)):
        calm = [(RATE, RATE, 0)] * 110 + [(RATE, served, 0)] * 60
        assert measure(world(calm), WINDOW)["returned_to_normal_share", "dsp/dsp"] == want


def test_a_trigger_that_is_not_over_an_hour_before_the_end_has_no_aftermath():
    """Then there is nothing to measure."""
    late = WINDOW.warm_up_s + WINDOW.length_s - HOUR_S
    for end_s, measured in ((late, True), (late + 1, False)):
        values = measure(
            world(fluid(3000, minutes=170), triggers=[("stage_outages", "dsp/dsp", OUT_S, end_s)]),
            WINDOW,
        )
        assert any(name == "returned_to_normal_share" for name, _ in values) == measured


def test_a_load_at_capacity_never_drains_in_the_fluid_limit():
    """λ ≥ μ: the closed form is infinite."""
    full = world(fluid(3000, minutes=170))
    full["stages"]["capacity_per_s"] = [20.0, 5.0]

    assert measure(full, WINDOW)["drain_fluid_s", "all"] == inf
