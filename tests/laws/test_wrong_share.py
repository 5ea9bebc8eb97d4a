"""How wrong the record is under each reporting rule, against closed forms (MISSION_MAP 0.3;
tests/laws/closed_forms.py derives them).
"""

from __future__ import annotations

from math import expm1

import pytest

from tests.laws import closed_forms
from tests.laws.significance import agrees
from tests.laws.worlds import DAY_S, YEAR_S, ledger, replications, wrong_share

N = 12  # replications of a law, each with thousands of devices


def seconds(text: str) -> int:
    """Return the length of "7 d" or "3 h"."""
    number, unit = text.split()
    return int(number) * {"h": 3600, "d": DAY_S}[unit]


def periodic(
    rate: str, period: str, warm_up_periods: int, periods: int, premises: int
) -> dict[str, object]:
    """Return the settings of a world that reports every *period*, measured over whole *periods*."""
    return {
        "estate.premises": premises,
        "updates.local.rate": rate,
        "reporting.rule": "periodic",
        "reporting.period": period,
        "reporting.phase.window": period,
        "window.warm_up": f"{warm_up_periods * seconds(period)} s",
        "window.length": f"{periods * seconds(period)} s",
    }


@pytest.mark.parametrize(
    ("changes_a_year", "quoted"),
    [(4, (0.0055, 0.037, 0.148, 0.367, 0.75)), (12, (0.016, 0.107, 0.364, 0.68, 0.92))],
)
def test_the_form_gives_the_figures_a_working_group_quotes(changes_a_year, quoted):
    """Daily, weekly, monthly, quarterly and yearly reports, to the digits they are quoted with; and
    the whole-second form is the continuous one.
    """
    rate = changes_a_year / YEAR_S
    for period_s, share in zip(
        (DAY_S, 7 * DAY_S, YEAR_S // 12, YEAR_S // 4, YEAR_S), quoted, strict=True
    ):
        continuous = 1 + expm1(-rate * period_s) / (rate * period_s)
        assert closed_forms.periodic_wrong_share(rate, period_s) == pytest.approx(
            continuous, abs=rate
        )
        assert continuous == pytest.approx(share, abs=0.006)


@pytest.mark.parametrize(
    ("rate", "per_s", "period", "periods", "premises"),
    [
        ("4 /year", 4 / YEAR_S, "1 d", 5, 40_000),
        ("4 /year", 4 / YEAR_S, "7 d", 2, 20_000),
        ("12 /year", 12 / YEAR_S, "1 d", 5, 40_000),
        ("52 /year", 52 / YEAR_S, "14 d", 1, 5_000),
        ("6 /d", 6 / DAY_S, "3 h", 8, 2_000),
        ("1 /h", 1 / 3600, "12 h", 2, 2_000),
    ],
)
@pytest.mark.parametrize("source", ["hashed", "power_on", "fixed_clock"])
def test_periodic_reports_leave_the_record_wrong_for_the_closed_share(
    rate, per_s, period, periods, premises, source
):
    """1 − (1 − e^−λT)/(λT), whatever fixes the phase."""
    settings = periodic(rate, period, 1, periods, premises) | {"reporting.phase.source": source}

    expected = closed_forms.periodic_wrong_share(per_s, seconds(period))

    assert agrees((wrong_share(tables) for tables in replications(settings, N)), expected)


LOSSY = [
    # rate, per second, period, loss, periods of warm-up (p^n is then below the standard error),
    # periods measured, premises
    ("4 /year", 4 / YEAR_S, "1 d", 0.05, 4, 4, 20_000),
    ("4 /year", 4 / YEAR_S, "7 d", 0.20, 6, 2, 10_000),
    ("12 /year", 12 / YEAR_S, "1 d", 0.10, 5, 3, 20_000),
    ("52 /year", 52 / YEAR_S, "2 d", 0.50, 14, 2, 4_000),
    ("6 /d", 6 / DAY_S, "3 h", 0.30, 16, 8, 2_000),
    ("1 /d", 1 / DAY_S, "1 h", 0.75, 60, 12, 2_000),
]


@pytest.mark.parametrize(
    ("rate", "per_s", "period", "loss", "warm_up", "periods", "premises"), LOSSY
)
def test_periodic_reports_with_loss(rate, per_s, period, loss, warm_up, periods, premises):
    """The last report that arrived is a geometric number of periods back."""
    settings = periodic(rate, period, warm_up, periods, premises) | {"reporting.loss": loss}

    expected = closed_forms.periodic_wrong_share(per_s, seconds(period), loss)

    assert agrees((wrong_share(tables) for tables in replications(settings, N)), expected)


@pytest.mark.parametrize(
    ("rate", "per_s", "period", "loss", "warm_up", "periods", "premises"), LOSSY[2:]
)
def test_a_latency_adds_its_own_share(rate, per_s, period, loss, warm_up, periods, premises):
    """A record is as old as the report it holds when it is written: right shares are multiplied by
    e^−λd.
    """
    latency_s = seconds(period) // 5
    settings = periodic(rate, period, warm_up, periods, premises) | {
        "reporting.loss": loss,
        "network": f"[{{stage: dsp, latency: {latency_s} s}}]",
    }

    expected = closed_forms.periodic_wrong_share(per_s, seconds(period), loss, latency_s=latency_s)

    assert expected > 1.01 * closed_forms.periodic_wrong_share(per_s, seconds(period), loss)
    assert agrees((wrong_share(tables) for tables in replications(settings, N)), expected)


@pytest.mark.parametrize("rule", ["hub_poll", "hub_batch"])
@pytest.mark.parametrize(
    ("rate", "per_s", "period", "loss", "han_loss", "warm_up", "periods", "premises"),
    [
        ("6 /d", 6 / DAY_S, "3 h", 0.0, 0.1, 24, 8, 2_000),
        ("6 /d", 6 / DAY_S, "3 h", 0.2, 0.3, 24, 8, 2_000),
        ("4 /d", 4 / DAY_S, "12 h", 0.0, 0.5, 8, 2, 2_000),
        ("1 /d", 1 / DAY_S, "1 d", 0.05, 0.02, 14, 2, 5_000),
        ("2 /d", 2 / DAY_S, "1 h", 0.5, 1.0, 24, 12, 500),
    ],
)
def test_a_hub_passes_on_what_it_knows(
    rule, rate, per_s, period, loss, han_loss, warm_up, periods, premises
):
    """R2 and R4: the hub's own record is wrong for the share of changes it missed, and the
    inventory's for that and what periods and losses add.
    """
    settings = periodic(rate, period, warm_up, periods, premises) | {
        "reporting.rule": rule,
        "reporting.loss": loss,
        "reporting.han_loss": han_loss,
    }
    start_s, stop_s = warm_up * seconds(period), (warm_up + periods) * seconds(period)

    shares = [
        (wrong_share(tables, "smi"), wrong_share(tables, "hub"))
        for tables in replications(settings, N)
    ]

    if han_loss == 1.0:  # then no hub has ever heard of anything, and nobody else can tell
        assert all(smi == hub for smi, hub in shares)
    else:
        assert agrees(
            (smi for smi, _ in shares),
            closed_forms.periodic_wrong_share(per_s, seconds(period), loss, han_loss),
        )
    assert agrees(
        (hub for _, hub in shares),
        closed_forms.on_change_wrong_share(per_s, han_loss, start_s, stop_s),
    )


@pytest.mark.parametrize(
    ("rate", "per_s", "loss", "warm_up_d", "length_d", "premises"),
    [
        ("4 /year", 4 / YEAR_S, 0.05, 0, 30, 20_000),
        ("4 /year", 4 / YEAR_S, 0.05, 30, 20, 20_000),
        ("52 /year", 52 / YEAR_S, 0.20, 10, 20, 5_000),
        ("1 /d", 1 / DAY_S, 0.50, 14, 7, 500),
        ("20 /d", 20 / DAY_S, 0.01, 2, 2, 1_000),
    ],
)
def test_on_change_reports_leave_the_share_lost(rate, per_s, loss, warm_up_d, length_d, premises):
    """Wrong for the share of reports lost, from the first change on: however often devices change,
    and at a hundredth of the messages.
    """
    settings = {
        "estate.premises": premises,
        "updates.local.rate": rate,
        "reporting.rule": "on_change",
        "reporting.loss": loss,
        "window.warm_up": f"{warm_up_d} d",
        "window.length": f"{length_d} d",
    }

    expected = closed_forms.on_change_wrong_share(
        per_s, loss, warm_up_d * DAY_S, (warm_up_d + length_d) * DAY_S
    )

    assert agrees((wrong_share(tables) for tables in replications(settings, N)), expected)


@pytest.mark.parametrize(
    ("rate", "per_s", "period", "loss", "warm_up", "periods", "premises"),
    [
        ("2 /d", 2 / DAY_S, "1 d", 0.2, 12, 2, 3_000),
        ("2 /d", 2 / DAY_S, "2 d", 0.5, 10, 2, 2_000),
        ("6 /d", 6 / DAY_S, "3 h", 0.3, 40, 8, 1_000),
        ("1 /d", 1 / DAY_S, "12 h", 0.75, 50, 2, 2_000),
        ("24 /d", 24 / DAY_S, "1 h", 0.1, 24, 24, 500),
    ],
)
def test_on_change_and_a_heartbeat_multiply(rate, per_s, period, loss, warm_up, periods, premises):
    """R6: the report of the last change lost, times every heartbeat since."""
    settings = periodic(rate, period, warm_up, periods, premises) | {
        "reporting.rule": "on_change_heartbeat",
        "reporting.heartbeat": period,
        "reporting.period": "1 d",
        "reporting.loss": loss,
    }

    expected = closed_forms.heartbeat_wrong_share(per_s, seconds(period), loss)

    assert expected == pytest.approx(
        loss * closed_forms.periodic_wrong_share(per_s, seconds(period), loss)
    )
    assert agrees((wrong_share(tables) for tables in replications(settings, N)), expected)


@pytest.mark.parametrize(
    ("rate", "per_s", "reads", "reads_per_d", "loss", "warm_up_d", "length_d", "premises"),
    [
        ("4 /year", 4 / YEAR_S, "26 /year", 26 / 365, 0.0, 90, 5, 10_000),
        ("20 /year", 20 / YEAR_S, "20 /year", 20 / 365, 0.0, 60, 5, 5_000),
        ("1 /d", 1 / DAY_S, "1 /d", 1.0, 0.0, 12, 3, 2_000),
        ("1 /d", 1 / DAY_S, "5 /d", 5.0, 0.3, 12, 3, 2_000),
        ("52 /year", 52 / YEAR_S, "52 /year", 52 / 365, 0.5, 60, 5, 5_000),
    ],
)
def test_reads_refresh_what_they_touch(
    rate, per_s, reads, reads_per_d, loss, warm_up_d, length_d, premises
):
    """R1 with answers written to the inventory: λ/(λ + ρ), ρ the reads that are answered, however
    many a day.
    """
    settings = {
        "estate.premises": premises,
        "updates.local.rate": rate,
        "reporting.rule": "hub_store",
        "reporting.loss": loss,
        "reporting.read": f"{{rate: {reads}, refreshes_smi: true}}",
        "window.warm_up": f"{warm_up_d} d",
        "window.length": f"{length_d} d",
    }
    heard_per_d = reads_per_d * (1 - loss)

    expected = closed_forms.read_wrong_share(per_s, heard_per_d / DAY_S)

    assert expected == pytest.approx(per_s * DAY_S / (per_s * DAY_S + heard_per_d), rel=1e-3)
    assert agrees((wrong_share(tables) for tables in replications(settings, N)), expected)


@pytest.mark.parametrize("rule", ["none", "hub_store"])
def test_a_record_that_nothing_refreshes_goes_wrong_for_good(rule):
    """R0, and R1 whose reads do not reach the inventory: wrong as soon as anything changed, 1 −
    e^−λt.
    """
    settings = {
        "updates.local.rate": "4 /year",
        "reporting.rule": rule,
        "reporting.read": "{rate: 1 /d, refreshes_smi: false}",
        "window.length": "60 d",
    }

    found = list(replications(settings, N))

    assert agrees(
        map(wrong_share, found), closed_forms.on_change_wrong_share(4 / YEAR_S, 1.0, 0, 60 * DAY_S)
    )
    assert all(ledger(tables)["n_repairs"] == 0 for tables in found)
