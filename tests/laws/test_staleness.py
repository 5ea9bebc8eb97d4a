"""How long a record is wrong, and how old what it says is, against closed forms (MISSION_MAP 0.3
and 1.6; tests/laws/closed_forms.py derives them).
"""

from __future__ import annotations

import pytest

from sim.metrics import Window, measure
from tests.laws import closed_forms
from tests.laws.significance import agrees
from tests.laws.worlds import DAY_S, YEAR_S, fates, ledger, replications, tables_of

N = 12
HOUR_S = 3600


def one_change(period_s: int, length_d: int) -> dict[str, object]:
    """Return a world in which every device changes exactly once, at its own moment of the first
    days.
    """
    return {
        "estate.premises": 2_000,
        "updates.local": "{driver: releases, rate: 1 /year, first_release: 1 d, delay: 8 h}",
        "reporting.rule": "periodic",
        "reporting.period": f"{period_s} s",
        "reporting.phase.window": f"{period_s} s",
        "window.length": f"{length_d} d",
    }


def latencies(csp_s: int, dsp_s: int) -> str:
    """Return a network that only takes time."""
    return f"[{{stage: csp, latency: {csp_s} s}}, {{stage: dsp, latency: {dsp_s} s}}]"


CASES = [
    # period, loss, latencies of csp and dsp, days in which all is repaired
    (DAY_S, 0.0, (0, 0), 10),
    (DAY_S, 0.05, (0, 0), 15),
    (DAY_S, 0.2, (20, 40), 20),
    (7 * DAY_S, 0.05, (0, 0), 60),
    (HOUR_S, 0.5, (0, 90), 10),
    (HOUR_S, 0.1, (1800, 1800), 8),
    (3 * HOUR_S, 0.0, (0, 4 * HOUR_S), 8),
]


@pytest.mark.parametrize(("period_s", "loss", "latency", "days"), CASES)
@pytest.mark.parametrize("rule", ["periodic", "hub_batch"])
def test_an_isolated_change_is_wrong_for_half_a_period_the_losses_and_the_way(
    period_s, loss, latency, days, rule
):
    """T/2 + T p/(1 − p) + d: every device changes once and is repaired once."""
    settings = one_change(period_s, days) | {"reporting.rule": rule, "reporting.loss": loss}
    if any(latency):
        settings["network"] = latencies(*latency)

    sums = [ledger(tables) for tables in replications(settings, N)]

    assert all(
        found["n_repairs"] == found["n_changes"] == found["n_devices"] == 2_000 for found in sums
    )
    assert all(found["repair_s"] == found["wrong_s"] for found in sums)
    expected = closed_forms.mean_episode_s(period_s, loss, sum(latency))
    assert expected == pytest.approx(
        period_s / 2 + period_s * loss / (1 - loss) + sum(latency), abs=0.5
    )
    assert agrees((found["repair_s"] / found["n_repairs"] for found in sums), expected)


@pytest.mark.parametrize(
    ("period_s", "latency"),
    [(DAY_S, (0, 0)), (HOUR_S, (0, 0)), (HOUR_S, (5, 10)), (2 * DAY_S, (60, 0)), (600, (1, 1))],
)
def test_under_activation_a_change_is_wrong_for_a_whole_period(period_s, latency):
    """The timer starts again at the change, so without loss every device waits exactly T + d: twice
    as long as with any other phase.
    """
    settings = one_change(period_s, 12) | {
        "reporting.phase.source": "activation",
        "network": latencies(*latency),
    }

    sums = ledger(tables_of(settings))

    assert sums["n_repairs"] == 2_000
    assert sums["repair_s"] == sums["wrong_s"] == 2_000 * (period_s + sum(latency))
    assert sums["staleness_s2"] == 2_000 * (period_s + sum(latency)) ** 2 / 2


@pytest.mark.parametrize(("period_s", "loss"), [(DAY_S, 0.05), (HOUR_S, 0.5), (HOUR_S, 0.1)])
def test_under_activation_each_loss_costs_a_period_more(period_s, loss):
    """T / (1 − p)."""
    settings = one_change(period_s, 12) | {
        "reporting.phase.source": "activation",
        "reporting.loss": loss,
    }

    sums = [ledger(tables) for tables in replications(settings, N)]

    assert agrees((found["repair_s"] / found["n_repairs"] for found in sums), period_s / (1 - loss))


@pytest.mark.parametrize("latency", [(0, 0), (0, 1), (30, 60)])
def test_a_report_of_the_change_itself_takes_only_its_way(latency):
    """R5 without loss: every change is wrong for exactly d, and one report a change is all the
    traffic there is.
    """
    settings = one_change(DAY_S, 8) | {
        "reporting.rule": "on_change",
        "network": latencies(*latency),
    }

    tables = tables_of(settings)
    sums = ledger(tables)

    assert (sums["n_repairs"], sums["repair_s"]) == (2_000, 2_000 * sum(latency))
    assert fates(tables) == {"delivered": 2_000}


