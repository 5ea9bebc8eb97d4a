"""The local channel: who tries which image, when, and what becomes of it (`docs/firmware.md`
section 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.kernels import draws
from sim.planning.paths import permitted
from sim.twin.firmware.changes import ask_for_read, change_version
from sim.twin.firmware.estate import Trial
from sim.twin.firmware.moments import LOCAL_JUDGED, RELEASES, until
from sim.twin.firmware.screening import is_screened, screen
from sim.twin.moments import Gathering, Moment
from sim.units import HOUR_S, WEEK_S
from sim.words import VARIANT, HomeEvent, Reach

if TYPE_CHECKING:
    from sim.planning.releases import Image
    from sim.scenario.firmware import Hours
    from sim.twin.firmware.estate import Living
    from sim.twin.firmware.world import FirmwareWorld
    from sim.twin.messages import Process

TURNED_AWAY = ("busy", "expired", "gateway_down")


def start_local(world: FirmwareWorld) -> None:
    """Start a process for every image that is offered locally, where anybody tries."""
    trials = Gathering(
        world.env,
        LOCAL_JUDGED,
        order_tried,
        lambda trials: [judge(world, trial) for trial in trials],
    )
    if world.scenario.updates.has_local:
        for image in (
            image
            for versions in world.images.values()
            for image in versions.values()
            if image.local_s < world.horizon_s
        ):
            world.env.process(offer(world, image, trials))


def offer(world: FirmwareWorld, image: Image, trials: Gathering[Trial]) -> Process:
    """Offer *image* to whoever takes part, in place of what has not been tried yet."""
    yield Moment(world.env, image.local_s, RELEASES)
    for device in world.living():
        if device.model_name == image.model and device.takes_part and not device.is_off:
            is_variant = world.luck.happens(
                world.firmware.local.variant,
                "local.variant",
                device.place,
                device.index,
                image.version,
            )
            if device.trial is not None and device.trial.state == "tried":
                device.trial.follow("replace")
            device.trial = Trial(device, image.version, is_variant)
            world.env.process(
                trying(world, device.trial, first_try_s(world, device, image), trials)
            )


def first_try_s(world: FirmwareWorld, device: Living, image: Image) -> int:
    """Return when *device* will try *image*."""
    spec, at = world.firmware.local, (device.place, device.index, image.version)
    second = image.local_s + world.luck.gap_s(
        1 / spec.channels[device.channel].delay, "local.delay", *at
    )
    if spec.hours is None:
        return second
    second = second // WEEK_S * WEEK_S + hour_of_week_s(
        spec.hours, world.luck.word("local.hour", *at)
    )
    return second if second >= image.local_s else second + WEEK_S


def hour_of_week_s(hours: Hours, word: int) -> int:
    """Return the second of the week of *word*, by inversion of the weights of its 168 hours."""
    weights = [day * hour for day in hours.days for hour in hours.hours]
    cumulative, thresholds = 0.0, [0]
    totals = []
    for weight in weights:
        cumulative += weight
        totals.append(cumulative)
    thresholds += [draws.threshold(total / cumulative) for total in totals]
    hour = next(i for i in range(168) if word < thresholds[i + 1])
    return hour * HOUR_S + ((word - thresholds[hour]) * HOUR_S) // (
        thresholds[hour + 1] - thresholds[hour]
    )


def trying(world: FirmwareWorld, trial: Trial, second: int, trials: Gathering[Trial]) -> Process:
    """Try at *second*, and again later while the gateway turns the device away, unless something
    newer is offered.
    """
    while True:
        yield until(world, second, HomeEvent.LOCAL)
        if trial.device.trial is not trial:
            return
        outcome = yield trials.join(trial)
        if outcome not in TURNED_AWAY:
            trial.device.trial = None
            return
        second += world.firmware.screening.retry


def order_tried(trial: Trial) -> tuple[int, int, int]:
    """Return what orders those who try in one second."""
    return trial.device.region.number, trial.device.slot, trial.device.index


def judge(world: FirmwareWorld, trial: Trial) -> str:
    """Let *trial* be made now, and return what becomes of it."""
    device, now_s = trial.device, world.now_s
    if trial.state == "none":
        trial.follow("try")
    world.tried_by_hour[now_s // HOUR_S] += 1
    is_listed = not trial.is_variant and world.is_on_cpl(device, trial.version, now_s)
    is_banned = bans(world, device)
    outcome = "banned" if is_banned else screen(world, trial, world.tried_by_hour[now_s // HOUR_S])
    asked = not is_banned and is_screened(world, device)
    if not outcome:
        outcome = (
            "installed"
            if permitted(device.model, device.version_true, trial.version)
            else "not_permitted"
        )
    event = {
        "banned": "ban",
        "blocked": "block",
        "not_permitted": "refuse",
        "installed": "install",
    }.get(outcome, "turn_away")
    trial.follow(event)
    world.tried.append(
        (
            now_s,
            device,
            "variant" if trial.is_variant else "listed" if is_listed else "unlisted",
            asked,
            outcome,
        )
    )
    if outcome == "installed":
        change_version(world, device, trial.version + VARIANT * trial.is_variant)
        ask_for_read(world, device)
    return outcome


def bans(world: FirmwareWorld, device: Living) -> bool:
    """Return whether a ban keeps *device* from a local update now."""
    ban = world.scenario.updates.ban
    ota = world.firmware.ota
    now_s = world.now_s
    if ban is None or now_s < ban.start + ban.grace:
        return False
    if ban.scope == "where_ota_works":
        is_served = (
            device.device_type not in ("ppmid", "hcalcs")
            or world.hubs[device.premises].ready_s <= now_s
        )
        if not (
            device.device_type in ota.types
            and now_s >= ota.start
            and device.premises.reach is Reach.REACHED
            and is_served
        ):
            return False
    return world.luck.happens(ban.compliance, "local.complies", device.place, device.index, 0)
