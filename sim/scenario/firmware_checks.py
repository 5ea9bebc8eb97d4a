"""What must agree about firmware: models, their releases, and the steps between versions (S1-01 …
S1-18; `docs/firmware.md`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isclose
from typing import Final

from sim import units
from sim.scenario.faults import Finding, Path
from sim.scenario.firmware import LIVING, MOST_VERSIONS, Firmware, Model, Release
from sim.scenario.forms import HORIZON
from sim.scenario.schema import EstateSpec, Window
from sim.units import added

MODELS: Final[Path] = ("firmware", "models")
RELEASE_ROWS: Final[Path] = ("firmware", "releases")
_MOST_LISTED: Final = 8


def horizon(window: Window) -> tuple[int, str]:
    """Return the second at which the world ends, and how it is written."""
    end = window.warm_up + window.length
    return end, units.format_duration(end)


def versions(firmware: Firmware, window: Window) -> dict[str, int]:
    """Return how many versions of each model are built before the world ends."""
    end, _ = horizon(window)
    built = dict.fromkeys(firmware.models, 0)
    for release in firmware.releases:
        if release.model in built:
            built[release.model] += _times(release, end)
    return built


def _times(release: Release, end_s: int) -> int:
    """Return how often a row of releases is built before *end_s*."""
    if release.first >= end_s:
        return 0
    if release.every is None:
        return 1
    return (end_s - 1 - release.first) // release.every + 1


def of_type(firmware: Firmware, device_type: str) -> list[str]:
    """Return the names of the models of a *device_type*."""
    return [name for name, model in firmware.models.items() if model.type == device_type]


def models_make_up_their_type(firmware: Firmware) -> Iterator[Finding]:
    """Find types whose models' shares do not add up to the whole."""
    for device_type in LIVING:
        names = of_type(firmware, device_type)
        total = added(firmware.models[name].share for name in names)
        if not names or isclose(total, 1, rel_tol=0, abs_tol=1e-9):
            continue
        listed = ", ".join(names[:_MOST_LISTED])
        message = (
            f"the shares of the models of {device_type} ({listed}) add up to {total:.9g};"
            " they must add up to 1"
        )
        others = tuple((*MODELS, name, "share") for name in names)
        yield (*MODELS, names[-1], "share"), message, others


def models_cut_what_they_feed(firmware: Firmware) -> Iterator[Finding]:
    """Find models that cut a supply that is not theirs."""
    for name, model in firmware.models.items():
        if model.cut and model.type != "esme":
            message = f"a {model.type} does not feed its hub; cut is for models of esme"
            yield (*MODELS, name, "cut"), message, ((*MODELS, name, "type"),)


def releases_have_owners(firmware: Firmware, estate: EstateSpec) -> Iterator[Finding]:
    """Find releases for a model that nobody owns."""
    for index, release in enumerate(firmware.releases):
        where: Path = (*RELEASE_ROWS, index, "model")
        model = firmware.models.get(release.model)
        if model is None:
            continue  # a form says so
        nobody = f"nobody owns {release.model}:"
        if not model.share:
            share: Path = (*MODELS, release.model, "share")
            why = f"its share of its type, {model.type}, is 0 %"
            cure = "leave its releases out or give it a share"
            yield where, f"{nobody} {why}; {cure}", (share,)
        elif not estate.devices[model.type]:
            devices: Path = ("estate", "devices", model.type)
            others = (devices, (*MODELS, release.model, "type"))
            yield where, f"{nobody} the estate has no {model.type}", others


def something_is_built(firmware: Firmware, window: Window) -> Iterator[Finding]:
    """Find windows that end before anything is built."""
    end, text = horizon(window)
    first = min((release.first for release in firmware.releases), default=0)
    if first < end:
        return
    due = units.format_duration(first)
    why = f"the first image is due at {due}, but the world ends at {text}"
    message = f"nothing is ever built: {why}"
    firsts = tuple((*RELEASE_ROWS, index, "first") for index in range(len(firmware.releases)))
    yield RELEASE_ROWS, message, (*firsts, *HORIZON)


def versions_can_be_told_apart(firmware: Firmware, window: Window) -> Iterator[Finding]:
    """Find models with more versions than can be told apart."""
    _, text = horizon(window)
    for name, count in versions(firmware, window).items():
        if count <= MOST_VERSIONS:
            continue
        rows = [row for row, release in enumerate(firmware.releases) if release.model == name]
        message = (
            f"{name} would have {count:,} versions before the world ends at {text};"
            f" at most {MOST_VERSIONS}"
        )
        others = tuple((*RELEASE_ROWS, row, "every") for row in rows)
        yield (*RELEASE_ROWS, max(rows)), message, (*others, *HORIZON)


def upgrades_lead_upwards(firmware: Firmware, window: Window) -> Iterator[Finding]:
    """Find steps between versions that can never be taken, and steps that go round in a circle."""
    built = versions(firmware, window)
    for name, model in firmware.models.items():
        others: tuple[Path, ...] = ((*MODELS, name, "downgrades"), RELEASE_ROWS, *HORIZON)
        where: Path = (*MODELS, name, "permitted")
        for version in model.permitted:
            for path, message, is_own in _at_fault(name, model, version, built[name]):
                yield (*where, version, *path), message, () if is_own else others
        if circle := _circle(model):
            way = " to ".join(str(version) for version in circle)
            cure = "take one step out, or refuse downgrades"
            yield where, f"the upgrades go round in a circle, {way}; {cure}", others


def _at_fault(
    name: str, model: Model, version: int, n_built: int
) -> Iterator[tuple[Path, str, bool]]:
    """Yield what is wrong with the way to *version* of the model *name*: the path below it, why,
    and whether that hangs on nothing else.
    """
    there = f"{name} has the versions 0 to {n_built}" if n_built else f"nothing is built for {name}"
    if version == 0:
        yield (), "version 0 is what a device is made with; nobody installs it", True
    elif version > n_built:
        yield (), f"version {version} is never built; {there}", False
    earlier = model.permitted[version]
    if not earlier:
        cure = "name one, or leave the entry out to permit all"
        yield (), f"version {version} may be installed from no version; {cure}", True
    for index, running in enumerate(earlier):
        if running == version:
            why = "a device that runs it needs no update"
            yield (index,), f"version {version} is its own predecessor; {why}", False
        elif running > n_built:
            yield (index,), f"version {running} is never built; {there}", False
        elif running > version and model.downgrades == "refused":
            message = f"version {running} is higher than {version}, and {name} refuses downgrades"
            yield (index,), f"{message}; the step can never be taken", False


def _circle(model: Model) -> list[int]:
    """Return a circle of permitted steps, its first version again at the end; nothing where there
    is none.
    """
    if model.downgrades == "refused":
        return []  # every step goes up
    steps = _steps(model)
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


def _steps(model: Model) -> Mapping[int, list[int]]:
    """Return the versions to which each leads, but itself, in the order of the file."""
    steps: dict[int, list[int]] = {}
    for version, earlier in model.permitted.items():
        for running in earlier:
            to = steps.setdefault(running, [])
            if running != version and version not in to:
                to.append(version)
    return steps