@pytest.mark.parametrize("jitter_s", [1, 30, 600])
def test_a_report_of_a_change_may_dither(jitter_s):
    """R5 with jitter J: late by 0 … 2J − 1 seconds, uniformly, never early."""
    settings = one_change(DAY_S, 8) | {
        "reporting.rule": "on_change",
        "reporting.phase.jitter": f"{jitter_s} s",
    }

    sums = [ledger(tables) for tables in replications(settings, N)]

    assert all(found["n_repairs"] == 2_000 for found in sums)
    assert agrees((found["repair_s"] / 2_000 for found in sums), (2 * jitter_s - 1) / 2)


@pytest.mark.parametrize(
    ("rate", "per_s", "period_s", "loss", "warm_up", "periods", "premises"),
    [
        ("4 /year", 4 / YEAR_S, DAY_S, 0.0, 1, 6, 20_000),
        ("52 /year", 52 / YEAR_S, 2 * DAY_S, 0.0, 1, 4, 5_000),
        ("6 /d", 6 / DAY_S, 3 * HOUR_S, 0.0, 1, 8, 2_000),
        ("4 /d", 4 / DAY_S, 2 * HOUR_S, 0.2, 12, 12, 2_000),
        ("1 /d", 1 / DAY_S, HOUR_S, 0.5, 24, 24, 2_000),
    ],
)
def test_mean_staleness(rate, per_s, period_s, loss, warm_up, periods, premises):
    """The age of incorrect information, integrated over time and not sampled."""
    settings = {
        "estate.premises": premises,
        "updates.local.rate": rate,
        "reporting.rule": "periodic",
        "reporting.period": f"{period_s} s",
        "reporting.phase.window": f"{period_s} s",
        "reporting.loss": loss,
        "window.warm_up": f"{warm_up * period_s} s",
        "window.length": f"{periods * period_s} s",
    }

    sums = [ledger(tables) for tables in replications(settings, N)]

    found = (total["staleness_s2"] / (total["right_s"] + total["wrong_s"]) for total in sums)
    assert agrees(found, closed_forms.mean_staleness_s(per_s, period_s, loss))


@pytest.mark.parametrize("source", ["hashed", "power_on", "fixed_clock"])
@pytest.mark.parametrize("latency", [(0, 0), (7, 13)])
def test_without_loss_confirmation_age_is_exact(source, latency):
    """T/2 + d for every device and every whole period: no allowance at all."""
    settings = {
        "reporting.rule": "periodic",
        "reporting.period": "6 h",
        "reporting.phase": f"{{source: {source}, window: 6 h}}",
        "window.warm_up": "12 h",
        "window.length": "2 d",
        "network": latencies(*latency),
    }

    sums = ledger(tables_of(settings))

    assert sums["confirmation_s2"] == 1000 * 2 * DAY_S * (3 * HOUR_S + sum(latency))


@pytest.mark.parametrize(
    ("loss", "latency"),
    [(0.05, (0, 0)), (0.2, (0, 0)), (0.5, (0, 0)), (0.5, (100, 200)), (0.75, (0, 0))],
)
def test_confirmation_age_with_loss(loss, latency):
    """T (1 + p)/(2 (1 − p)) + d."""
    settings = {
        "estate.premises": 2_000,
        "reporting.rule": "periodic",
        "reporting.period": "1 h",
        "reporting.phase.window": "1 h",
        "reporting.loss": loss,
        "window.warm_up": "2 d",
        "window.length": "1 d",
    }
    if any(latency):
        settings["network"] = latencies(*latency)

    sums = [ledger(tables) for tables in replications(settings, N)]

    found = (total["confirmation_s2"] / (total["n_confirmed"] * DAY_S) for total in sums)
    assert agrees(found, closed_forms.mean_confirmation_age_s(HOUR_S, loss, sum(latency)))


def test_what_nobody_mends_grows_old_as_time_goes():
    """Changed in the first hours of day 1 and never told of: at a random time until day 61 a wrong
    record is half of that old, half are younger, and 53 of 60 days are past the seventh.
    """
    settings = one_change(DAY_S, 61) | {"reporting.rule": "none"}
    settings["updates.local"] = settings["updates.local"].replace("8 h", "1 min")
    values = measure(tables_of(settings), Window(0, 61 * DAY_S))

    assert values["wrong_age_days_mean", "ppmid/north"] == pytest.approx(30, abs=0.01)
    assert values["wrong_age_days_p50", "ppmid"] == pytest.approx(30, rel=0.02)  # within its band
    assert values["wrong_age_days_p95", "ppmid"] == pytest.approx(57, rel=0.05)
    assert values["record_wrong_past_7d_share", "ppmid"] == pytest.approx(53 / 61, abs=0.001)
    assert values["record_wrong_share", "ppmid"] == pytest.approx(60 / 61, abs=0.001)
