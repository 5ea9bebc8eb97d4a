"""A stand-in for a firmware world: no engine, but tables that follow from the scenario by formulas,
and add up; a little luck a replication.
"""

from __future__ import annotations

from sim.tables import Tables
from tests.metrics.hand import tables

DAY_S = 86_400
STORING = ("hub_store", "hub_poll", "hub_batch", "digest", "piggy_back")
ATTEMPTS = {"listed": 10_000, "unlisted": 400, "variant": 100}


def wrong_at_end(scenario) -> float:
    """Return the share of PPMID records wrong at the end: take-up where local updates are allowed,
    cut to a tenth by a rule that tells the SMI; by one with a timer of more than a week to a fifth,
    in the hub to three tenths.
    """
    local = scenario.firmware.local.take_up if scenario.updates.policy == "local_and_ota" else 0.01
    rule = scenario.reporting.rule
    told = rule != "none" and (rule != "hub_store" or scenario.reporting.read.refreshes_smi)
    if rule in ("periodic", "hub_batch") and scenario.reporting.period > 7 * DAY_S:
        return local * (0.2 if rule == "periodic" else 0.3)
    return local * (0.1 if told else 1.0)


def _records(scenario, replication):
    """Return `ledgers`, `staleness`, `states` and `behind`: wrong shares rise evenly over the
    window; hubs forget a third at its middle if they are exchanged.
    """
    window, exchanged = scenario.window, scenario.firmware.ota.exchange is not None
    types = sorted({model.type for model in scenario.firmware.models.values()})
    hub = scenario.reporting.rule in STORING
    ledgers, states, staleness, behind = [], [], [], []
    end = window.warm_up + window.length
    moments = [*range(window.warm_up + scenario.firmware.step, end, scenario.firmware.step), end]
    for name in types:
        n = round(1000 * scenario.estate.devices[name])
        for ledger in ("hub", "smi"):
            rise = (
                wrong_at_end(scenario)
                * (1 + 0.02 * replication)
                * (0.3 if ledger == "hub" else 1.0)
            )
            known = name != "ihd" if ledger == "smi" else hub
            wrong = [
                (round(n * rise * (at - window.warm_up) / window.length) if known else 0)
                for at in moments
            ]
            dark = [
                (
                    round(n / 3)
                    if ledger == "hub"
                    and hub
                    and exchanged
                    and 2 * (at - window.warm_up) > window.length
                    else 0
                )
                for at in moments
            ]
            unknown = dark if known else [n] * len(moments)
            mean_wrong, mean_unknown = (
                int(sum(part) / len(moments) * window.length) for part in (wrong, unknown)
            )
            ledgers.append(
                (
                    ledger,
                    name,
                    "north",
                    n,
                    n,
                    n * window.length - mean_wrong - mean_unknown,
                    mean_wrong,
                    mean_unknown,
                    0.0,
                    0.0,
                    0,
                    7,
                    0,
                    0,
                )
            )
            states += [
                (ledger, name, at, w, u, n // 4, _suspended(scenario, name, at, n))
                for at, w, u in zip(moments, wrong, unknown, strict=True)
            ]  # fmt: skip
            staleness += [(ledger, name, 0, DAY_S, mean_wrong)] if mean_wrong else []
        shares = {"defect": 20, "feature": 4}
        behind += [(name, of, at, n // part) for of, part in shares.items() for at in moments]
    return {"ledgers": ledgers, "states": states, "staleness": staleness, "behind": behind}


def _suspended(scenario, name, at, n):
    """Return how many devices are Suspended at a second: one in a hundred more by the end, none any
    more once the repair is there; no PPMIDs.
    """
    repair = scenario.firmware.ota.mp105
    gone = name in ("ppmid", "ihd") or (repair is not None and at >= repair.start)
    return 0 if gone else round(n / 100 * (at - scenario.window.warm_up) / scenario.window.length)


def _use(scenario, replication):
    """Return `readings` and `decisions`: calls meet twice the share wrong of all reads, and half of
    what is read wrong is decided wrong.
    """
    wrong = wrong_at_end(scenario) / 2 * (1 + 0.02 * replication)
    readings, decisions = [], []
    for process, n, times in (("gain", 400, 1.0), ("call", 200, 2.0), ("compliance", 4000, 1.0)):
        bad = round(n * wrong * times)
        readings += [
            (process, "ppmid", "wrong", bad),
            (process, "ppmid", "right", n - bad),
            (process, "ihd", "unknown", n // 10),
        ]
        if process != "call":
            decisions += [
                (process, "ppmid", "false_compliance", 67.0, bad // 2),
                (process, "ppmid", "right", 0.0, n - bad // 2),
            ]
    if scenario.reporting.rule == "audit":
        readings += [
            ("audit", "ppmid", "wrong", round(500 * wrong)),
            ("audit", "ppmid", "right", 500 - round(500 * wrong)),
        ]
    return {"readings": readings, "decisions": decisions}


def _screened(scenario, replication):
    """Return `local` and `status`: who asks (nine of ten) is stopped with all that is not listed,
    one in a hundred of the others too; where manufacturers wait two months all are listed by
    then, and variants are run for a fifth of the time.
    """
    screening, rows = scenario.firmware.screening, []
    asks = screening.design in ("signature", "allow_list", "token")
    for image, whole in ATTEMPTS.items():
        asked = whole * 9 // 10 if asks else 0
        stopped = asked if image != "listed" else asked // 100
        rows += [
            ("ppmid", "app", image, False, "installed", whole - asked + replication),
            ("ppmid", "app", image, True, "blocked", stopped),
        ]
        away = asked // 50 if screening.design == "token" and image == "listed" else 0
        rows += [
            ("ppmid", "app", image, True, "gateway_down", away),
            ("ppmid", "app", image, True, "installed", asked - stopped - away),
        ]
    through = sum(
        n for _, _, image, _, outcome, n in rows if image != "listed" and outcome == "installed"
    )
    early = through if scenario.firmware.local.lead < 60 * DAY_S else 0
    found = through if screening.design == "audit" else 0
    left = _suspended(scenario, "esme", scenario.window.warm_up + scenario.window.length, 1000)
    return {
        "local": rows,
        "status": [
            ("ppmid", "unlisted_s", 20 * DAY_S * early),
            ("ppmid", "variant_s", (5 if early else 1) * DAY_S * through),
            ("ppmid", "found_n", found),
            ("ppmid", "found_s", 30 * DAY_S * found),
            ("esme", "suspended_end_n", left),
            ("esme", "suspended_s", 100 * DAY_S),
            (
                "ppmid",
                "forgotten_n",
                30 if scenario.firmware.ota.exchange and scenario.reporting.rule in STORING else 0,
            ),
        ],
    }


def _sent(scenario, replication):
    """Return what goes over the air: a campaign takes as many weeks as its step has days, and is as
    loud as it is quick; a step of 30 days is stopped.
    """
    step_days, warm_up = scenario.firmware.campaign.ramp.step // DAY_S, scenario.window.warm_up
    soak = scenario.firmware.campaign.soak // DAY_S
    took, ended = (7 * step_days + soak) * DAY_S, "aborted" if step_days >= 30 else "finished"
    kind = next(
        (name for name in scenario.alerts.active if scenario.alerts.kinds[name].cause == "cut"),
        None,
    )
    bands = {
        "distribution": 65_536,
        "han": 2048,
        "activation": 131_072,
        "response": 512,
        "whole": 262_144,
    }
    return {
        "jobs": [
            ("north", "a", "ppmid", 1, "done", 880 - replication),
            ("north", "a", "ppmid", 1, "repaired", 20),
            ("north", "a", "ppmid", 1, "wan_lost", 70),
            ("north", "a", "ppmid", 1, "withdrawn", 20),
            ("north", "a", "ppmid", 1, "open", 10),
        ],
        "steps": [
            ("north", "ppmid", step, n)
            for step, n in zip(
                ("offered", "accepted", "taken", "held", "activated", "answered", "recorded"),
                (1100, 1080, 1000, 960, 940, 900, 900 - replication),
                strict=True,
            )
        ],
        "latencies": [("ppmid", step, low, int(low * 1.4142), 100) for step, low in bands.items()],
        "campaigns": [
            (
                "a",
                "ppmid",
                1,
                "defect",
                warm_up,
                warm_up,
                warm_up + took + replication * DAY_S,
                ended,
                4,
                1000,
                900,
                70,
                0,
                20,
            )
        ],
        "told": [
            ("image", 1080),
            ("answer", 900),
            ("version_report", 0 if scenario.reporting.rule == "none" else 5000),
            ("cut", 40),
        ],
        "kinds": [(kind, "AD1", True, True, False, -1.0)] if kind else [],
        "fates": [(kind, "delivered", "", 30)] if kind else [],
        "peaks": (
            [
                ("dsp", "dsp", name, 1, 60 // step_days + 5 * (soak > 7) + replication, 0)
                for name in (kind, "alerts", "all")
            ]
            if kind
            else []
        ),
    }


def replicate(scenario, replication: int, **_: object) -> Tables:
    """Return the tables of one replication."""
    found = (
        _records(scenario, replication)
        | _use(scenario, replication)
        | _screened(scenario, replication)
        | _sent(scenario, replication)
    )
    return tables(
        **found,
        population=[("premises", region, 1000) for region in sorted(scenario.estate.regions)]
        + [("reporting", "north", 800)],
    )
