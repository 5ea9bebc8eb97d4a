"""What there is to tell of a device's life in a firmware world: its images by either way, its
attempts, and what stopped them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.planning import NEVER_S
from sim.words import VARIANT, Reach

if TYPE_CHECKING:
    from sim.twin.firmware.estate import Job, Living, Try
    from sim.twin.firmware.world import FirmwareWorld

Told = tuple[int, str]  # a second, and what happened in it

_ENDS = {
    "refused_hash": "the DSP refuses it: its hash is not the one on the list",
    "refused_listing": "the DSP refuses it: it is not on the list",
    "refused_hub": "the DSP refuses it: the hub cannot serve it yet",
    "no_wan": "it never arrives: nobody can hear the hub",
    "wan_lost": "it is lost on the way to the hub",
    "han_failed": "it does not get over the HAN",
    "image_lost": "it goes with the hub, which is exchanged",
    "activation_failed": "the answer says that it is not run",
    "not_permitted": "the answer says that it is not run, for the step is not permitted",
    "unheard": "the answer is lost, and nobody knows",
    "withdrawn": "the offer is withdrawn",
    "done": "the answer arrives, and the SMI is written",
    "repaired": "a read (11.2) is answered, and the SMI is written",
}


def facts(world: FirmwareWorld, device: Living) -> list[str]:
    """Return who *device* is."""
    home = device.premises
    hub = world.hubs[device.premises]
    rule = world.scenario.reporting.rule
    reach = {
        Reach.REACHED: "reached by WAN",
        Reach.NO_WAN: "without WAN",
        Reach.NOT_COMMUNICATING: "its hub not communicating",
    }[home.reach]
    known = [
        (
            f"{device.device_type.upper()} in {device.region.name}, premises {device.index} (user"
            f" {home.user})"
        ),
        f"model {device.model_name}" if device.model_name else "no model of it",
        reach,
        (
            f"takes local updates ({device.channel})"
            if device.takes_part
            else "takes no local updates"
        ),
        f"rule {rule}, " + ("reports" if device.reports and rule != "none" else "does not report"),
    ]
    known += ["switched off for ever"] if device.is_off else []
    return (
        known + ["its hub can never update it"]
        if hub.ready_s == NEVER_S and device.device_type in ("ppmid", "hcalcs")
        else known
    )


def lines(world: FirmwareWorld, device: Living) -> Iterator[Told]:
    """Yield what happened to *device*, in no order."""
    hub = world.hubs[device.premises]
    if hub.exchanged_s < world.horizon_s:
        yield hub.exchanged_s, "its hub is exchanged" + (
            "; the new one knows nothing of it" if device.hub_record.is_kept else ""
        )
    for second, who, image, is_asked, outcome in world.tried:
        if who is device:
            asked = ", having asked" if is_asked else ""
            runs = _runs(device, second) if outcome == "installed" else ""
            came = f"{outcome.replace('_', ' ')}{runs}"
            yield second, f"tries a local update ({image} image){asked}: {came}"
    for job in (job for job in world.jobs if job.device is device):
        yield from _of_job(job)


def _runs(device: Living, second: int) -> str:
    version = next((change.version for change in device.changes if change.second == second), 0)
    return (
        f"; it runs version {version % VARIANT}{' in a variant' if version >= VARIANT else ''}; the"
        f" SMI says {device.smi.version_before(second)}"
    )


def _of_job(job: Job) -> Iterator[Told]:
    for number, one in enumerate(job.tries):
        again = f", attempt {number + 1}" if number else ""
        yield one.checked_s, f"version {job.version} is to be sent over the air{again}" + (
            ", and the DSP accepts it" if one.accepted_s is not None else ""
        )
        yield from _of_try(job, one)
    if job.ended:
        yield job.ended_s, f"version {job.version}: {_ENDS[job.ended]}"


def _of_try(job: Job, one: Try) -> Iterator[Told]:
    if one.taken_s is not None:
        yield one.taken_s, "the hub has the image"
    if one.held_s is not None:
        yield one.held_s, "the device has the image"
    if one.told_s is not None:
        is_told = job.device.device_type != "ppmid"
        what = f"it runs version {job.version}" if one.runs_s is not None else "it does not run it"
        yield one.told_s, ("is told to run it (11.3), " if is_told else "") + what + (
            "; the SMI has it Suspended" if is_told else ""
        )
    if one.failed is not None:
        yield one.failed[0], f"{_ENDS[one.failed[1]]}; it will be sent again"
