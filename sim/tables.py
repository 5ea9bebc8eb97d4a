"""Every column of every result table: name, type, unit, meaning, and who writes it.

The fast path and the twin fill the same tables; metrics and reports read nothing else. A column that is not here cannot be written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from sim.faults import FAULTS


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its NumPy *dtype* (`str` for text), *unit* ("" where none) and *meaning* in one sentence."""

    name: str
    dtype: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Table:
    """A declared table: what one row is, who writes it, and its columns in order."""

    name: str
    row: str
    writer: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


_STAGE = Column("stage", "str", "", "Stage: cell, csp, dsp or user; `end_to_end` is from being raised to the SMI.")
_SERVER = Column("server", "str", "", "Server within the stage: a region (its cells together at `cell`), a user, or `dsp`; `all` for end to end.")
_KIND = Column("kind", "str", "", "Message kind: `version_report`, or a kind of the scenario's alerts or traffic.")
_LEDGER = Column("ledger", "str", "", "`smi` or `hub`.")
_TYPE = Column("device_type", "str", "", "ppmid, ihd or hcalcs; in a firmware world also esme and gsme.")
_LIVING = Column("device_type", "str", "", "ppmid, ihd, hcalcs, esme or gsme.")
_MODEL = Column("model", "str", "", "Device model of the scenario.")
_REGION = Column("region", "str", "", "CSP region.")

_LISTS = f"{', '.join([*FAULTS][:-1])} or {[*FAULTS][-1]}"

