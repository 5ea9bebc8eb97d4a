"""Worlds of a few premises, small enough to work out by hand."""

from __future__ import annotations

from typing import Any

from sim import twin
from sim.scenario.schema import Scenario
from sim.tables import Trace
from sim.twin.estate import Luck, build
from sim.twin.world import TwinWorld


def tiny(**blocks: dict[str, Any] | list[Any]) -> Scenario:
    """Return a day of four premises in one region with a PPMID each, which report at 01:00 through
    no network; *blocks* change that.
    """
    tree: dict[str, Any] = {
        "schema_version": 1,
        "name": "tiny",
        "question": "none",
        "seed": 1,
        "replications": 1,
        "window": {"start": "2026-01-01", "warm_up": "0 s", "length": "1 d"},
        "estate": {
            "premises": 4,
            "devices": {"esme": 1.0, "gsme": 0.0, "ppmid": 1.0, "ihd": 0.0, "hcalcs": 0.0},
            "regions": {"north": 1.0},
            "premises_per_cell": 4,
            "no_wan_share": 0.0,
            "not_communicating_share": 0.0,
            "users": {"large": 1.0},
        },
        "updates": {
            "policy": "ota_only",
            "local": {
                "driver": "poisson",
                "rate": "4 /year",
                "take_up": 1.0,
                "first_release": "0 s",
                "delay": "1 h",
            },
        },
        "reporting": {
            "rule": "periodic",
            "devices": ["ppmid"],
            "period": "1 d",
            "heartbeat": "1 d",
            "phase": {"source": "fixed_clock", "at": "01:00", "window": "0 s", "jitter": "0 s"},
            "loss": 0.0,
            "han_loss": 0.0,
            "read": {"rate": "0 /d", "refreshes_smi": False},
            "target": "1 s",
            "size": "132 B",
            "request_size": "78 B",
            "xml_overhead": "1701 B",
            "fan_out": 1,
        },
        "traffic": {
            "level": 0,
            "kinds": {
                "alarm": {
                    "alert": True,
                    "per": "premises",
                    "rate": "1 /s",
                    "target": "5 s",
                    "size": "145 B",
                    "profile": "flat",
                }
            },
            "profiles": {"flat": [1] * 24},
        },
        "network": [],
        "faults": {"power_cuts": []},
        "alerts": {},
    }
    for name, block in blocks.items():
        tree[name] = tree[name] | block if isinstance(block, dict) else block
    return Scenario.model_validate(tree)


def messages(scenario: Scenario) -> list[tuple[int, str, str, int]]:
    """Return (leave, cause, fate, second written) of the reports that enter, in order."""
    trace = Trace([], [])
    twin.replicate(scenario, 0, trace=trace)
    return sorted(
        (raised_s, cause, fate, at_s)
        for *_, raised_s, cause, fate, _, at_s in trace.messages
        if fate not in ("expired", "lost")
    )


def rows(scenario: Scenario, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Return *columns* of a *table* of the twin."""
    return list(
        twin.replicate(scenario, 0)[table][list(columns)].itertuples(index=False, name=None)
    )


def ended(scenario: Scenario) -> TwinWorld:
    """Return the world of *scenario* at its horizon."""
    luck = Luck(scenario.seed, 0)
    return twin.run_world(scenario, luck, build(scenario, luck))
