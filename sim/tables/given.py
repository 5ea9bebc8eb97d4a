"""Tables of what a run was given: kinds of message, operators, and strokes of faults."""

from __future__ import annotations

from typing import Final

from sim.faults import FAULTS
from sim.tables.column import OF_KIND, Column, Table
from sim.units import listed

_LISTS: Final = listed([*FAULTS], "or")

OF_WHAT_IS_GIVEN: Final = (
    Table(
        "kinds",
        "a message kind",
        "run",
        (
            OF_KIND,
            Column("code", "str", "", "Alert code; empty where there is none."),
            Column("named", "bool", "", "Whether its messages carry a sender."),
            Column("alert", "bool", "", "Whether it is an alert (a version report is one)."),
            Column(
                "genuine",
                "bool",
                "",
                "Whether somebody must see it: an alert that is neither a version report nor"
                " chatter.",
            ),
            Column(
                "price_gbp",
                "float64",
                "£",
                "What one more message of it costs; -1 where that is not given.",
            ),
        ),
    ),
    Table(
        "operators",
        "a user with operators",
        "run",
        (
            Column("user", "str", "", "DSP user."),
            Column(
                "n",
                "int64",
                "operators",
                "Operators who see the alerts and reports that reach the user.",
            ),
            Column(
                "flood_above_n",
                "int64",
                "alerts",
                "Alerts an operator gets in ten minutes above which a flood begins.",
            ),
            Column(
                "flood_below_n",
                "int64",
                "alerts",
                "Alerts an operator gets in ten minutes below which a flood ends.",
            ),
        ),
    ),
    Table(
        "triggers",
        "a stroke of a fault, in order of time",
        "run",
        (
            Column("what", "str", "", f"List of faults it is of: {_LISTS}."),
            Column(
                "place",
                "str",
                "",
                "Region it strikes; for a stage outage `stage/server`, where server may be `all`.",
            ),
            Column(
                "start_s",
                "int64",
                "s",
                "Second it strikes, from the window's start (warm-up included).",
            ),
            Column(
                "end_s",
                "int64",
                "s",
                "Second from which all is back: start + duration, + restoration or the curve's last"
                " time; of a clock lock its start.",
            ),
        ),
    ),
)
