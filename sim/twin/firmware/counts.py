"""The twin's counting of firmware's life: the tables that only a firmware world fills, read off its
logs and histories after it has ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sim.planning import campaigns as planned
from sim.planning import releases as planned_releases
from sim.planning.releases import highest_listed, is_listed
from sim.scenario.firmware import LIVING
from sim.tables import LATENCY_EDGES_S
from sim.twin.firmware.campaigns import SILENT, TOLD
from sim.twin.firmware.estate import Living
from sim.twin.ledgers import is_unknown_before, was_wrong_before
from sim.words import UNKNOWN_VERSION, VARIANT

if TYPE_CHECKING:
    from sim.planning.campaigns import Campaign
    from sim.tables import Trace
    from sim.twin.firmware.estate import Job, Try
    from sim.twin.firmware.world import FirmwareWorld
    from sim.twin.ledgers import Record
    from sim.twin.records import Rows


def releases(world: FirmwareWorld) -> Rows:
    """Yield every image."""
    images = (image for model in sorted(world.images) for image in world.images[model].values())
    yield from planned_releases.rows(images, world.scenario)


def campaigns(world: FirmwareWorld) -> Rows:
    """Yield every campaign that became due."""

    def totals(campaign: Campaign) -> tuple[int, int, int, int]:
        ended = Counter(job.ended for job in world.jobs if job.campaign is campaign)
        told, silent = (sum(ended[how] for how in ends) for ends in (TOLD, SILENT))
        return ended["done"] + ended["repaired"], told, silent, ended["withdrawn"]

    yield from planned.rows(world.programme.campaigns, totals)


def jobs(world: FirmwareWorld) -> Rows:
    """Yield how jobs ended."""
    counted = [job for job in world.jobs if job.first_s >= world.warm_up_s]
    for key, n in Counter(
        (
            *_place(job),
            job.device.model_name,
            job.device.device_type,
            job.version,
            job.ended or "open",
        )
        for job in counted
    ).items():
        yield *key, n


def _place(job: Job) -> tuple[str]:
    return (job.device.region.name,)


def _tries(world: FirmwareWorld) -> Iterator[tuple[Living, Try]]:
    """Yield the attempts that count."""
    for job in world.jobs:
        for one in job.tries:
            if one.checked_s >= world.warm_up_s:
                yield job.device, one


def steps(world: FirmwareWorld) -> Rows:
    """Yield how far attempts over the air came."""
    came: Counter[tuple[str, str, str]] = Counter()
    for device, one in _tries(world):
        seconds = {
            "offered": one.checked_s,
            "accepted": one.accepted_s,
            "taken": one.taken_s,
            "held": one.held_s,
            "activated": one.runs_s,
            "answered": one.succeeded_s,
            "recorded": one.recorded_s,
        }
        came.update(
            (device.region.name, device.device_type, step)
            for step, second in seconds.items()
            if second is not None
        )
    for key, n in came.items():
        yield *key, n


def latencies(world: FirmwareWorld) -> Rows:
    """Yield how long the steps of attempts took."""
    took: Counter[tuple[str, str, int, int]] = Counter()
    for device, one in _tries(world):
        spans = {
            "distribution": (one.checked_s, one.taken_s),
            "han": (one.taken_s, one.held_s),
            "activation": (one.held_s, one.told_s),
            "response": (one.told_s, one.answered_s),
            "whole": (one.checked_s, one.recorded_s),
        }
        for step, (began_s, ended_s) in spans.items():
            if began_s is not None and ended_s is not None:
                band = max(i for i, low in enumerate(LATENCY_EDGES_S) if low <= ended_s - began_s)
                took[
                    device.device_type, step, LATENCY_EDGES_S[band], LATENCY_EDGES_S[band + 1]
                ] += 1
    for key, n in took.items():
        yield *key, n


def local(world: FirmwareWorld) -> Rows:
    """Yield what became of local attempts."""
    counted = [entry for entry in world.tried if entry[0] >= world.warm_up_s]
    for key, n in Counter(
        (device.device_type, device.channel, *how) for _, device, *how in counted
    ).items():
        yield *key, n


def readings(world: FirmwareWorld) -> Rows:
    """Yield who read, and what the record was."""
    counted = [entry for entry in world.readings if entry[0] >= world.warm_up_s]
    for key, n in Counter(
        (process, device.device_type, state) for _, process, device, state in counted
    ).items():
        yield *key, n


def decisions(world: FirmwareWorld) -> Rows:
    """Yield what was decided on reads."""
    prices = world.firmware.reads.prices
    counted = [entry for entry in world.decisions if entry[0] >= world.warm_up_s]
    for (process, device_type, outcome), n in Counter(
        (process, device.device_type, outcome) for _, process, device, outcome in counted
    ).items():
        yield (
            process,
            device_type,
            outcome,
            0.0 if outcome == "right" else getattr(prices, outcome),
            n,
        )


def told(world: FirmwareWorld) -> Rows:
    """Yield the messages of each kind."""
    yield from Counter(kind for second, kind in world.told if second >= world.warm_up_s).items()


def status(world: FirmwareWorld) -> Rows:
    """Yield what is summed over devices."""
    start_s, stop_s = world.warm_up_s, world.horizon_s
    for device_type in LIVING:
        devices = [device for device in world.living() if device.device_type == device_type]
        ages_s = [
            age_s
            for second, device, age_s in world.found
            if second >= start_s and device.device_type == device_type
        ]
        runs = [(device, *spell) for device in devices for spell in _runs(device, stop_s)]
        sums = {
            "suspended_s": sum(
                _overlap(spell, (start_s, stop_s))
                for device in devices
                for spell in device.suspended
            ),
            "unlisted_s": sum(
                _unlisted_s(world, device, version, max(began_s, start_s), ended_s)
                for device, version, began_s, ended_s in runs
            ),
            "variant_s": sum(
                max(0, ended_s - max(began_s, start_s))
                for _, version, began_s, ended_s in runs
                if version >= VARIANT
            ),
            "suspended_end_n": sum(_is_suspended_before(device, stop_s) for device in devices),
            "variant_end_n": sum(device.version_true >= VARIANT for device in devices),
            "found_n": len(ages_s),
            "found_s": sum(ages_s),
            "forgotten_n": sum(
                second >= start_s and device.device_type == device_type
                for second, device in world.forgotten
            ),
        }
        for what, value in sums.items():
            yield device_type, what, value


def _runs(device: Living, stop_s: int) -> Iterator[tuple[int, int, int]]:
    """Yield the spells of *device* with one version, as (version, begin, end)."""
    began_s, version = 0, 0
    for change in device.changes:
        yield version, began_s, change.second
        began_s, version = change.second, change.version
    yield version, began_s, stop_s


def _overlap(spell: tuple[int, int | None], window: tuple[int, int]) -> int:
    """Return how much of *spell*, which may be open, lies in *window*."""
    return max(
        0, (window[1] if spell[1] is None else min(spell[1], window[1])) - max(spell[0], window[0])
    )


def _unlisted_s(
    world: FirmwareWorld, device: Living, version: int, began_s: int, ended_s: int
) -> int:
    """Return how long of [*began_s*, *ended_s*) the *version* of *device* is no variant and not on
    the CPL.
    """
    if version in (0, *range(VARIANT, UNKNOWN_VERSION)) or ended_s <= began_s:
        return 0
    image = world.images[device.model_name][version]
    return ended_s - began_s - _overlap((image.listed_s, image.delisted_s), (began_s, ended_s))


def _is_suspended_before(device: Living, second: int) -> bool:
    return any(
        began_s < second and (ended_s is None or ended_s >= second)
        for began_s, ended_s in device.suspended
    )


def _runs_before(device: Living, second: int) -> int:
    """Return the base version that *device* ran just before *second*."""
    return (
        next((change.version for change in reversed(device.changes) if change.second < second), 0)
        % VARIANT
    )


def _moments(world: FirmwareWorld) -> list[int]:
    """Return the end of each step after warm-up, and of the window."""
    step_s = world.firmware.step
    first = world.warm_up_s // step_s + 1
    return [*range(first * step_s, world.horizon_s, step_s), world.horizon_s]


def behind(world: FirmwareWorld) -> Rows:
    """Yield how many devices run less than the highest version of a class that is listed."""
    images = [image for model in world.images.values() for image in model.values()]
    kinds = {(image.device_type, image.release_class) for image in images}
    for device_type, release_class in sorted(kinds):
        devices = [device for device in world.living() if device.device_type == device_type]
        for at_s in _moments(world):
            goals: dict[str, int] = {}
            for image in images:
                if image.release_class == release_class and is_listed(image, at_s - 1):
                    goals[image.model] = max(image.version, goals.get(image.model, 0))
            n = sum(_runs_before(one, at_s) < goals.get(one.model_name, 0) for one in devices)
            yield device_type, release_class, at_s, n


def states(world: FirmwareWorld) -> Rows:
    """Yield how many records are wrong and unknown, and devices behind and Suspended, at the end of
    each step and of the window.
    """
    for at_s in _moments(world):
        goals = {
            name: highest_listed(world.images[name].values(), at_s - 1)
            for name in ("", *world.firmware.models)
        }
        for device_type in world.row_types:
            devices = [device for device in world.living() if device.device_type == device_type]
            n_behind = sum(
                _runs_before(device, at_s) < goals[device.model_name] for device in devices
            )
            n_suspended = sum(_is_suspended_before(device, at_s) for device in devices)
            kept: dict[str, list[Record]] = {
                "hub": [device.hub_record for device in devices],
                "smi": [device.smi for device in devices],
            }
            for ledger, records in kept.items():
                n_wrong = sum(was_wrong_before(record, at_s) for record in records)
                yield (
                    ledger,
                    device_type,
                    at_s,
                    n_wrong,
                    sum(is_unknown_before(record, at_s) for record in records),
                    n_behind,
                    n_suspended,
                )


def fill_lives(trace: Trace, world: FirmwareWorld) -> None:
    """Write every device's last state into *trace*."""
    for device in sorted(
        world.living(), key=lambda device: (device.region.name, device.slot, device.index)
    ):
        smi_since_s, hub_since_s = device.smi.wrong_since_s, device.hub_record.wrong_since_s
        is_forgotten = device.hub_record.is_kept and device.hub_record.state == "unknown"
        work: tuple[Any, ...] = (
            ("idle", 0, 0)
            if device.job is None
            else (device.job.state, device.job.version, device.job.attempt)
        )
        trace.lives.append((
            device.region.name, device.slot, device.index, device.version_true, device.smi.version,
            UNKNOWN_VERSION if is_forgotten else device.hub_record.version, *work,
            -1 if smi_since_s is None else smi_since_s, -1 if hub_since_s is None else hub_since_s,
        ))  # fmt: skip
