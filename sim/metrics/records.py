"""How right the records are: RIGHT, WRONG and UNKNOWN are never folded into two.

All of the time-averages are over device-seconds after warm-up, pooled over regions. Groups: device
type; `all` is every type together.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sim.metrics.load import Rows, Values, Window, in_bands, pooled, totals, where
from sim.tables import Tables
from sim.units import DAY_S, added


def _sums(tables: Tables, ledger: str, *columns: str) -> list[dict[str, float]]:
    """Return the sum over regions of each of *columns* of a *ledger*, by device type."""
    rows = where(tables["ledgers"], ledger=ledger)
    return [totals(rows, "device_type", column) for column in columns]


def _added(*parts: dict[str, float]) -> dict[str, float]:
    return {name: added(part[name] for part in parts) for name in parts[0]}


def wrong_share(tables: Tables, window: Window, *, ledger: str) -> Values:
    """Share of the time that a record is wrong, where there is a record: WRONG ÷ (RIGHT + WRONG).
    Absent for a type without records (an IHD in the SMI).

    Unit: share.
    """
    right, wrong = _sums(tables, ledger, "right_s", "wrong_s")
    return pooled(wrong, _added(right, wrong))


def known_share(tables: Tables, window: Window, *, ledger: str) -> Values:
    """Share of all device time with a record: (RIGHT + WRONG) ÷ (RIGHT + WRONG + UNKNOWN).

    Groups: device type; `all` is every type together. Unit: share.
    """
    right, wrong, unknown = _sums(tables, ledger, "right_s", "wrong_s", "unknown_s")
    return pooled(_added(right, wrong), _added(right, wrong, unknown))


def right_share(tables: Tables, window: Window, *, ledger: str) -> Values:
    """Share of all device time that the record is right: RIGHT ÷ (RIGHT + WRONG + UNKNOWN). Unit:
    share.
    """
    right, wrong, unknown = _sums(tables, ledger, "right_s", "wrong_s", "unknown_s")
    return pooled(right, _added(right, wrong, unknown))


def unknown_share(tables: Tables, window: Window, *, ledger: str) -> Values:
    """Share of all device time that there is no record: UNKNOWN ÷ (RIGHT + WRONG + UNKNOWN). Unit:
    share.
    """
    right, wrong, unknown = _sums(tables, ledger, "right_s", "wrong_s", "unknown_s")
    return pooled(unknown, _added(right, wrong, unknown))


def staleness_mean(tables: Tables, window: Window) -> Values:
    """Mean age of incorrect information in the SMI: ∫ staleness dt ÷ (RIGHT + WRONG) over devices;
    staleness is 0 while right. Unit: d.
    """
    area, right, wrong = _sums(tables, "smi", "staleness_s2", "right_s", "wrong_s")
    return {group: s / DAY_S for group, s in pooled(area, _added(right, wrong)).items()}


def staleness_quantile(tables: Tables, window: Window, *, share: float) -> Values:
    """Staleness in the SMI not exceeded for *share* of the device time with a record, right time
    (staleness 0) included.

    Found in the bands of the table `staleness`, linearly within a band; 0 when the record is right
    for *share* of the time or more. Unit: d.
    """
    right, wrong = _sums(tables, "smi", "right_s", "wrong_s")
    bands = where(tables["staleness"], ledger="smi")
    groups = {name: where(bands, device_type=name) for name in right} | {"all": bands}
    known = _added(right, wrong)
    right["all"], known["all"] = added(right.values()), added(known.values())
    return {
        name: _in_bands(rows, share * known[name] - right[name]) / DAY_S
        for name, rows in groups.items()
        if known[name]
    }


def _in_bands(rows: Rows, device_s: float) -> float:
    """Return the staleness in seconds below which *device_s* of wrong time lie; 0 when that is
    none.
    """
    if device_s <= 0:
        return 0.0
    return in_bands(rows, "device_s", device_s)


def wrong_of_all_share(tables: Tables, window: Window) -> Values:
    """Share of all device time that the record is wrong: WRONG ÷ (RIGHT + WRONG + UNKNOWN).

    Groups: device type, type/region; `all` is every type together, all/region those of a region.
    Unit: share.
    """
    rows = where(tables["ledgers"], ledger="smi")
    return _by_region(rows, _of_all)


def _of_all(rows: Rows) -> Values:
    right, wrong, unknown = (
        totals(rows, "device_type", f"{state}_s") for state in ("right", "wrong", "unknown")
    )
    return pooled(wrong, _added(right, wrong, unknown))


def _by_region(rows: Rows, measure: Callable[[Rows], Values]) -> Values:
    """Return *measure* of *rows*, and of those of each region under type/region."""
    found = measure(rows)
    for region in sorted(set(rows["region"].tolist())):
        found |= {
            f"{name}/{region}": value for name, value in measure(where(rows, region=region)).items()
        }
    return found


def wrong_age_mean(tables: Tables, window: Window) -> Values:
    """Mean age of the wrong records of the SMI: for how long they have been wrong, at a random time
    at which they are: ∫ staleness dt ÷ WRONG. Absent where no record is wrong.

    Groups: device type, type/region; `all` is every type together, all/region those of a region.
    Unit: d.
    """
    return _by_region(where(tables["ledgers"], ledger="smi"), _ages)


def _ages(rows: Rows) -> Values:
    area, wrong = (totals(rows, "device_type", column) for column in ("staleness_s2", "wrong_s"))
    return {name: s / DAY_S for name, s in pooled(area, wrong).items()}


def wrong_age_quantile(tables: Tables, window: Window, *, share: float) -> Values:
    """Age that *share* of the wrong records of the SMI do not exceed, by device time; found in the
    bands of the table `staleness` (half-octaves of an hour), linearly within a band. Absent where
    no record is wrong.

    Groups: device type; `all` is every type together. Unit: d.
    """
    bands = where(tables["staleness"], ledger="smi")
    wrong = totals(bands, "device_type", "device_s")
    groups = {name: where(bands, device_type=name) for name in wrong} | {"all": bands}
    wrong["all"] = added(wrong.values())
    return {
        name: _in_bands(rows, share * wrong[name]) / DAY_S
        for name, rows in groups.items()
        if wrong[name]
    }


def wrong_past_share(tables: Tables, window: Window, *, days: float) -> Values:
    """Share of the time with a record that it has been wrong for *days* or longer: what a repair
    within that time would not have reached ÷ (RIGHT + WRONG). Of the band of the table `staleness`
    that *days* lies in, the part above it, linearly.

    Groups: device type; `all` is every type together. Unit: share.
    """
    right, wrong = _sums(tables, "smi", "right_s", "wrong_s")
    bands = where(tables["staleness"], ledger="smi")
    low, high = bands["low_s"], bands["high_s"]
    above = np.clip((high - days * DAY_S) / np.maximum(high - low, 1), 0, 1) * bands["device_s"]
    return pooled(totals(bands | {"above": above}, "device_type", "above"), _added(right, wrong))


def confirmation_age_mean(tables: Tables, window: Window) -> Values:
    """Mean time since the latest report written for a device was made, right or not: ∫ age dt ÷
    (devices × seconds measured).

    Of reporting devices with an SMI record. Unit: d.
    """
    area, devices = _sums(tables, "smi", "confirmation_s2", "n_confirmed")
    return {group: s2 / window.length_s / DAY_S for group, s2 in pooled(area, devices).items()}


def confirmed_share(tables: Tables, window: Window) -> Values:
    """Share of the devices over which confirmation age is kept: those that report, with a record in
    the SMI, ÷ all. Groups: device type; `all` is every type together. Unit: share.
    """
    confirmed, devices = _sums(tables, "smi", "n_confirmed", "n_devices")
    return pooled(confirmed, devices)


def repaired_share(tables: Tables, window: Window) -> Values:
    """Share, at the least, of the wrong episodes of SMI records that were seen to end: those begun
    after warm-up that ended ÷ (those + records that are wrong when the window ends, also those that
    have been since before).

    Groups: device type; `all` is every type together. Unit: share.
    """
    [repaired] = _sums(tables, "smi", "n_repairs")
    still = _wrong_at_end(tables)
    episodes = {group: n + still.get(group, 0) for group, n in repaired.items()}
    return pooled(repaired, episodes)


def _wrong_at_end(tables: Tables) -> dict[str, float]:
    """Return how many SMI records of each device type are wrong when the window ends."""
    for name, moment in (("states", "at_s"), ("days", "day")):
        rows = where(tables[name], ledger="smi")
        if len(rows[moment]):
            last = rows[moment] == rows[moment].max()
            at_end = {column: values[last] for column, values in rows.items()}
            return totals(at_end, "device_type", "n_wrong")
    return {}


def repair_mean(tables: Tables, window: Window) -> Values:
    """Mean length of the wrong episodes of SMI records that began after warm-up and ended: their
    summed length ÷ their number. Unit: d.
    """
    length, number = _sums(tables, "smi", "repair_s", "n_repairs")
    return {group: s / DAY_S for group, s in pooled(length, number).items()}


def changes_per_device_year(tables: Tables, window: Window) -> Values:
    """Version changes of a device a year: changes after warm-up ÷ devices ÷ years measured. Unit:
    changes per device-year.
    """
    changes, devices = _sums(tables, "smi", "n_changes", "n_devices")
    return {group: n / window.years for group, n in pooled(changes, devices).items()}
