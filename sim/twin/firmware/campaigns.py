"""Campaigns: whom a group looks at, and who is offered what, when (`docs/firmware.md` section 6).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sim.planning.campaigns import Begin, Withdraw
from sim.planning.paths import hops, permitted
from sim.twin.firmware.jobs import offer
from sim.twin.firmware.moments import CAMPAIGNS
from sim.twin.moments import Moment
from sim.words import VARIANT

if TYPE_CHECKING:
    from sim.planning.campaigns import Campaign
    from sim.twin.firmware.estate import Living
    from sim.twin.firmware.world import FirmwareWorld
    from sim.twin.messages import Process

TOLD = ("refused_hash", "refused_listing", "refused_hub", "activation_failed", "not_permitted")
SILENT = ("unheard", "no_wan", "wan_lost", "han_failed", "image_lost")


def run_campaigns(world: FirmwareWorld) -> Process:
    """Carry out what the programme of campaigns decides, whenever it does."""
    programme = world.programme
    while (second := programme.next_s()) < world.horizon_s:
        yield Moment(world.env, second - world.now_s, CAMPAIGNS)
        for order in programme.decide(second, lambda campaign: outcomes(world, campaign)):
            if isinstance(order, Withdraw):
                withdraw(world, order.campaign)
            else:
                begin(world, order)


def outcomes(world: FirmwareWorld, campaign: Campaign) -> tuple[int, int]:
    """Return how many jobs of *campaign* are done, and how many are told to have failed."""
    ended = Counter(job.ended for job in world.jobs if job.campaign is campaign)
    return ended["done"] + ended["repaired"], sum(ended[how] for how in TOLD)


def withdraw(world: FirmwareWorld, campaign: Campaign) -> None:
    """Withdraw the jobs of *campaign* that are still offered."""
    for job in world.jobs:
        if job.campaign is campaign and job.state == "offered":
            job.end("withdraw", "withdrawn", world.now_s)


def begin(world: FirmwareWorld, group: Begin) -> None:
    """Let a group of a campaign begin: look at its devices, and offer those below the goal the next
    step on their way.
    """
    campaign, now_s = group.campaign, world.now_s
    image, targets = campaign.image, []
    steps = hops(
        world.firmware.models[image.model], world.images[image.model].values(), campaign.goal, now_s
    )
    for device in world.living():
        if (
            device.model_name != image.model
            or device.device_type not in world.firmware.ota.types
            or device.job is not None
        ):
            continue
        key = key_of(world, device, campaign.goal)
        if group.low_key <= key < group.high_key:
            record = device.smi.version % VARIANT
            step = steps[record] if record < campaign.goal else 0
            world.read("targeting", device)
            world.decide("targeting", device, target_outcome(device, record, campaign.goal, step))
            if step:
                targets.append((device, key, step))
    takes_s = world.programme.spread(
        campaign, now_s, Counter(device.region.name for device, _, _ in targets)
    )
    for device, key, step in targets:
        share = ((key - group.low_key) * takes_s[device.region.name]) // (
            group.high_key - group.low_key
        )
        offer(world, campaign, device, step, world.programme.opening(now_s, share))


def target_outcome(device: Living, record: int, goal: int, step: int) -> str:
    """Return what is right or wrong about taking *device* for a target of *goal*, or not, by its
    *record*.
    """
    if record >= goal:
        return "missed" if device.base < goal else "right"
    if device.base >= goal:
        return "wasted"
    return (
        "wrong_path" if step and not permitted(device.model, device.version_true, step) else "right"
    )


def key_of(world: FirmwareWorld, device: Living, goal: int) -> int:
    """Return the place of *device* in a campaign, in [0, 2^32)."""
    word = world.luck.word("rollout.order", device.place, device.index, goal)
    estate = world.scenario.estate
    order = world.firmware.campaign.order
    if order == "by_cell":
        n_cells = -(-device.region.n_premises // estate.premises_per_cell)
        return ((device.index // estate.premises_per_cell << 32) + word) // n_cells
    if order == "by_supplier":
        return ((sorted(estate.users).index(device.premises.user) << 32) + word) // len(
            estate.users
        )
    if order == "by_risk":
        return ((min(device.smi.version % VARIANT, goal - 1) << 32) + word) // goal
    return word
