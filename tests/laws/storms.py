"""Worlds of minutes for the laws of mitigations and recovery: one region of homes with a hub and a
PPMID each, and nothing else unless a law asks for it.

A *drum* is the steady load of these laws: with a period of P seconds and a fixed clock every home
reports at 0, P, 2P, … Alerts as regular come from hubs that reboot every P seconds: `rebooted` is
raised at 1, P + 1, 2P + 1, … Nothing in either is left to luck, so that what rows make of them has
a closed form.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sim.run import replicate
from sim.scenario.checks import findings
from sim.scenario.schema import Scenario
from sim.tables import Tables, Trace
from tests.laws.significance import largest_of

REPORT, ALERT = "version_report", "rebooted"
STAGES = ("device", "hub", "cell", "csp", "dsp", "user")
_COMMON = {"target": "5 s", "size": "100 B"}
ALERTS = {
    ALERT: (
        {"code": "8F00", "sender": "hub", "cause": "reboot", "share": 1.0, "genuine": True}
        | _COMMON
    ),
    "lost_supply": (
        {
            "code": "AD1",
            "sender": "hub",
            "cause": "outage",
            "share": 1.0,
            "after": "3 min",
            "genuine": True,
        }
        | _COMMON
    ),
    "got_supply": (
        {
            "code": "8F36",
            "sender": "hub",
            "cause": "restoration",
            "share": 1.0,
            "after": "3 min",
            "genuine": True,
        }
        | _COMMON
    ),
    "chatters": (
        {
            "code": "8F3E",
            "sender": "ppmid",
            "cause": "chatter",
            "share": 1.0,
            "rate": "60 /h",
            "tail": 1.1,
            "spread": 99.0,
            "genuine": False,
        }
        | _COMMON
    ),
    "tampered": (
        {
            "code": "8F3F",
            "sender": "ppmid",
            "cause": "random",
            "share": 1.0,
            "rate": "1 /d",
            "genuine": True,
        }
        | _COMMON
    ),
}


def storm(
    *,
    homes: int = 10,
    length: str = "10 min",
    period: str | None = None,
    phase: dict[str, Any] | None = None,
    network: dict[str, Any] | None = None,
    alerts: tuple[str, ...] = (),
    faults: dict[str, Any] | None = None,
    estate: dict[str, Any] | None = None,
    kinds: dict[str, Any] | None = None,
    traffic: dict[str, Any] | None = None,
    seed: int = 1,
) -> Scenario:
    """Return a world; *network* has its stages by name (a list is a stage's mitigations), *period*
    its drum, *kinds* what differs from `ALERTS`.
    """
    fields = {
        name: {"mitigations": stage} if isinstance(stage, list) else stage
        for name, stage in (network or {}).items()
    }
    assert set(fields) <= set(STAGES)
    scenario = Scenario.model_validate(
        {
            "schema_version": 1,
            "name": "law",
            "question": "none",
            "seed": seed,
            "replications": 1,
            "window": {"start": "2026-01-01", "warm_up": "0 s", "length": length},
            "estate": (
                {
                    "premises": homes,
                    "devices": {"esme": 1.0, "gsme": 0.0, "ppmid": 1.0, "ihd": 0.0, "hcalcs": 0.0},
                    "regions": {"north": 1.0},
                    "premises_per_cell": 1_000_000,
                    "no_wan_share": 0.0,
                    "not_communicating_share": 0.0,
                    "users": {"large": 1.0},
                }
                | (estate or {})
            ),
            "updates": {
                "policy": "ota_only",
                "local": {
                    "driver": "poisson",
                    "rate": "4 /year",
                    "take_up": 1.0,
                    "first_release": "0 s",
                    "delay": "1 h",
                },
            },
            "reporting": {
                "rule": "none" if period is None else "periodic",
                "devices": ["ppmid"],
                "period": period or "1 d",
                "heartbeat": "1 d",
                "phase": (
                    {"source": "fixed_clock", "at": "00:00", "window": "0 s", "jitter": "0 s"}
                    | (phase or {})
                ),
                "loss": 0.0,
                "han_loss": 0.0,
                "read": {"rate": "0 /d", "refreshes_smi": False},
                "target": "5 s",
                "size": "132 B",
                "request_size": "78 B",
                "xml_overhead": "1701 B",
                "fan_out": 1,
            },
            "traffic": (
                {"level": 0.0, "kinds": {}, "profiles": {"flat": [1] * 24}} | (traffic or {})
            ),
            "network": [{"stage": name} | fields[name] for name in STAGES if name in fields],
            "faults": {"power_cuts": []} | (faults or {}),
            "alerts": {
                "active": list(alerts),
                "kinds": {
                    name: kind | (kinds or {}).get(name, {}) for name, kind in ALERTS.items()
                },
            },
        }
    )
    assert (
        list(findings({name: getattr(scenario, name) for name in type(scenario).model_fields}))
        == []
    )
    return scenario


def reboots(every_s: int, start_s: int = 0, **more: Any) -> dict[str, Any]:
    """Return the fault that makes every hub raise `rebooted` a second after *start_s*, and every
    *every_s* seconds from then on.
    """
    wave = {
        "region": "north",
        "share": 1.0,
        "start": f"{start_s} s",
        "every": f"{every_s} s",
        "duration": "1 s",
        "restoration": "0 s",
    }
    return {"hub_reboots": [wave | more]}


def cut(start: str, duration: str, **more: Any) -> dict[str, Any]:
    """Return a power cut that takes everybody."""
    return {
        "power_cuts": [
            {
                "region": "north",
                "share": 1.0,
                "start": start,
                "duration": duration,
                "restoration": "0 s",
            }
            | more
        ]
    }


def out(stage: str, start: str, duration: str, server: str = "all", **more: Any) -> dict[str, Any]:
    """Return an outage of a stage."""
    return {
        "stage_outages": [
            {"stage": stage, "server": server, "start": start, "duration": duration} | more
        ]
    }


def wan_out(start: str, duration: str, **more: Any) -> dict[str, Any]:
    """Return an outage of all WAN cells."""
    return {
        "wan_outages": [
            {"region": "north", "share": 1.0, "start": start, "duration": duration} | more
        ]
    }


@dataclass(frozen=True, slots=True)
class Message:
    """A named message as `Trace` tells it."""

    kind: str
    region: str
    slot: int
    index: int
    raised_s: int
    cause: str
    fate: str
    stage: str
    at_s: int

    @property
    def sender(self) -> tuple[str, int, int]:
        return self.region, self.slot, self.index


@dataclass(frozen=True)
class Seen:
    """What came of a world: its tables, and its named messages in the order raised."""

    tables: Tables
    messages: list[Message]

    def fates(self, kind: str = REPORT, at: str | None = None) -> Counter[str]:
        """Return how many messages of *kind* met each fate (*at* a stage)."""
        rows = self.tables["fates"]
        rows = rows[(rows["kind"] == kind) & ((rows["stage"] == at) if at else True)]
        return Counter({str(fate): int(n) for fate, n in rows.groupby("fate")["n"].sum().items()})

    def of(self, kind: str = REPORT, fate: str = "delivered") -> list[Message]:
        """Return the messages of *kind* that met *fate*."""
        return [
            message for message in self.messages if message.kind == kind and message.fate == fate
        ]

    def passed(self, kind: str = REPORT) -> Counter[int]:
        """Return how many messages of *kind* passed the SMI's door in each second."""
        return Counter(message.at_s for message in self.of(kind))

    def times(self, kind: str = REPORT) -> dict[tuple[str, int, int], list[int]]:
        """Return when each sender's messages of *kind* passed the SMI's door."""
        found: dict[tuple[str, int, int], list[int]] = {}
        for message in self.of(kind):
            found.setdefault(message.sender, []).append(message.at_s)
        return {sender: sorted(times) for sender, times in found.items()}

    def waits(self, kind: str = REPORT) -> list[int]:
        """Return how long each delivered message of *kind* took from being raised, in the order
        raised.
        """
        return [message.at_s - message.raised_s for message in self.of(kind)]

    def one(self, table: str, column: str, **where: Any) -> Any:
        """Return the one value of *column* in the row of *table* that *where* names."""
        frame = self.tables[table]
        for name, value in where.items():
            frame = frame[frame[name] == value]
        return frame[column].item()

    def waiting(self, stage: str = "dsp", server: str = "dsp") -> list[int]:
        """Return how many waited at a server as each minute ended."""
        rows = self.tables["timeline"]
        rows = rows[(rows["stage"] == stage) & (rows["server"] == server)].sort_values("start_s")
        return [int(n) for n in rows["waiting_n"]]

    def amplification(self, kind: str = REPORT) -> float:
        """Return attempts per message of *kind*."""
        return float(
            self.one("attempts", "n_attempts", kind=kind)
            / self.one("attempts", "n_messages", kind=kind)
        )

    def row(self, mitigation: str, column: str = "n_stopped") -> int:
        """Return what the rows of *mitigation* stopped, or put off."""
        rows = self.tables["rows"]
        return int(rows.loc[rows["mitigation"] == mitigation, column].sum())


def seen(scenario: Scenario) -> Seen:
    """Return what comes of *scenario*; whatever the law, no message is lost from the accounts: the
    fates counted are those of the messages, one each.
    """
    trace = Trace([], [])
    tables = replicate(scenario, 0, trace=trace)
    messages = sorted(
        (Message(*row) for row in trace.messages), key=lambda m: (m.raised_s, m.sender, m.kind)
    )
    fates = tables["fates"]
    named = set(tables["kinds"].query("named")["kind"])
    counted = {
        (row.kind, row.fate, row.stage): row.n
        for row in fates[fates["kind"].isin(named)].itertuples()
    }
    assert counted == Counter((message.kind, message.fate, message.stage) for message in messages)
    assert [message.at_s >= message.raised_s for message in messages] == [
        message.fate == "delivered" for message in messages
    ]
    return Seen(tables, messages)


def differing(a: Seen, b: Seen, besides: tuple[str, ...] = ()) -> list[str]:
    """Return in what two worlds did not end alike: "messages", and the names of tables but those
    *besides*, compared to the bit.
    """
    names = sorted(set(a.tables) - {"triggers", *besides})
    tables = [name for name in names if not a.tables[name].equals(b.tables[name])]
    return tables if a.messages == b.messages else ["messages", *tables]


def gaps(times: list[int]) -> list[int]:
    """Return the times between one and the next."""
    return [after - before for before, after in pairwise(times)]


def chatter_world(**network: Any) -> Seen:
    """Return two hours of six PPMIDs that chatter, each at its own rate, of 60 an hour on average.
    """
    return seen(storm(homes=6, length="2 h", alerts=("chatters",), network={"dsp": {}} | network))


def largest_share(n: int, trials: int) -> tuple[int, int]:
    """Return the bounds of the largest of *n* counts among which *trials* fall evenly at random
    (`significance.largest_of`).
    """
    return largest_of(n, trials, 1 / n)
