"""What must agree about firmware: models, their releases and paths, the local channel, the ban, reports and alerts (S1-01 … S1-18; `docs/firmware.md`)."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose
from typing import Final

from sim import units
from sim.faults import FAULTS
from sim.scenario.alerts import FIRMWARE_CAUSES, Alerts
from sim.scenario.faults import Finding, Path, did_you_mean
from sim.scenario.firmware import LIVING, MOST_VERSIONS, Firmware, Model
from sim.scenario.outages import Faults
from sim.scenario.reach import LOCALLY
from sim.scenario.schema import EstateSpec, Reporting, Updates, Window
from sim.units import added

_SENT_BY: Final = {"transferred": ("hub",), "received": ("esme", "gsme"), "activated": ("ppmid",), "cut": ("hub",), "cut_restored": ("esme",)}
_MODELS: Final[Path] = ("firmware", "models")
_RELEASES: Final[Path] = ("firmware", "releases")
_HORIZON: Final[tuple[Path, ...]] = (("window", "length"), ("window", "warm_up"))


def horizon(window: Window) -> tuple[int, str]:
    """Return the second at which the world ends, and how it is written."""
    end = window.warm_up + window.length
    return end, units.format_duration(end)


def versions(firmware: Firmware, window: Window) -> dict[str, int]:
    """Return how many versions of each model are built before the world ends."""
    end, _ = horizon(window)
    built = dict.fromkeys(firmware.models, 0)
    for release in firmware.releases:
        if release.first < end and release.model in built:
            built[release.model] += 1 if release.every is None else (end - 1 - release.first) // release.every + 1
    return built


def _of_type(firmware: Firmware, device_type: str) -> list[str]:
    return [name for name, model in firmware.models.items() if model.type == device_type]


def models_make_up_their_type(firmware: Firmware | None) -> Iterator[Finding]:
    """Find types whose models' shares do not add up to the whole, and models that cut a supply that is not theirs."""
    if firmware is None:
        return
    for device_type in LIVING:
        names = _of_type(firmware, device_type)
        total = added(firmware.models[name].share for name in names)
        if names and not isclose(total, 1, rel_tol=0, abs_tol=1e-9):
            message = f"the shares of the models of {device_type} ({', '.join(names[:8])}) add up to {total:.9g}; they must add up to 1"
            yield (*_MODELS, names[-1], "share"), message, tuple((*_MODELS, name, "share") for name in names)
    for name, model in firmware.models.items():
        if model.cut and model.type != "esme":
            yield (*_MODELS, name, "cut"), f"a {model.type} does not feed its hub; cut is for models of esme", ((*_MODELS, name, "type"),)


def releases_have_owners(firmware: Firmware | None, estate: EstateSpec) -> Iterator[Finding]:
    """Find releases for a model that there is not, or that nobody owns."""
    if firmware is None:
        return
    for index, release in enumerate(firmware.releases):
        where: Path = (*_RELEASES, index, "model")
        model = firmware.models.get(release.model)
        if model is None:
            allowed = ", ".join(firmware.models) or "none"
            yield where, f"there is no model {release.model}; firmware.models has: {allowed}{did_you_mean(release.model, firmware.models)}", (_MODELS,)
        elif not model.share:
            share = (*_MODELS, release.model, "share")
            yield where, f"nobody owns {release.model}: its share of its type, {model.type}, is 0 %; leave its releases out or give it a share", (share,)
        elif not estate.devices[model.type]:
            devices: Path = ("estate", "devices", model.type)
            yield where, f"nobody owns {release.model}: the estate has no {model.type}", (devices, (*_MODELS, release.model, "type"))


def releases_fit_the_window(firmware: Firmware | None, window: Window) -> Iterator[Finding]:
    """Find windows that end before anything is built, and models with more versions than can be told apart."""
    if firmware is None:
        return
    end, text = horizon(window)
    first = min((release.first for release in firmware.releases), default=0)
    if first >= end:
        message = f"nothing is ever built: the first image is due at {units.format_duration(first)}, but the world ends at {text}"
        yield _RELEASES, message, (*((*_RELEASES, index, "first") for index in range(len(firmware.releases))), *_HORIZON)
    for name, count in versions(firmware, window).items():
        if count > MOST_VERSIONS:
            index = max(index for index, release in enumerate(firmware.releases) if release.model == name)
            message = f"{name} would have {count:,} versions before the world ends at {text}; at most {MOST_VERSIONS}"
            rows = tuple((*_RELEASES, row, "every") for row, release in enumerate(firmware.releases) if release.model == name)
            yield (*_RELEASES, index), message, (*rows, *_HORIZON)


