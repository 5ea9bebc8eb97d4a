"""What varies: ranges, where they come from, and how their values are written."""

from __future__ import annotations

import pytest

from sim import units
from sim.scenario.design import factors_of
from sim.scenario.load import load

HEAD = (
    "schema_version: 1\nexperiment: trial\nquestion: none\nscenario: gb_base\ndesign:"
    " latin_hypercube\npoints: 8\nfactors:\n"
)


@pytest.fixture
def factor(tmp_path):
    """Return a function that gives the one factor written as its argument."""

    def read(text):
        path = tmp_path / "trial.yaml"
        path.write_text(f"{HEAD}  {text}\n", encoding="utf-8")
        (found,) = factors_of(load(path))
        return found

    return read


@pytest.mark.parametrize(
    ("text", "kind", "low", "high", "unit"),
    [
        ("updates.local.rate: assumed", "rate", 2, 6, "/year"),
        ("updates.local.rate: {high: 12 /year}", "rate", 2, 12, "/year"),
        ("reporting.loss: {}", "share", 0, 20, "%"),
        ("reporting.loss: {low: 0.01, high: 0.5}", "share", 1, 50, "%"),
        ("reporting.heartbeat: assumed", "duration", 24, 91 * 24, "h"),
        ("reporting.phase.window: assumed", "duration", 5, 1440, "min"),
        ("reporting.size: {low: 1 kB, high: 2 kB}", "size", 1000, 2000, "B"),
        ("estate.premises_per_cell: assumed", "count", 200, 20_000, ""),
        ("estate.devices.ppmid: assumed", "number", 0.54, 0.92, ""),
        ("estate.devices.ppmid: {low: 0, high: 1}", "number", 0, 1, ""),
        ("network.0.buffer: {low: 100, high: 5_000}", "count", 100, 5000, ""),
        (
            "hubs: {paths: [reporting.heartbeat, reporting.phase.window], low: 1 d, high: 2 d}",
            "duration",
            1440,
            2880,
            "min",
        ),
    ],
)
def test_a_range_is_in_the_unit_its_values_are_written_in(factor, text, kind, low, high, unit):
    found = factor(text)
    assert (found.kind, found.low, found.high, found.unit) == (
        kind,
        pytest.approx(low),
        pytest.approx(high),
        unit,
    )
    assert found.sampled


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("updates.local.rate: assumed", ("2 /year", "6 /year")),
        ("reporting.heartbeat: {low: 1 d, high: 8 d}", ("1440 min", "11520 min")),
        ("estate.premises_per_cell: assumed", ("200", "20000")),
        ("estate.devices.ppmid: assumed", ("0.54", "0.92")),
        ("reporting.rule: [none, periodic, on_change]", ("none", "periodic", "on_change")),
    ],
)
def test_the_ends_are_levels(factor, text, ends):
    assert tuple(level.text for level in factor(text).ends) == ends


def test_a_value_is_rounded_as_a_person_would_and_reads_back(factor):
    rate = factor("updates.local.rate: assumed")
    beat = factor("reporting.heartbeat: {low: 1 d, high: 8 d}")
    assert rate.at(1 / 3).text == "3.3333 /year"
    assert units.parse_rate(rate.at(1 / 3).text) > units.parse_rate("3 /year")
    assert beat.at(0.123456789).text == "2684 min"
    assert factor("reporting.loss: {low: 0.0001 %, high: 0.0002 %}").at(0.5).text == "0.00015 %"


@pytest.mark.parametrize(
    ("distribution", "quartiles"),
    [
        ("uniform", ("10.75 %", "20.5 %", "30.25 %")),
        ("log_uniform", ("2.5149 %", "6.3246 %", "15.905 %")),
    ],
)
def test_quantiles_of_a_distribution(factor, distribution, quartiles):
    found = factor(f"reporting.loss: {{low: 1 %, high: 40 %, distribution: {distribution}}}")
    assert tuple(found.at(u).text for u in (0.25, 0.5, 0.75)) == quartiles


def test_a_triangle_peaks_at_its_mode(factor):
    """P(x ≤ mode) = (mode − low)/(high − low); without a mode, the scenario's value is it."""
    found = factor("updates.local.rate: {low: 2 /year, high: 12 /year, distribution: triangular}")
    assert found.mode == pytest.approx(4)
    assert found.at(0.2).text == "4 /year"
    assert (found.at(0.0).text, found.at(1 - 1e-12).text) == ("2 /year", "12 /year")


def test_counts_are_as_likely_as_each_other(factor):
    found = factor("reporting.fan_out: {low: 1, high: 3}")
    assert [found.at(n / 12).text for n in range(12)] == ["1"] * 4 + ["2"] * 4 + ["3"] * 4


def test_levels_are_chosen_as_likely_as_each_other(factor):
    found = factor("reporting.rule: [none, periodic]")
    assert [found.at(u).text for u in (0, 0.49, 0.5, 1 - 2**-53)] == [
        "none",
        "none",
        "periodic",
        "periodic",
    ]
    assert (found.kind, found.distribution, found.high) == ("levels", "choice", 1)
