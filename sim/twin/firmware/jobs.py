"""Over the air: one job a device, from the offer to the record (`docs/firmware.md` section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.planning.paths import permitted
from sim.twin.firmware.alerts import cut_supply, sound
from sim.twin.firmware.changes import change_version
from sim.twin.firmware.estate import Job, Try
from sim.twin.firmware.moments import until
from sim.twin.messages import Process
from sim.words import HomeEvent, Reach

if TYPE_CHECKING:
    from collections.abc import Generator

    from simpy.events import Event

    from sim.planning.campaigns import Campaign
    from sim.twin.firmware.estate import Living
    from sim.twin.firmware.world import FirmwareWorld

    # a part of an attempt, which returns why the attempt failed; empty if it did not
    Part = Generator[Event, Any, str]

TRIED_AGAIN = ("wan_lost", "han_failed", "image_lost", "activation_failed")
BY_HUB = ("ppmid", "hcalcs")  # served by hubs that are ready
METERS = ("esme", "gsme")


def offer(
    world: FirmwareWorld, campaign: Campaign, device: Living, version: int, second: int
) -> None:
    """Offer *version* to *device* for *second*."""
    job = Job(device, campaign, version, second, second)
    job.follow("offer")
    device.job = job
    world.jobs.append(job)
    world.env.process(lifetime(world, job))


def lifetime(world: FirmwareWorld, job: Job) -> Process:
    """Make attempt after attempt until the job has ended."""
    while True:
        yield until(world, job.due_s, HomeEvent.JOB, job.device.slot)
        if job.ended:  # withdrawn
            return
        why = yield from attempt(world, job)
        if not why:
            return
        if why not in TRIED_AGAIN or job.attempt >= world.firmware.ota.retries:
            job.end("refuse" if job.state == "offered" else "fail", why, world.now_s)
            return
        job.tries[-1].failed = world.now_s, why
        job.follow("retry")
        job.attempt += 1
        job.due_s = world.now_s + world.firmware.ota.retry_after


def attempt(world: FirmwareWorld, job: Job) -> Part:
    """Make an attempt, which the DSP checks now."""
    job.tries.append(Try(world.now_s))
    world.tell("image_request")
    why = refusal(world, job)
    if why:
        return why
    job.follow("accept")
    job.tries[-1].accepted_s = world.now_s
    world.tell("image")
    why = yield from delivery(world, job)
    if not why:
        why = yield from activation(world, job)
    return why


def refusal(world: FirmwareWorld, job: Job) -> str:
    """Return why the DSP refuses *job* now; empty if it does not."""
    device, image = job.device, world.images[job.device.model_name][job.version]
    if world.now_s < image.corrected_s:
        return "refused_hash"
    if not world.is_on_cpl(device, job.version, world.now_s):
        return "refused_listing"
    if device.device_type in BY_HUB and world.now_s < world.hubs[device.premises].ready_s:
        return "refused_hub"
    return ""


def delivery(world: FirmwareWorld, job: Job) -> Part:
    """Take the image to the hub, and over the HAN to the device."""
    device, hub = job.device, world.hubs[job.device.premises]
    yield wait(
        world,
        job,
        between(
            world,
            job,
            world.firmware.ota.distribution[device.region.name],
            "ota.distribution",
            job.occasion,
        ),
    )
    if device.premises.reach is not Reach.REACHED:
        return "no_wan"
    if happens(world, job, world.firmware.ota.loss, "ota.lost", job.occasion):
        return "wan_lost"
    job.follow("take")
    taken_s = job.tries[-1].taken_s = world.now_s
    crossing_s, n_interruptions = crossing(world, job)
    hub.free_s = max(taken_s, hub.free_s) + crossing_s
    yield wait(world, job, hub.free_s - taken_s)
    if device.is_off or n_interruptions == 8:
        return "han_failed"
    if taken_s < hub.exchanged_s <= world.now_s:
        return "image_lost"
    job.tries[-1].held_s = world.now_s
    if device.device_type in BY_HUB:
        world.tell("transferred")
        sound(world, device, "transferred")
    else:
        world.tell("received")
        sound(world, device, "received")
    return ""


def crossing(world: FirmwareWorld, job: Job) -> tuple[int, int]:
    """Return how long the image takes over the HAN, and how often it is interrupted."""
    ota, model = world.firmware.ota, job.device.model
    interval_ms = ota.interval_sleepy if model.sleepy else ota.interval_awake
    n_interruptions = 0
    while n_interruptions < 8 and happens(
        world, job, ota.interruption, "ota.interrupted", 8 * job.occasion + n_interruptions
    ):
        n_interruptions += 1
    return (
        max(1, -(-(-(-model.size // ota.block) * interval_ms) // 1000))
        + n_interruptions * ota.resume,
        n_interruptions,
    )


def activation(world: FirmwareWorld, job: Job) -> Part:
    """Run the image, or fail to, and answer."""
    device = job.device
    ota = world.firmware.ota
    current = job.tries[-1]
    is_ppmid = device.device_type == "ppmid"
    if not is_ppmid:
        job.follow("hold")
        yield wait(
            world,
            job,
            between(world, job, ota.activation.wait, "ota.activation_wait", job.occasion),
        )
        device.suspend(world.now_s)
        world.tell("activation")
    job.follow("activate")
    current.told_s = made_s = world.now_s
    why = run(world, job)
    world.tell("answer")
    yield wait(world, job, between(world, job, ota.response.delay, "ota.response", job.occasion))
    if happens(world, job, ota.response.loss, "ota.response_lost", job.occasion):
        if is_ppmid:
            job.end("miss", "unheard", world.now_s)
            return ""
        job.follow("suspend")
        return (yield from repair(world, job))
    current.answered_s = world.now_s
    device.resume(world.now_s)
    if not why:
        current.succeeded_s = current.recorded_s = world.now_s
        world.write(device, made_s, job.version)
        job.end("record", "done", world.now_s)
    return why


def run(world: FirmwareWorld, job: Job) -> str:
    """Let the device run the image now; return why it does not, or nothing."""
    device = job.device
    if not permitted(device.model, device.version_true, job.version):
        return "not_permitted"
    if happens(world, job, world.firmware.ota.activation.failure, "ota.activation", job.occasion):
        return "activation_failed"
    job.tries[-1].runs_s = world.now_s
    change_version(world, device, job.version)
    if device.device_type == "ppmid":
        world.tell("activated")
        sound(world, device, "activated")
    if device.device_type == "esme" and happens(
        world, job, device.model.cut, "ota.cut", job.occasion
    ):
        world.tell("cut")
        cut_supply(
            world,
            device,
            between(world, job, world.firmware.ota.cut_length, "ota.cut_length", job.occasion),
        )
    return ""


def repair(world: FirmwareWorld, job: Job) -> Part:
    """Look at a Suspended device until a read of it is answered (MP105), or for ever."""
    device, ota = job.device, world.firmware.ota
    n = 0
    while True:
        yield wait(world, job, ota.response.patience)
        if ota.mp105 is None or world.now_s < ota.mp105.start:
            job.follow("resend")
            if ota.mp105 is None:
                return ""
            yield wait(world, job, ota.mp105.start - world.now_s)
        job.follow("read")
        world.tell("repair_read")
        occasion = 64 * job.occasion + n % 64
        n += 1
        yield wait(world, job, between(world, job, ota.mp105.read, "ota.repair", occasion))
        if happens(world, job, ota.response.loss, "ota.repair_lost", occasion):
            job.follow("miss")
            continue
        device.resume(world.now_s)
        world.write(device, world.now_s, device.version_true)
        if device.base < job.version:
            return "activation_failed"
        job.tries[-1].recorded_s = world.now_s
        job.end("repair", "repaired", world.now_s)
        return ""


def wait(world: FirmwareWorld, job: Job, seconds: int) -> Event:
    """Return the event at which *job* goes on, in *seconds*."""
    return until(world, world.now_s + seconds, HomeEvent.JOB, job.device.slot)


def happens(world: FirmwareWorld, job: Job, share: float, stream: str, occasion: int) -> bool:
    """Return whether a *share* happens to the device of *job*."""
    return world.luck.happens(share, stream, job.device.place, job.device.index, occasion)


def between(world: FirmwareWorld, job: Job, times: Any, stream: str, occasion: int) -> int:
    """Return a time of the device of *job*, evenly from low to high."""
    return int(times.low) + world.luck.scaled(
        times.high - times.low + 1, stream, job.device.place, job.device.index, occasion
    )