def upgrades_lead_upwards(firmware: Firmware | None, window: Window) -> Iterator[Finding]:
    """Find steps between versions that can never be taken, and steps that go round in a circle."""
    if firmware is None:
        return
    built = versions(firmware, window)
    for name, model in firmware.models.items():
        there = f"{name} has the versions 0 to {built[name]}" if built[name] else f"nothing is built for {name}"
        others: tuple[Path, ...] = ((*_MODELS, name, "downgrades"), _RELEASES, *_HORIZON)
        for version, earlier in model.permitted.items():
            where: Path = (*_MODELS, name, "permitted", version)
            if version == 0:
                yield where, "version 0 is what a device is made with; nobody installs it", ()
            elif version > built[name]:
                yield where, f"version {version} is never built; {there}", others
            if not earlier:
                yield where, f"version {version} may be installed from no version; name one, or leave the entry out to permit all", ()
            for index, running in enumerate(earlier):
                if message := _never(name, model, version, running, built[name], there):
                    yield (*where, index), message, others
        if circle := _circle(model):
            way = " to ".join(str(version) for version in circle)
            yield (*_MODELS, name, "permitted"), f"the upgrades go round in a circle, {way}; take one step out, or refuse downgrades", others


def _never(name: str, model: Model, version: int, running: int, n_built: int, there: str) -> str:
    """Return why no device takes the step from *running* to *version*; nothing if one might."""
    if running == version:
        return f"version {version} is its own predecessor; a device that runs it needs no update"
    if running > n_built:
        return f"version {running} is never built; {there}"
    if running > version and model.downgrades == "refused":
        return f"version {running} is higher than {version}, and {name} refuses downgrades; the step can never be taken"
    return ""


def _circle(model: Model) -> list[int]:
    """Return a circle of permitted steps, its first version again at the end; nothing where there is none."""
    if model.downgrades == "refused":
        return []  # every step goes up
    steps = {running: [v for v, earlier in model.permitted.items() if running in earlier and running != v] for e in model.permitted.values() for running in e}
    done: set[int] = set()
    for start in sorted(steps):
        way, ahead = [start], [iter(steps[start])]
        while ahead and start not in done:
            version = next(ahead[-1], None)
            if version is None:
                done.add(way.pop())
                ahead.pop()
            elif version in way:
                return [*way[way.index(version) :], version]
            elif version not in done:
                way.append(version)
                ahead.append(iter(steps.get(version, ())))
    return []


def local_updates_have_ways(firmware: Firmware | None) -> Iterator[Finding]:
    """Find channels that do not add up to the whole."""
    if firmware is None:
        return
    channels = firmware.local.channels
    total = added(channel.share for channel in channels.values())
    if not isclose(total, 1, rel_tol=0, abs_tol=1e-9):
        where: Path = ("firmware", "local", "channels")
        message = f"the shares of {', '.join(list(channels)[:8])} add up to {total:.9g}; they must add up to 1 (null takes an inherited one away)"
        message = message if channels else "names no way of updating; give at least one"
        yield where, message, tuple((*where, name, "share") for name in channels)


def screening_is_asked(firmware: Firmware | None, window: Window) -> Iterator[Finding]:
    """Find a design that no device ever asks, and a gateway that answers nobody or is never up."""
    if firmware is None:
        return
    screening, built = firmware.screening, versions(firmware, window)
    where: Path = ("firmware", "screening")
    locally = [name for name, model in firmware.models.items() if model.type in LOCALLY and built[name]]
    if screening.design in ("signature", "allow_list", "token") and locally and all(firmware.models[name].asks_from > built[name] for name in locally):
        asks = tuple((*_MODELS, name, "asks_from") for name in locally)
        yield (*where, "design"), "nothing is ever screened: every model asks from a version on that is never built", (*asks, _RELEASES, *_HORIZON)
    if screening.design == "token" and screening.capacity is not None and screening.capacity * units.HOUR_S < 1:
        yield (*where, "capacity"), f"{units.format_rate(screening.capacity)} is less than one answer an hour; the gateway answers nobody", ()
    for index, outage in enumerate(screening.gateway_outages):
        place = (*where, "gateway_outages", index)
        if outage.every is not None and outage.every <= outage.duration:
            every, duration = units.format_duration(outage.every), units.format_duration(outage.duration)
            yield (*place, "every"), f"comes again after {every}, before the {duration} of its duration are over; the gateway is never up", ()


