"""How images come into the world: built, assured, submitted, listed, corrected and de-listed
(S1-09; `docs/firmware.md` section 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Final

import numpy as np

from sim.kernels import draws
from sim.planning import NEVER_S
from sim.streams import stream_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sim.scenario.firmware import Firmware
    from sim.scenario.schema import Scenario

    Luck = Callable[[str, int], int]  # the word of a stream for an image, at a place

_MOST_REJECTIONS: Final = 64


@dataclass(frozen=True, slots=True)
class Image:
    """A version of a model, and the seconds of its life (of the window, warm-up included; `NEVER_S`
    for what never happens, save by the end of the world).
    """

    model: str
    model_number: int
    device_type: str
    version: int
    release_class: str
    built_s: int
    assured_s: int
    n_rejected: int
    listed_s: int
    corrected_s: int
    delisted_s: int
    local_s: int


def images(scenario: Scenario, replication: int) -> tuple[Image, ...]:
    """Return every image of a firmware world built before its horizon, by model number and version.
    """
    firmware = scenario.firmware
    assert firmware is not None, "a firmware world has a firmware block"
    horizon_s = scenario.window.warm_up + scenario.window.length
    made: list[Image] = []
    for number, model in enumerate(sorted(firmware.models)):
        for version, (built_s, release_class) in enumerate(
            _built(firmware, model, horizon_s), start=1
        ):
            luck = _luck(scenario, replication, number, version)
            local_s = (
                built_s + firmware.local.lead
                if release_class in firmware.local.classes
                else NEVER_S
            )
            life = (built_s, *_life(firmware, built_s, luck), local_s)
            made.append(
                Image(model, number, firmware.models[model].type, version, release_class, *life)
            )
    return tuple(made)


def _built(firmware: Firmware, model: str, horizon_s: int) -> list[tuple[int, str]]:
    """Return (second built, class) of each image of *model*, in order of time, then of the file."""
    found = []
    for row in firmware.releases:
        if row.model == model:
            seconds: Iterable[int] = (
                (row.first,) if row.every is None else range(row.first, horizon_s, row.every)
            )
            found += [(second, row.release_class) for second in seconds if second < horizon_s]
    return sorted(found, key=lambda built: built[0])


def _luck(scenario: Scenario, replication: int, number: int, version: int) -> Luck:
    """Return what draws the word of a stream at a place for *version* of model *number*."""
    return lambda stream, place: int(
        draws.word(
            np.uint64(stream_key(scenario.seed, replication, stream)), place, number, version
        )
    )


def _life(firmware: Firmware, built_s: int, luck: Luck) -> tuple[int, int, int, int, int]:
    """Return assured, number of rejections, listed, corrected and de-listed of an image built at
    *built_s*.
    """
    pipeline = firmware.pipeline
    spread_s = pipeline.assurance.high - pipeline.assurance.low + 1
    assured_s = (
        built_s + pipeline.assurance.low + int(draws.scaled(luck("release.assurance", 0), spread_s))
    )
    reject = draws.threshold(pipeline.reject)
    n_rejected = next(
        a for a in count() if a == _MOST_REJECTIONS or luck("release.rejected", a) >= reject
    )
    if n_rejected == _MOST_REJECTIONS:
        return assured_s, n_rejected, NEVER_S, NEVER_S, NEVER_S
    listed_s = assured_s + n_rejected * pipeline.resubmit + pipeline.listing
    is_wrong = luck("release.data_error", 0) < draws.threshold(pipeline.data_error)
    is_withdrawn = luck("release.withdrawn", 0) < draws.threshold(pipeline.withdrawn)
    corrected_s = listed_s + pipeline.correction if is_wrong else listed_s
    return (
        assured_s,
        n_rejected,
        listed_s,
        corrected_s,
        listed_s + pipeline.withdrawn_after if is_withdrawn else NEVER_S,
    )


def is_listed(image: Image, second: int) -> bool:
    """Return whether *image* is on the Central Products List (CPL) at *second*."""
    return image.listed_s <= second < image.delisted_s


def highest_listed(images_of_model: Iterable[Image], second: int) -> int:
    """Return the highest version of *images_of_model* on the CPL at *second*; 0 if there is none.
    """
    return max((image.version for image in images_of_model if is_listed(image, second)), default=0)


def rows(
    made: Iterable[Image], scenario: Scenario
) -> list[tuple[str, str, int, str, int, int, int, int, int, int, int]]:
    """Return the rows of table `releases`: *made*, with -1 for what does not happen before the
    horizon of *scenario*.
    """
    firmware = scenario.firmware
    assert firmware is not None, "a firmware world has a firmware block"
    horizon_s = scenario.window.warm_up + scenario.window.length

    def seen(second: int) -> int:
        return second if second < horizon_s else -1

    found = []
    for image in made:
        n_submitted = max(0, -((image.assured_s - horizon_s) // firmware.pipeline.resubmit))
        seconds = (image.listed_s, image.corrected_s, image.delisted_s, image.local_s)
        listed_s, corrected_s, delisted_s, local_s = (seen(second) for second in seconds)
        first = (
            image.model,
            image.device_type,
            image.version,
            image.release_class,
            image.built_s,
            seen(image.assured_s),
        )
        found.append(
            (*first, min(image.n_rejected, n_submitted), listed_s, corrected_s, delisted_s, local_s)
        )
    return found