_ALL = (
    Table("arrivals", "a stage, server, kind and quarter of an hour of the day", "recorder", (
        _STAGE, _SERVER, _KIND,
        Column("quarter", "int16", "15 min of day", "Quarter of an hour of the day, 0 to 95; a day is 24 h from the window's start on."),
        Column("n", "int64", "messages", "Arrivals at the stage in that quarter, summed over the measured days."),
        Column("peak_1_n", "int64", "messages/s", "Most arrivals in any one second of that quarter."),
    )),
    Table("peaks", "a stage, server, kind and bin length", "recorder", (
        _STAGE, _SERVER,
        Column("kind", "str", "", "Message kind; `alerts` sums version reports, alerts and the traffic marked as alerts; `all` sums everything."),
        Column("k_s", "int32", "s", "Bin length k of `peak_k`: 1, 60 or 900; bins start at multiples of k."),
        Column("peak_n", "int64", "messages", "Most arrivals in any bin of k seconds, after warm-up."),
        Column("at_s", "int64", "s", "Start of the first bin that reaches the peak, from the window's start; -1 when nothing arrived."),
    )),
    Table("stages", "a stage and server", "recorder", (
        _STAGE, _SERVER,
        Column(
            "capacity_per_s", "float64", "messages/s",
            "Capacity (at `cell` of each cell); of one in bytes, in messages of the mean size that"
            " came, or of a report where nothing did. Infinite when none is given.",
        ),
        Column("measured_s", "int64", "s", "Seconds measured."),
        Column("over_capacity_s", "int64", "s", "Seconds with more arrivals than capacity allows in that second (at `cell`: in any cell)."),
        Column("waiting_s", "int64", "s", "Seconds after whose service something still waited."),
        Column("peak_waiting_n", "int64", "messages", "Most messages waiting after any second's service."),
        Column("waiting_at_end_n", "int64", "messages", "Messages waiting after the last second's service."),
    )),
    Table("delays", "a stage, server, kind and delay", "recorder", (
        _STAGE, _SERVER, _KIND,
        Column("delay_s", "int32", "s", "Whole seconds from arrival to departure (end to end: from being raised to the SMI)."),
        Column("n", "int64", "messages", "Messages with that delay."),
    )),
    Table("fates", "a kind, fate and place", "recorder", (
        _KIND,
        Column("fate", "str", "", "delivered, consolidated, throttled, refused, lost, expired or in_flight."),
        Column("stage", "str", "", "Where a message was consolidated, throttled or refused; empty otherwise."),
        Column("n", "int64", "messages", "Messages raised after warm-up that ended so."),
    )),
    Table("attempts", "a kind", "recorder", (
        _KIND,
        Column("n_messages", "int64", "messages", "Messages raised after warm-up that made an attempt to cross the network."),
        Column("n_attempts", "int64", "attempts", "Attempts they made; divided by the messages it is the amplification."),
        Column("n_wasted", "int64", "attempts", "Of those, attempts that reached the SMI's door when their message had already ended."),
    )),
    Table("rows", "a mitigation and kind", "recorder", (
        Column("stage", "str", "", "Stage whose mitigation it is."),
        Column("row", "int16", "", "Its place among the stage's mitigations, from 0."),
        Column("mitigation", "str", "", "Its kind."),
        _KIND,
        Column("n_stopped", "int64", "messages", "Messages raised after warm-up that it consolidated, throttled or refused (at a stage: attempts)."),
        Column("n_put_off", "int64", "messages", "Messages raised after warm-up that it put off to a later second (at a stage: attempts)."),
    )),
    Table("timeline", "a stage, server and minute, of windows of up to eight days", "recorder", (
        _STAGE, _SERVER,
        Column("start_s", "int64", "s", "Start of the minute, from the window's start."),
        Column("n_arrived", "int64", "messages", "Arrivals in the minute, after warm-up."),
        Column("n_served", "int64", "messages", "Departures in the minute, after warm-up."),
        Column("waiting_n", "int64", "messages", "Messages waiting after the service of the minute's last second."),
    )),
    Table("cells", "a region with a stage of WAN cells", "recorder", (
        Column("region", "str", "", "CSP region."),
        Column("n_cells", "int64", "cells", "WAN cells."),
        Column("peak_1_n", "int64", "messages/s", "Most arrivals at any one cell in any one second, after warm-up."),
        Column("over_capacity_s", "int64", "cell s", "Cell-seconds with more arrivals than capacity allows."),
        Column("waiting_s", "int64", "cell s", "Cell-seconds after whose service something still waited."),
        Column("peak_waiting_n", "int64", "messages", "Most messages waiting at any one cell."),
    )),
    Table("kinds", "a message kind", "run", (
        _KIND,
        Column("code", "str", "", "Alert code; empty where there is none."),
        Column("named", "bool", "", "Whether its messages carry a sender."),
        Column("alert", "bool", "", "Whether it is an alert (a version report is one)."),
        Column("genuine", "bool", "", "Whether somebody must see it: an alert that is neither a version report nor chatter."),
        Column("price_gbp", "float64", "£", "What one more message of it costs; -1 where that is not given."),
    )),
    Table("operators", "a user with operators", "run", (
        Column("user", "str", "", "DSP user."),
        Column("n", "int64", "operators", "Operators who see the alerts and reports that reach the user."),
        Column("flood_above_n", "int64", "alerts", "Alerts an operator gets in ten minutes above which a flood begins."),
        Column("flood_below_n", "int64", "alerts", "Alerts an operator gets in ten minutes below which a flood ends."),
    )),
    Table("triggers", "a stroke of a fault, in order of time", "run", (
        Column("what", "str", "", f"List of faults it is of: {_LISTS}."),
        Column("place", "str", "", "Region it strikes; for a stage outage `stage/server`, where server may be `all`."),
        Column("start_s", "int64", "s", "Second it strikes, from the window's start (warm-up included)."),
        Column("end_s", "int64", "s", "Second from which all is back: start + duration, + restoration or the curve's last time; of a clock lock its start."),
    )),
    Table("segments", "a segment and kind", "recorder", (
        Column("segment", "str", "", "han, wan, dsp (GBCS bytes) or user (XML bytes)."),
        _KIND,
        Column("n", "int64", "messages", "Messages sent after warm-up that crossed the segment (wan: attempts)."),
        Column("bytes", "int64", "B", "Bytes they made there."),
    )),
    Table("ledgers", "a ledger, device type and region", "ledgers", (
        _LEDGER, _TYPE,
        Column("region", "str", "", "CSP region."),
        Column("n_devices", "int64", "devices", "Devices of the type."),
        Column("n_reporting", "int64", "devices", "Of those, devices whose type reports under the scenario."),
        Column("right_s", "int64", "device s", "Device-seconds RIGHT after warm-up."),
        Column("wrong_s", "int64", "device s", "Device-seconds WRONG."),
        Column("unknown_s", "int64", "device s", "Device-seconds UNKNOWN."),
        Column("staleness_s2", "float64", "device s²", "Time integral of staleness, summed over devices."),
        Column("confirmation_s2", "float64", "device s²", "Time integral of confirmation age, summed over devices that are confirmed."),
        Column("n_confirmed", "int64", "devices", "Devices over which confirmation age is kept."),
        Column("n_changes", "int64", "changes", "Version changes after warm-up."),
        Column("n_repairs", "int64", "repairs", "WRONG episodes begun after warm-up that ended."),
        Column("repair_s", "int64", "device s", "Their summed length."),
    )),
    Table("staleness", "a ledger, device type and staleness band", "ledgers", (
        _LEDGER, _TYPE,
        Column("low_s", "int64", "s", "Staleness from (inclusive)."),
        Column("high_s", "int64", "s", "Staleness to (exclusive)."),
        Column("device_s", "int64", "device s", "Device-seconds WRONG with a staleness in the band."),
    )),
    Table("days", "a ledger, device type and day", "ledgers", (
        _LEDGER, _TYPE,
        Column("day", "int32", "d", "Day from the window's start (warm-up included)."),
        Column("n_wrong", "int64", "devices", "Records WRONG at the end of that day."),
    )),
    Table("targets", "a kind with a target", "recorder", (
        _KIND,
        Column("target_s", "int64", "s", "Response-time target of the kind."),
        Column("n", "int64", "messages", "Messages raised after warm-up that made an attempt."),
        Column("n_late", "int64", "messages", "Those at the SMI's door later than the target, refused, expired, or still travelling past it."),
    )),
    Table("releases", "an image of a firmware world", "run", (
        _MODEL, _LIVING,
        Column("version", "int16", "", "Its number among the versions of the model, from 1."),
        Column("release_class", "str", "", "security, defect, specification, feature or non_core."),
        Column("built_s", "int64", "s", "When it was built."),
        Column("assured_s", "int64", "s", "When assurance was done."),
        Column("n_rejected", "int64", "", "Submissions to the CPL that were rejected."),
        Column("listed_s", "int64", "s", "When it was listed; -1 if never."),
        Column("corrected_s", "int64", "s", "From when its listed data are right; -1 if never."),
        Column("delisted_s", "int64", "s", "When it was taken off the list; -1 if never."),
        Column("local_s", "int64", "s", "When it was offered locally; -1 if never."),
    )),
    Table("campaigns", "a version sent over the air", "run", (
        _MODEL, _LIVING,
        Column("version", "int16", "", "Its goal."),
        Column("release_class", "str", "", "Class of that version."),
        Column("due_s", "int64", "s", "When it became due."),
        Column("started_s", "int64", "s", "When its first group began; -1 if never."),
        Column("ended_s", "int64", "s", "When it ended; -1 if it did not."),
        Column("ended", "str", "", "finished, aborted, stalled or superseded; running or waiting at the end."),
        Column("n_groups", "int64", "groups", "Groups begun, sweeps too."),
        Column("n_targets", "int64", "jobs", "Jobs offered."),
        Column("n_done", "int64", "jobs", "Jobs that ended as done or repaired."),
        Column("n_failed", "int64", "jobs", "Jobs that failed and said so: refused, not activated, or a step that is not permitted."),
        Column("n_silent", "int64", "jobs", "Jobs that ended otherwise: nobody told their sender how."),
        Column("n_withdrawn", "int64", "jobs", "Jobs withdrawn."),
    )),
    Table("jobs", "a region, model, version and end", "run", (
        _REGION, _MODEL, _LIVING,
        Column("version", "int16", "", "Version sent."),
        Column("ended", "str", "", "done, repaired, unheard, withdrawn, refused_hash, refused_listing, refused_hub, no_wan, wan_lost, han_failed, image_lost, "
               "activation_failed, not_permitted, or open at the end."),
        Column("n", "int64", "jobs", "Jobs first offered for a second after warm-up that ended so."),
    )),
    Table("steps", "a region, device type and step of an attempt over the air", "run", (
        _REGION, _LIVING,
        Column("step", "str", "", "offered, accepted, taken, held, activated, answered, recorded: how far attempts came."),
        Column("n", "int64", "attempts", "Attempts made after warm-up (checked by the DSP then) that came so far."),
    )),
    Table("latencies", "a device type, step and band of time", "run", (
        _LIVING,
        Column("step", "str", "", "distribution (DSP to hub), han (hub to device), activation, response, or whole (DSP to record)."),
        Column("low_s", "int64", "s", "Time from (inclusive)."),
        Column("high_s", "int64", "s", "Time to (exclusive)."),
        Column("n", "int64", "attempts", "Attempts made after warm-up that took so long."),
    )),
    Table("local", "a device type, channel, image and outcome of a local attempt", "run", (
        _LIVING,
        Column("channel", "str", "", "Channel of the scenario."),
        Column("image", "str", "", "listed (on the CPL then), unlisted, or variant (never submitted)."),
        Column("screened", "bool", "", "Whether the device asked before it installed."),
        Column("outcome", "str", "", "banned, blocked, busy, expired, gateway_down, not_permitted or installed."),
        Column("n", "int64", "attempts", "Attempts after warm-up."),
    )),
    Table("readings", "a process that reads, device type and state", "run", (
        Column("process", "str", "", "install, gain, call, compliance, incident, targeting, or audit (the sample of rule audit)."),
        _LIVING,
        Column("state", "str", "", "right, wrong or unknown: what the SMI's record was."),
        Column("n", "int64", "reads", "Reads after warm-up."),
    )),
    Table("decisions", "a process that decides on a read, device type and outcome", "run", (
        Column("process", "str", "", "gain, compliance, incident or targeting."),
        _LIVING,
        Column("outcome", "str", "", "right, missed, wasted, wrong_path, false_compliance or false_alarm."),
        Column("price", "float64", "£", "What one such outcome costs."),
        Column("n", "int64", "decisions", "Decisions after warm-up."),
    )),
    Table("told", "a kind of message of a firmware world", "run", (
        Column("kind", "str", "", "version_report, carried (on other traffic), request, detail, image_request, image, activation, answer, repair_read; "
               "transferred, received, activated, cut (what makes alerts of these causes)."),
        Column("n", "int64", "messages", "Messages after warm-up."),
    )),
    Table("status", "a device type and a thing that is summed", "run", (
        _LIVING,
        Column("what", "str", "", "suspended_s, unlisted_s (running what is not on the CPL), variant_s: device-seconds; suspended_end_n, variant_end_n: "
               "devices at the end; found_n, found_s: devices an audit found, and how long after their change; forgotten_n: hub records lost to an exchange."),
        Column("value", "int64", "", "The sum, after warm-up."),
    )),
    Table("states", "a ledger, device type and moment of a firmware world", "run", (
        _LEDGER, _LIVING,
        Column("at_s", "int64", "s", "Moment: the end of each step after warm-up, and of the window."),
        Column("n_wrong", "int64", "devices", "Records WRONG then."),
        Column("n_unknown", "int64", "devices", "Records UNKNOWN then."),
        Column("n_behind", "int64", "devices", "Devices that run less than the highest version on the CPL then."),
        Column("n_suspended", "int64", "devices", "Devices Suspended then."),
    )),
    Table("behind", "a device type, class of release and moment of a firmware world", "run", (
        _LIVING,
        Column("release_class", "str", "", "A class of which there is a release for that type."),
        Column("at_s", "int64", "s", "Moment, as in `states`."),
        Column("n_behind", "int64", "devices", "Devices that run less than the highest version of that class on the CPL then."),
    )),
    Table("population", "a count", "run", (
        Column("what", "str", "", "premises, meters, hubs, gpf, esme, gsme, ppmid, ihd, hcalcs, reporting, senders."),
        Column("region", "str", "", "CSP region."),
        Column("n", "int64", "", "How many."),
    )),
)
TABLES: Final[dict[str, Table]] = {table.name: table for table in _ALL}
FIRMWARE_TABLES: Final = (
    "releases", "campaigns", "jobs", "steps", "latencies", "local", "readings", "decisions", "told", "status", "states", "behind",
)  # fmt: skip
Tables = dict[str, pd.DataFrame]

