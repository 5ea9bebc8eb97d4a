"""What the reports of all shipped worlds say, each run small: no number without whom it speaks of,
none beyond what its unit can be, and no name that only a file would use.
"""

from __future__ import annotations

import re
from math import inf, isfinite

import pytest

import sim
from sim.metrics import METRICS
from sim.report import findings
from sim.report.study import Study
from sim.report.words import interval, percent
from sim.scenario.compose import shipped

DAYS = {"window.warm_up": "0 s", "window.length": "2 d"}
SMALL = {
    "alert_exclusion_list": (400, {"window.warm_up": "0 s", "window.length": "4 h"}),
    "as_decided": (300, {"estate.scale": 1, "window.length": "1460 d"}),
    "cheapest_record": (200, {"estate.scale": 1, "window.warm_up": "7 d", "window.length": "14 d"}),
    "daily_version_report": (20_000_000, {"estate.scale": "1/5000"}),
    "dec_2013": (2_600, {"window.length": "11 h", "estate.premises_per_cell": "100"}),
    "gb_2022_07": (400, DAYS),
    "gb_base": (300, DAYS | {"reporting.rule": "periodic"}),
    "gb_firmware": (300, {"window.length": "400 d"}),
    "hub_store_forward": (200, {"estate.scale": 1}),
    "mp105": (300, {"estate.scale": 1}),
    "policies": (200, {"estate.scale": 1, "window.length": "1460 d"}),
    "rollout_storm": (
        600,
        {
            "estate.scale": 1,
            "traffic.level": "0 %",
            "window.warm_up": "0 d",
            "window.length": "9 d",
        },
    ),
    "screening": (200, {"estate.scale": 1}),
    "storm_mitigations": (
        2_000,
        {
            "estate.scale": 1,
            "window.length": "3 h",
            "network.csp.capacity": "1 /s",
            "network.dsp.capacity": "2.3 /s",
        },
    ),
    "storm_recovery": (4_600_000, {"estate.scale": "1/4600", "window.length": "4 h"}),
}


def texts(study):
    """Yield every sentence and every cell of a table."""
    found = findings(study)
    yield from (
        found.answer,
        *found.points,
        *found.doubts,
        *(picture.title for picture in found.pictures),
    )
    yield from (text for grid in found.grids for row in (*grid.rows, (grid.note,)) for text in row)


def test_every_shipped_world_is_read():
    """All at the top of the folder; those below are parts and laws."""
    assert set(SMALL) == {name for name in shipped() if "/" not in name}


@pytest.mark.parametrize("name", sorted(SMALL))
def test_what_its_report_says(name, tmp_path):
    """Of a small run of each shipped world: see the four checks."""
    premises, changes = SMALL[name]
    study = Study(
        sim.run(
            name, out=tmp_path, jobs=1, report=False, replications=2, premises=premises, **changes
        )
    )
    no_number_is_beyond_what_its_unit_can_be(study)
    no_number_is_said_without_whom_it_speaks_of(study)
    no_difference_is_without_either(study)
    no_sentence_holds_what_nobody_would_say(study)


def no_number_is_beyond_what_its_unit_can_be(study):
    """Every estimate of the run, as it would be said: value and ends within the range of its
    metric.
    """
    for (_, name, _), found in study._estimates.items():
        low, high = METRICS[name].reach
        scale = 100 if found.unit == "share" else 1
        assert low - 1e-9 <= found.low or found.n == 1 or found.value == inf, name
        text = (
            (percent(found) if scale == 100 else interval(found)).replace(",", "").replace("−", "-")
        )
        if plain := re.match(r"(\S+) ± (\S+)", text):
            value, half = map(float, plain.groups())
            assert low * scale - 1e-9 <= value - half, (name, text)
            assert value + half <= high * scale + 1e-9, (name, text)


def no_difference_is_without_either(study):
    """Every paired difference: finite, within its range, and with the shares of both worlds."""
    for (_, name, _), found in study._differences.items():
        low, high = METRICS[name].reach
        assert isfinite(found.value), name
        assert (
            found.n == 1 or low - high - 1e-9 <= found.low <= found.high <= high - low + 1e-9
        ), name
        assert (found.condition is None) == (METRICS[name].of is None), name
        if found.condition is not None:
            assert found.condition.other is not None, name


def no_number_is_said_without_whom_it_speaks_of(study):
    """A metric with a condition has its share in the run's files, and says it where that is not
    all.
    """
    for (_, name, _), found in study._estimates.items():
        if METRICS[name].of is None:
            assert found.condition is None, name
            continue
        assert found.condition is not None, name
        assert 0 <= found.condition.share <= 1 + 1e-9, (name, found.condition)
        if found.condition.share < 0.9995:
            assert f"% of {found.condition.who}" in interval(found), name


def no_sentence_holds_what_nobody_would_say(study):
    """No ± 0, no mark, nothing that is not a number, no name with an underscore."""
    for text in texts(study):
        assert not re.search(r"± 0(?![.,0-9])|\bnan\b|\binf\b", text), text
    found = findings(study)
    names = {cell.option for cell in study.cells} | {cell.name for cell in study.cells}
    for text in (found.answer, *found.points):
        said = [name for name in names if "_" in name and name in text]
        assert not said, (said, text)
