"""The twin's counting of records: what each ledger held of each device, read off their histories
after the world has ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sim.tables import STALENESS_EDGES_S
from sim.twin.ledgers import confirmation_2s2, measure, was_wrong_before, wrong_by_band
from sim.units import DAY_S

if TYPE_CHECKING:
    from sim.twin.estate import Device
    from sim.twin.ledgers import Record
    from sim.twin.world import TwinWorld

Rows = Iterator[tuple[Any, ...]]


def _record(device: Device, ledger: str) -> Record:
    return device.smi if ledger == "smi" else device.hub_record


def is_confirmed(device: Device) -> bool:
    """Return whether the SMI keeps a confirmation age of *device*: a Type 1 device whose type
    reports.
    """
    return device.reports and device.smi.is_kept


def ledgers(world: TwinWorld) -> Rows:
    """Yield what each ledger held of each type of device in each region."""
    start_s, stop_s = world.warm_up_s, world.horizon_s
    for region in world.regions:
        for device_type in world.row_types:
            devices = region.devices(device_type)
            n_changes = sum(
                change.second >= start_s for device in devices for change in device.changes
            )
            for ledger in ("hub", "smi"):
                records = [_record(device, ledger) for device in devices]
                measured = [measure(record, start_s, stop_s) for record in records]
                wrong_s = sum(m.wrong_s for m in measured)
                unknown_s = sum(m.unknown_s for m in measured)
                confirmed = [
                    device.smi
                    for device in devices
                    if world.confirms and ledger == "smi" and is_confirmed(device)
                ]
                yield (
                    ledger,
                    device_type,
                    region.name,
                    len(devices),
                    sum(device.reports for device in devices),
                    len(devices) * (stop_s - start_s) - wrong_s - unknown_s,
                    wrong_s,
                    unknown_s,
                    sum(m.staleness_2s2 for m in measured) / 2,
                    sum(confirmation_2s2(record, start_s, stop_s) for record in confirmed) / 2,
                    len(confirmed),
                    n_changes,
                    sum(m.n_repairs for m in measured),
                    sum(m.repair_s for m in measured),
                )


def _records(world: TwinWorld) -> Iterator[tuple[str, str, list[Record]]]:
    for device_type in world.row_types:
        devices = [device for region in world.regions for device in region.devices(device_type)]
        for ledger in ("hub", "smi"):
            yield ledger, device_type, [_record(device, ledger) for device in devices]


def staleness(world: TwinWorld) -> Rows:
    """Yield the device-seconds WRONG in each band of staleness."""
    for ledger, device_type, records in _records(world):
        by_record = [
            wrong_by_band(record, world.warm_up_s, world.horizon_s, STALENESS_EDGES_S)
            for record in records
        ]
        for band, (low, high) in enumerate(
            zip(STALENESS_EDGES_S[:-1], STALENESS_EDGES_S[1:], strict=True)
        ):
            if device_s := sum(bands[band] for bands in by_record):
                yield ledger, device_type, low, high, device_s


def days(world: TwinWorld) -> Rows:
    """Yield how many records were WRONG at the end of each day; a firmware world has a table of its
    own for that.
    """
    for ledger, device_type, records in _records(world) if world.confirms else ():
        for day in range(-(-world.horizon_s // DAY_S)):
            end_s = min((day + 1) * DAY_S, world.horizon_s)
            yield (
                ledger,
                device_type,
                day,
                sum(was_wrong_before(record, end_s) for record in records),
            )
