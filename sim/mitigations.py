"""Mitigations, a row a kind of `network.*.mitigations`: what it does, and where it can stand.

`docs/options.md` is written from here, and so are the schema and what both engines ask. What a
kind takes is its shape in `sim/scenario/rows.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SERVERS: Final = ("cell", "csp", "dsp")


@dataclass(frozen=True, slots=True)
class MitigationKind:
    """A kind of mitigation: its *id*, its plain *name*, its *layers* (the stages at which it can
    be), and what it *means*.

    *of_senders*: it knows messages by their sender, and never sees traffic, which is only counted.
    *for_alerts*: version reports pass it. *at_servers*: a server's arrivals are taken through it.
    *counts_arrivals*: it refuses by how many arrive in a second. *puts_off*: what it stops at a
    server comes again. *overtakes*: a message may be written before one that was made earlier.
    *once_in*: the `network` or a `stage` has one of them at most; without it, any number.
    """

    id: str
    layers: tuple[str, ...]
    means: str
    of_senders: bool = False
    for_alerts: bool = False
    at_servers: bool = False
    counts_arrivals: bool = False
    puts_off: bool = False
    overtakes: bool = False
    once_in: str = ""

    @property
    def name(self) -> str:
        """The plain name."""
        return self.id.replace("_", " ")


_ROWS: Final = (
    MitigationKind(
        "jitter", ("device",),
        "A device holds its messages back at random.",
        of_senders=True,
    ),
    MitigationKind(
        "token_bucket", ("device",),
        "A device sends no faster than its tokens come; the rest is throttled.",
        of_senders=True,
    ),
    MitigationKind(
        "dedupe", ("hub",),
        "A hub drops an alert like the one it has just let pass.",
        of_senders=True, for_alerts=True,
    ),
    MitigationKind(
        "consolidate", ("hub",),
        "A hub forwards few of the alerts that one device repeats.",
        of_senders=True, for_alerts=True,
    ),
    MitigationKind(
        "batch", ("hub",),
        "A hub sends at times of its own, the latest message of each sender and kind.",
        of_senders=True,
    ),
    MitigationKind(
        "hold_down", ("hub",),
        "A hub that was dark is silent for a while.",
        of_senders=True,
    ),
    MitigationKind(
        "retry", ("device", "hub"),
        "A sender tries again what was refused, or not answered in time.",
        overtakes=True, once_in="network",
    ),
    MitigationKind(
        "access_barring", ("cell",),
        "A crowded cell puts some arrivals off.",
        at_servers=True, puts_off=True, overtakes=True,
    ),
    MitigationKind(
        "alert_storm_protection", ("dsp",),
        "The DSP forwards few of the alerts that one device repeats, counted per device and code.",
        of_senders=True, at_servers=True,
    ),
    MitigationKind(
        "circuit_breaker", SERVERS,
        "A server that was overrun refuses all arrivals for a while.",
        at_servers=True, counts_arrivals=True,
    ),
    MitigationKind(
        "admission", SERVERS,
        "A server admits no faster than its tokens come; the rest is refused.",
        at_servers=True, counts_arrivals=True,
    ),
    MitigationKind(
        "shed", SERVERS,
        "A server refuses arrivals while it is behind.",
        at_servers=True,
    ),
    MitigationKind(
        "allocation", ("dsp",),
        "Above an operating threshold, each user gets no more than its share of premises.",
        at_servers=True, counts_arrivals=True, once_in="stage",
    ),
    MitigationKind(
        "shape", SERVERS,
        "A server passes messages on no faster than agreed; the rest waits.",
        at_servers=True, once_in="stage",
    ),
    MitigationKind(
        "lifo", SERVERS,
        "A server that is behind serves the newest first.",
        overtakes=True, once_in="stage",
    ),
    MitigationKind(
        "codel", SERVERS,
        "A server that has been behind for long refuses what has waited for long.",
        at_servers=True, once_in="stage",
    ),
    MitigationKind(
        "staggered_reconnect", ("cell", "csp"),
        "Hubs whose link returns connect one after the other.",
        once_in="network",
    ),
    MitigationKind(
        "redelivery", ("user",),
        "What a user who is out did not take is offered again.",
        of_senders=True, at_servers=True, puts_off=True, once_in="stage",
    ),
)  # fmt: skip
MITIGATIONS: Final = {row.id: row for row in _ROWS}