def the_ban_bans(updates: Updates, firmware: Firmware | None, window: Window) -> Iterator[Finding]:
    """Find a ban without a world it acts in, one of what is not there, and one that comes before there is another way."""
    ban = updates.ban
    where: Path = ("updates", "ban")
    if ban is None:
        return
    if firmware is None:
        yield where, "a ban is for worlds with a firmware block; extend gb_firmware, or take it out", ()
        return
    held, starts = ban.start + ban.grace, firmware.ota.start
    end, text = horizon(window)
    dates: tuple[Path, ...] = ((*where, "start"), (*where, "grace"))
    if not updates.has_local:
        message = f"the policy {updates.policy} has no local updates that a ban could end; write local_and_ota, or take the ban out"
        yield where, message, (("updates", "policy"),)
    if held >= end:
        yield where, f"the ban holds from {units.format_duration(held)} on (start and grace), but the world ends at {text}", (*dates, *_HORIZON)
    if ban.scope == "everywhere" and held < starts:
        message = f"the ban holds from {units.format_duration(held)} on, before updates over the air exist at {units.format_duration(starts)}; scope: "
        yield (*where, "start"), f"{message}where_ota_works waits for them", (*dates, (*where, "scope"), ("firmware", "ota", "start"))
    if ban.scope == "where_ota_works" and "ppmid" not in firmware.ota.types:
        message = "holds nowhere: no type that can be updated locally is among firmware.ota.types; add ppmid, or write everywhere"
        yield (*where, "scope"), message, (("firmware", "ota", "types"),)


def reports_are_of_a_firmware_world(reporting: Reporting, firmware: Firmware | None) -> Iterator[Finding]:
    """Find rules and devices that only a firmware world has, and in such a world what it does not have."""
    rule, devices = ("reporting", "rule"), ("reporting", "devices")
    if firmware is None:
        if reporting.traits.needs_firmware:
            yield rule, f"{reporting.rule} is for worlds with a firmware block; extend gb_firmware, or choose another rule", ()
        for index, device in enumerate(reporting.devices):
            if device in ("esme", "gsme"):
                yield (*devices, index), f"{device} reports only in worlds with a firmware block; write ppmid, ihd or hcalcs", ()
        return
    if reporting.phase.jitter:
        yield ("reporting", "phase", "jitter"), "a firmware world has no jitter; write 0 s", (("firmware",),)
    if reporting.phase.source == "activation":
        message = "a firmware world has no phase that activation fixes; write fixed_clock, power_on or hashed"
        yield ("reporting", "phase", "source"), message, (("firmware",),)
    if reporting.traits.is_silent:
        return
    types = [name for name in LIVING if _of_type(firmware, name)]
    for index, device in enumerate(reporting.devices):
        if device not in types:
            message = f"there is no model of {device}, so that none reports; there are models of {', '.join(types) or 'nothing'}"
            yield (*devices, index), message, (rule, _MODELS)
    if reporting.traits.is_cloud and reporting.devices and not {*reporting.devices} & {*LOCALLY}:
        message = f"only ppmid and ihd take part in local updates, by which the rule {reporting.rule} reports; add one of them"
        yield devices, message, (rule,)


def faults_are_of_a_firmware_world(faults: Faults, firmware: Firmware | None) -> Iterator[Finding]:
    """Find faults that a firmware world does not have."""
    if firmware is None:
        return
    allowed = " and ".join(row.id for row in FAULTS.values() if row.in_firmware)
    for row in FAULTS.values():
        if getattr(faults, row.id) and not row.in_firmware:
            message = f"{row.id} are not yet part of a firmware world; only {allowed} are"
            yield ("faults", row.id), message, (("firmware",),)


def causes_have_their_senders(alerts: Alerts, firmware: Firmware | None) -> Iterator[Finding]:
    """Find alerts of firmware in a world without it, and those whose sender never has their cause."""
    for name, alert in alerts.kinds.items():
        where: Path = ("alerts", "kinds", name)
        if alert.cause not in FIRMWARE_CAUSES:
            continue
        if firmware is None:
            yield (*where, "cause"), f"{alert.cause} is a cause only in worlds with a firmware block; extend gb_firmware, or choose another", ()
        if alert.sender not in _SENT_BY[alert.cause]:
            senders = " or ".join(_SENT_BY[alert.cause])
            yield (*where, "sender"), f"an alert whose cause is {alert.cause} comes from {senders}, not from {alert.sender}", ((*where, "cause"),)
