"""Small firmware worlds in which nothing goes wrong and nothing takes longer than it must, save
what a law speaks of.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from sim.run import replicate
from sim.scenario.load import load
from sim.tables import Tables

DAY_S = 86_400
MODEL = {
    "share": "100 %",
    "size": "480 B",
    "sleepy": "false",
    "downgrades": "refused",
    "asks_from": "0",
    "cut": "0 %",
}
# the models of gb_firmware
_GONE = dict.fromkeys(("ppmid_a", "ppmid_b", "ppmid_c", "ihd_a", "hcalcs_a"), "null")
SMOOTH = {
    "window.warm_up": "0 s",
    "window.length": "60 d",
    "estate.premises": 400,
    "estate.regions": "{north: 100 %, central: 0 %, south: 0 %}",
    "estate.no_wan_share": "0 %",
    "estate.not_communicating_share": "0 %",
    "reporting.rule": "none",
    "network": "[]",
    "firmware.releases": "[{model: it, class: defect, first: 1 d}]",
    "firmware.off": "{ppmid: 0 %, ihd: 0 %, hcalcs: 0 %}",
    "firmware.pipeline": (
        "{assurance: {low: 0 s, high: 0 s}, reject: 0 %, listing: 0 s, data_error: 0 %, withdrawn:"
        " 0 %}"
    ),
    "firmware.local": (
        "{take_up: 0 %, lead: 0 s, variant: 0 %, hours: null, channels: {pushed: {share: 100 %,"
        " delay: 1 d}, app: null, usb: null}}"
    ),
    "firmware.screening": "{false_accept: 0 %, false_reject: 0 %}",
    "firmware.ota.hub_ready": "{start: 0 s, curve: [{share: 100 %, time: 0 s}]}",
    "firmware.ota.distribution.north": "{low: 60 s, high: 60 s}",
    "firmware.ota.capacity.north": "1000 /s",
    "firmware.ota.loss": "0 %",
    "firmware.ota.interruption": "0 %",
    "firmware.ota.activation": "{wait: {low: 30 s, high: 30 s}, failure: 0 %}",
    "firmware.ota.response": "{delay: {low: 10 s, high: 10 s}, loss: 0 %, patience: 1 d}",
    "firmware.ota.mp105.read": "{low: 7 s, high: 7 s}",
    "firmware.ota.retries": 0,
    "firmware.campaign": (
        "{lead: 0 s, open: {at: '00:00', length: 24 h}, soak: 1 d, approval: 0 s, error_threshold:"
        " 100 %, success_threshold: 0 %, sweeps: 0}"
    ),
    "firmware.campaign.ramp": (
        "{kind: constant, step: 1 s, share: 100 %, first: null, factor: null}"
    ),
    "firmware.reads.install": "0 /year",
    "firmware.reads.gain": "0 /year",
    "firmware.reads.call.share": "0 %",
}


def firmware_world(
    settings: dict[str, Any],
    replication: int = 0,
    device_type: str = "ppmid",
    models: dict[str, dict[str, Any]] | None = None,
) -> Tables:
    """Return the tables of a world of one model, `it`, of *device_type*, of which each premises has
    one; *settings* change what is `SMOOTH`.

    Its first version is built, listed and sent over the air after a day. *models* changes the
    models: what is said of each stands beside `MODEL`.
    """
    models = models or {"it": {}}
    entries = {name: {"type": device_type} | MODEL | model for name, model in models.items()}
    types = sorted({model["type"] for model in entries.values()})
    one = {
        "firmware.models": _flow(_GONE | entries),
        "estate.devices": _flow(
            {
                name: "100 %" if name in types else "0 %"
                for name in ("esme", "gsme", "ppmid", "ihd", "hcalcs")
            }
        ),
        "reporting.devices": f"[{', '.join(types)}]",
        "firmware.ota.types": f"[{', '.join(name for name in types if name != 'ihd')}]",
    }
    sets = [f"{path}={value}" for path, value in (SMOOTH | one | settings).items()]
    return replicate(load("gb_firmware", sets), replication)


def _flow(value: Any) -> str:
    """Return *value* as a scenario writes it in a line."""
    return (
        "{" + ", ".join(f"{name}: {_flow(entry)}" for name, entry in value.items()) + "}"
        if isinstance(value, dict)
        else str(value)
    )


def counted(table: pd.DataFrame, by: str, value: str = "n", **where: Any) -> dict[Any, int]:
    """Return the sums of *value* by column *by*, of the rows of *table* where the columns named
    have the values given; without nought.
    """
    for column, wanted in where.items():
        table = table[table[column] == wanted]
    return {key: int(n) for key, n in table.groupby(by)[value].sum().items() if n}


def status(tables: Tables) -> dict[str, int]:
    """Return what is summed in the table of that name, over device types; without nought."""
    return counted(tables["status"], "what", "value")
