"""Tables of the network: what arrives, waits, ends and is stopped."""

from __future__ import annotations

from typing import Final

from sim.tables.column import OF_KIND, OF_SERVER, OF_STAGE, Column, Table

OF_THE_NETWORK: Final = (
    Table(
        "arrivals",
        "a stage, server, kind and quarter of an hour of the day",
        "recorder",
        (
            OF_STAGE,
            OF_SERVER,
            OF_KIND,
            Column(
                "quarter",
                "int16",
                "15 min of day",
                "Quarter of an hour of the day, 0 to 95; a day is 24 h from the window's start on.",
            ),
            Column(
                "n",
                "int64",
                "messages",
                "Arrivals at the stage in that quarter, summed over the measured days.",
            ),
            Column(
                "peak_1_n",
                "int64",
                "messages/s",
                "Most arrivals in any one second of that quarter.",
            ),
        ),
    ),
    Table(
        "peaks",
        "a stage, server, kind and bin length",
        "recorder",
        (
            OF_STAGE,
            OF_SERVER,
            Column(
                "kind",
                "str",
                "",
                "Message kind; `alerts` sums version reports, alerts and the traffic marked as"
                " alerts; `all` sums everything.",
            ),
            Column(
                "k_s",
                "int32",
                "s",
                "Bin length k of `peak_k`: 1, 60 or 900; bins start at multiples of k.",
            ),
            Column(
                "peak_n",
                "int64",
                "messages",
                "Most arrivals in any bin of k seconds, after warm-up.",
            ),
            Column(
                "at_s",
                "int64",
                "s",
                "Start of the first bin that reaches the peak, from the window's start; -1 when"
                " nothing arrived.",
            ),
        ),
    ),
    Table(
        "stages",
        "a stage and server",
        "recorder",
        (
            OF_STAGE,
            OF_SERVER,
            Column(
                "capacity_per_s",
                "float64",
                "messages/s",
                "Capacity (at `cell` of each cell); of one in bytes, in messages of the mean size"
                " that came, or of a report where nothing did. Infinite when none is given.",
            ),
            Column("measured_s", "int64", "s", "Seconds measured."),
            Column(
                "over_capacity_s",
                "int64",
                "s",
                "Seconds with more arrivals than capacity allows in that second (at `cell`: in any"
                " cell).",
            ),
            Column(
                "waiting_s", "int64", "s", "Seconds after whose service something still waited."
            ),
            Column(
                "peak_waiting_n",
                "int64",
                "messages",
                "Most messages waiting after any second's service.",
            ),
            Column(
                "waiting_at_end_n",
                "int64",
                "messages",
                "Messages waiting after the last second's service.",
            ),
        ),
    ),
    Table(
        "delays",
        "a stage, server, kind and delay",
        "recorder",
        (
            OF_STAGE,
            OF_SERVER,
            OF_KIND,
            Column(
                "delay_s",
                "int32",
                "s",
                "Whole seconds from arrival to departure (end to end: from being raised to the"
                " SMI).",
            ),
            Column("n", "int64", "messages", "Messages with that delay."),
        ),
    ),
    Table(
        "fates",
        "a kind, fate and place",
        "recorder",
        (
            OF_KIND,
            Column(
                "fate",
                "str",
                "",
                "delivered, consolidated, throttled, refused, lost, expired or in_flight.",
            ),
            Column(
                "stage",
                "str",
                "",
                "Where a message was consolidated, throttled or refused; empty otherwise.",
            ),
            Column("n", "int64", "messages", "Messages raised after warm-up that ended so."),
        ),
    ),
    Table(
        "attempts",
        "a kind",
        "recorder",
        (
            OF_KIND,
            Column(
                "n_messages",
                "int64",
                "messages",
                "Messages raised after warm-up that made an attempt to cross the network.",
            ),
            Column(
                "n_attempts",
                "int64",
                "attempts",
                "Attempts they made; divided by the messages it is the amplification.",
            ),
            Column(
                "n_wasted",
                "int64",
                "attempts",
                "Of those, attempts that reached the SMI's door when their message had already"
                " ended.",
            ),
        ),
    ),
    Table(
        "rows",
        "a mitigation and kind",
        "recorder",
        (
            Column("stage", "str", "", "Stage whose mitigation it is."),
            Column("row", "int16", "", "Its place among the stage's mitigations, from 0."),
            Column("mitigation", "str", "", "Its kind."),
            OF_KIND,
            Column(
                "n_stopped",
                "int64",
                "messages",
                "Messages raised after warm-up that it consolidated, throttled or refused (at a"
                " stage: attempts).",
            ),
            Column(
                "n_put_off",
                "int64",
                "messages",
                "Messages raised after warm-up that it put off to a later second (at a stage:"
                " attempts).",
            ),
        ),
    ),
    Table(
        "timeline",
        "a stage, server and minute, of windows of up to eight days",
        "recorder",
        (
            OF_STAGE,
            OF_SERVER,
            Column("start_s", "int64", "s", "Start of the minute, from the window's start."),
            Column("n_arrived", "int64", "messages", "Arrivals in the minute, after warm-up."),
            Column("n_served", "int64", "messages", "Departures in the minute, after warm-up."),
            Column(
                "waiting_n",
                "int64",
                "messages",
                "Messages waiting after the service of the minute's last second.",
            ),
        ),
    ),
    Table(
        "around_peaks",
        "a stage, server, kind and second within 15 min of the server's fullest second, if anything"
        " came, went or waited then; of cells the busiest alone, from its fullest second on",
        "recorder",
        (
            OF_STAGE,
            OF_SERVER,
            OF_KIND,
            Column("at_s", "int64", "s", "The second, from the window's start; after warm-up."),
            Column("n_arrived", "int64", "messages", "Arrivals in the second."),
            Column("n_served", "int64", "messages", "Departures in the second."),
            Column("waiting_n", "int64", "messages", "Messages waiting after its service."),
            Column(
                "n_late",
                "int64",
                "messages",
                "Departures of messages that had been raised longer before than the target of their"
                " kind.",
            ),
        ),
    ),
    Table(
        "cells",
        "a region with a stage of WAN cells",
        "recorder",
        (
            Column("region", "str", "", "CSP region."),
            Column("n_cells", "int64", "cells", "WAN cells."),
            Column(
                "peak_1_n",
                "int64",
                "messages/s",
                "Most arrivals at any one cell in any one second, after warm-up.",
            ),
            Column(
                "over_capacity_s",
                "int64",
                "cell s",
                "Cell-seconds with more arrivals than capacity allows.",
            ),
            Column(
                "waiting_s",
                "int64",
                "cell s",
                "Cell-seconds after whose service something still waited.",
            ),
            Column("peak_waiting_n", "int64", "messages", "Most messages waiting at any one cell."),
        ),
    ),
    Table(
        "segments",
        "a segment and kind",
        "recorder",
        (
            Column("segment", "str", "", "han, wan, dsp (GBCS bytes) or user (XML bytes)."),
            OF_KIND,
            Column(
                "n",
                "int64",
                "messages",
                "Messages sent after warm-up that crossed the segment (wan: attempts).",
            ),
            Column("bytes", "int64", "B", "Bytes they made there."),
        ),
    ),
    Table(
        "targets",
        "a kind with a target",
        "recorder",
        (
            OF_KIND,
            Column("target_s", "int64", "s", "Response-time target of the kind."),
            Column("n", "int64", "messages", "Messages raised after warm-up that made an attempt."),
            Column(
                "n_late",
                "int64",
                "messages",
                "Those at the SMI's door later than the target, refused, expired, or still"
                " travelling past it.",
            ),
        ),
    ),
)
