"""Who is behind the list, with releases of which class, and whose it is to send them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.report.grids import Grid
from sim.report.lives import called
from sim.report.words import listed, percent

if TYPE_CHECKING:
    from sim.metrics import Estimate
    from sim.report.study import Cell, Study

METRIC: Final = "behind_class_device_share"
_BY_HAND: Final = ("ppmid", "ihd")  # types that are updated in the home
_OTA = "over the air"
_HOME = "in the home alone"
_NOBODY = "nobody"


def sent(cell: Cell, kind: str) -> str:
    """Return how releases of a *kind* ("type/class") reach devices in *cell*: over the air, in the
    home alone, or by nobody.
    """
    device_type, _, release_class = kind.partition("/")
    firmware = cell.scenario.firmware
    assert firmware is not None, "only a firmware world has devices behind the list"
    ota, local = firmware.ota, firmware.local
    if device_type in ota.types and release_class in ota.classes:
        return _OTA
    by_hand = cell.scenario.updates.has_local and device_type in _BY_HAND
    return _HOME if by_hand and release_class in local.classes and local.take_up else _NOBODY


def sentence(study: Study, cell: Cell) -> str:
    """Say what devices of *cell* are behind with, apart by whose it is to send."""
    found = study.groups(cell, METRIC)
    if not found:
        return ""
    parts = {how: _told(cell, found, how) for how in (_OTA, _HOME, _NOBODY)}
    told = [
        f"{words} ({parts[how]})" for how, words in (
            (_OTA, "with what is sent over the air"),
            (_HOME, "with what only those who update in the home install"),
            (_NOBODY, "with what nobody sends"),
        ) if parts[how]
    ]  # fmt: skip
    return (
        f"Behind the list under {called(cell)}, a device in each class by itself: {listed(told)}."
    )


def _told(cell: Cell, found: dict[str, Estimate], how: str) -> str:
    kinds = [kind for kind in found if sent(cell, kind) == how]
    return listed([f"{_plain(kind)} {percent(found[kind])}" for kind in kinds])


def _plain(kind: str) -> str:
    device_type, _, release_class = kind.partition("/")
    return f"{device_type.upper()} {release_class.replace('_', ' ')}"


def grid(study: Study) -> tuple[Grid, ...]:
    """Return who is behind by policy, type and class, with whose it is to send."""
    rows = [
        (called(cell), *_plain(kind).split(" ", 1), sent(cell, kind), percent(share))
        for cell in study.cells for kind, share in study.groups(cell, METRIC).items()
    ]  # fmt: skip
    head = ("policy", "device type", "class of release", "sent", "devices behind")
    note = (
        "Share of the devices of a type that run less than the highest version of that class on the"
        " list, off or not. Who is behind in two classes is in both; devices that are switched off"
        " are behind in all, and homes that are never reached in what is sent over the air alone."
    )
    title = "T3f. Behind the list, by class of release, and whose it is to send"
    return (Grid(title, head, tuple(rows), note, page_only=True),) if rows else ()
