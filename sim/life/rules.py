"""A firmware world's rules and facts as the numbers its kernels know."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.calendar import dial
from sim.estate.estate import ROW_TYPES
from sim.kernels.draws import threshold
from sim.kernels.firmware import columns as c
from sim.planning import NEVER_S
from sim.planning.paths import permitted
from sim.streams import stream_key
from sim.tables import LATENCY_EDGES_S, STALENESS_EDGES_S
from sim.transitions import job_table
from sim.words import Design, PhaseSource

if TYPE_CHECKING:
    from sim.planning.releases import Image
    from sim.scenario.air import Between, FromNothing
    from sim.scenario.firmware import Firmware
    from sim.scenario.schema import Scenario

TYPES: Final = (*ROW_TYPES, "esme", "gsme")  # in the order of rows and of the kernels' numbers


def firmware_of(scenario: Scenario) -> Firmware:
    """Return the firmware block of *scenario*, which is there."""
    assert scenario.firmware is not None, "a firmware world has a firmware block"
    return scenario.firmware


def rules_of(scenario: Scenario, region: int) -> NDArray[Any]:
    """Return the rules of *scenario* in the *region* of that number: one record."""
    firmware = firmware_of(scenario)
    reporting = scenario.reporting
    rule = scenario.reporting.traits
    window = scenario.window
    phase = reporting.phase
    ota = firmware.ota
    ban = scenario.updates.ban
    screening = firmware.screening
    reads = firmware.reads
    repair = firmware.ota.mp105
    causes = {scenario.alerts.kinds[name].cause for name in scenario.alerts.active}
    distribution = ota.distribution[list(scenario.estate.regions)[region]]
    values: dict[str, Any] = {
        "measure_s": window.warm_up,
        "horizon_s": window.warm_up + window.length,
        "region": region,
        "trigger": rule.trigger,
        "from_hub": rule.by_hub,
        "stores": rule.hub_keeps,
        "refreshes": reporting.read.refreshes_smi,
        "is_cloud": rule.is_cloud,
        "is_digest": rule.has_detail,
        "period_s": reporting.timer_s,
        "phase": PhaseSource.of(phase.source),
        "at_s": phase.at,
        "phase_window_s": phase.window,
        "event_delay_s": reads.event_delay,
        "ban_s": min(ban.start + ban.grace, NEVER_S) if ban else NEVER_S,
        "ban_everywhere": ban is not None and ban.scope == "everywhere",
        "comply": threshold(ban.compliance) if ban else 0,
        "ota_s": ota.start,
        "design": Design.of(screening.design),
        "list_age_s": screening.list_age,
        "fails_open": screening.fail == "open",
        "install_s": screening.install,
        "token_life_s": screening.token_life,
        "again_s": screening.retry,
        "reseed": ota.exchange is not None and ota.exchange.reseed,
        "resume_s": ota.resume,
        "patience_s": ota.response.patience,
        "repair_s": repair.start if repair else NEVER_S,
        "retries": ota.retries,
        "retry_s": ota.retry_after,
        "emits": bool(causes & {"transferred", "received", "activated", "cut", "cut_restored"}),
        **_between("distribution", distribution),
        **_between("wait", ota.activation.wait),
        **_between("answer", ota.response.delay),
        **_between("cut", ota.cut_length),
        **(_between("repair", repair.read) if repair else {"repair_low": 1, "repair_n": 1}),
        "loss": threshold(reporting.loss),
        "han_loss": threshold(reporting.han_loss),
        "variant": threshold(firmware.local.variant),
        "signed": threshold(screening.signed),
        "false_accept": threshold(screening.false_accept),
        "false_reject": threshold(screening.false_reject),
        "wan_loss": threshold(ota.loss),
        "interruption": threshold(ota.interruption),
        "failure": threshold(ota.activation.failure),
        "answer_loss": threshold(ota.response.loss),
        "call": threshold(reads.call.share),
        "read_rate": float(reporting.read.rate),
        "gain_rate": float(reads.gain),
        "install_rate": float(reads.install),
        "call_rate": 1.0 / reads.call.delay,
    }
    rules = np.zeros(1, c.RULES)
    for name in c.RULES.names or ():
        rules[0][name] = values[name]
    return rules


def _between(name: str, times: Between | FromNothing) -> dict[str, int]:
    return {f"{name}_low": times.low, f"{name}_n": times.high - times.low + 1}


def facts_of(scenario: Scenario, replication: int, images: Sequence[Image]) -> NDArray[Any]:
    """Return what no device changes: one record of keys, models, images, bands."""
    firmware = firmware_of(scenario)
    # number n is of those without a model
    models, n = [firmware.models[name] for name in sorted(firmware.models)], len(firmware.models)
    facts = np.zeros(1, c.FACTS)
    one = facts[0]
    for number, model in enumerate(models):
        highest = max(
            (image.version for image in images if image.model_number == number), default=0
        )
        for version in range(1, highest + 1):
            for running in range(highest + 1):
                one["permitted"][number, version, running] = permitted(model, running, version)
    for name in ("listed_s", "corrected_s", "delisted_s"):
        one[name][:] = NEVER_S
        for image in images:
            one[name][image.model_number, image.version] = getattr(image, name)
    one["keys"][:] = [stream_key(scenario.seed, replication, name) for name in c.stream_names()]
    one["transitions"][:] = job_table()
    one["han_s"][:n] = [han_s(firmware, name) for name in sorted(firmware.models)]
    one["asks_from"][:] = c.MOST_VERSIONS
    one["asks_from"][:n] = [model.asks_from for model in models]
    one["cut"][:n] = [threshold(model.cut) for model in models]
    outages = _outages(scenario)
    channels = [channel for _, channel in sorted(firmware.local.channels.items())]
    facts["n_outages"], facts["n_channels"] = len(outages), len(channels)
    one["out_from_s"][: len(outages)] = [start for start, _ in outages]
    one["out_until_s"][: len(outages)] = [stop for _, stop in outages]
    one["stale_edges"][:], one["latency_edges"][:] = STALENESS_EDGES_S, LATENCY_EDGES_S
    one["reports"][:] = [name in scenario.reporting.devices for name in TYPES]
    one["over_air"][:] = [name in firmware.ota.types for name in TYPES]
    for name, column in dial(scenario)._asdict().items():
        one[f"dial_{name}"][:] = NEVER_S
        one[f"dial_{name}"][: len(column)] = column
    shares = np.cumsum([channel.share for channel in channels])
    one["channels"][: len(channels)] = [
        threshold(min(float(share / shares[-1]), 1.0)) for share in shares
    ]
    return facts


def han_s(firmware: Firmware, model: str) -> int:
    """Return the seconds that an image of *model* takes over the HAN without interruption."""
    spec, ota = firmware.models[model], firmware.ota
    milliseconds = -(-spec.size // ota.block) * (
        ota.interval_sleepy if spec.sleepy else ota.interval_awake
    )
    return max(1, -(-milliseconds // 1000))


def _outages(scenario: Scenario) -> list[tuple[int, int]]:
    """Return [from, until) of every outage of the token gateway."""
    horizon_s = scenario.window.warm_up + scenario.window.length
    found = []
    for outage in firmware_of(scenario).screening.gateway_outages:
        starts = range(outage.start, horizon_s, outage.every) if outage.every else [outage.start]
        found += [(start, start + outage.duration) for start in starts]
    return sorted(found)


def hours_of(firmware: Firmware) -> NDArray[Any]:
    """Return the uint64 thresholds of the hours of the week, or nothing where any time is as good.
    """
    if firmware.local.hours is None:
        return np.zeros(0, np.uint64)
    products = [
        day * hour for day in firmware.local.hours.days for hour in firmware.local.hours.hours
    ]
    total, sums = sum(products), [0.0]
    for product in products:
        sums.append(sums[-1] + product)
    thresholds = [threshold(min(share / total, 1.0)) for share in sums[1:]]
    last = max(i for i, (low, high) in enumerate(pairwise([0, *thresholds])) if high > low)
    thresholds[last:] = [2**32] * (len(thresholds) - last)
    return np.array(thresholds, np.uint64)