# Bands of staleness: half-octaves from an hour to 43 years, each wide enough to fill and narrow enough to read a quantile from.
STALENESS_EDGES_S: Final[tuple[int, ...]] = (0, *(int(3600 * 2 ** (i / 2)) for i in range(41)), 2**40)
PEAK_BINS_S: Final[tuple[int, ...]] = (1, 60, 900)
# Bands of latency over the air: half-octaves from a second to eleven years.
LATENCY_EDGES_S: Final[tuple[int, ...]] = (0, *sorted({int(2 ** (i / 2)) for i in range(57)}), 2**40)
TIMELINE_BIN_S: Final = 60
TIMELINE_LONGEST_S: Final = 8 * 86_400  # of warm-up and window together; longer worlds have no timeline


def frame(name: str, columns: dict[str, object]) -> pd.DataFrame:
    """Return *columns* as the declared table *name*: its columns, in order, in their types.

    Raises `ValueError` when a column is missing or not declared.
    """
    declared = TABLES[name]
    if set(columns) != set(declared.names):
        raise ValueError(f"table {name}: columns {sorted(columns)} are not the declared {sorted(declared.names)}")
    return pd.DataFrame({c.name: pd.Series(columns[c.name], dtype=c.dtype) for c in declared.columns})


@dataclass(slots=True)
class Trace:
    """What both engines remember of a small world when asked, so that they can be compared device by device and message by message.

    *messages*: one row a named message, whatever became of it: kind, region, slot, index (its sender's address), raised_s, cause ("timer", "change", "read" or
    "alert"), fate, stage (where it ended, as in `fates`), at_s (second it passed the SMI's door; -1 if it did not). *devices*: one row a device row at the end:
    row, region, slot, index, version_true, version_smi, version_hub, wrong_since_smi_s, wrong_since_hub_s (-1 while not WRONG), confirmed_s (when the latest
    report written was made). *lives*: the same of a firmware world: region, slot, index, version_true, version_smi, version_hub (255: UNKNOWN; 0 where no rule
    keeps it or, of an IHD, the SMI), state of the job (`sim.words.JobState`), its version and attempt (0 while idle), wrong_since_smi_s,
    wrong_since_hub_s; by region, slot and index.
    """

    messages: list[tuple[str, str, int, int, int, str, str, str, int]]
    devices: list[tuple[int, str, int, int, int, int, int, int, int, int]]
    lives: list[tuple[str, int, int, int, int, int, str, int, int, int, int]] = field(default_factory=list)
