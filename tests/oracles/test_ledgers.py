"""The ledgers, integrated at transitions, against a device lived second by second (docs/model.md
section 8).
"""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import sim.ledgers
from sim.estate.build import build
from sim.kernels.seconds import NEVER, NOT_WRITTEN
from sim.scenario.load import load
from sim.scenario.schema import Scenario

HORIZON_S = 60
N_DEVICES = 4
EDGES_S = (0, 1, 2, 3, 5, 8, 13, 21, 2**40)
# second it left, second its journey ended, whether it was written then (else refused)
Report = tuple[int, int, bool]


class Life:
    """One device and what two ledgers hold of it, one second after the other."""

    def __init__(
        self, changes: dict[int, bool], reports: list[Report], from_hub: bool, measure_s: int
    ) -> None:
        self.true = self.smi = self.hub = 0
        self.since: dict[str, int | None] = {"smi": None, "hub": None}
        self.sums = {
            ledger: {"wrong_s": 0, "staleness_s2": 0.0, "n_repairs": 0, "repair_s": 0}
            for ledger in ("smi", "hub")
        }
        self.bands = {ledger: [0] * (len(EDGES_S) - 1) for ledger in ("smi", "hub")}
        self.confirmed_s = 0
        self.confirmation_s2 = 0.0
        self.n_changes = 0
        self.measure_s = measure_s
        self.carried: dict[int, int] = {}
        for second in range(HORIZON_S):
            if second in changes:
                self.change(second, changes[second])
            self.reports(second, reports, from_hub)
            if second >= measure_s:
                self.live(second)

    def change(self, second: int, heard: bool) -> None:
        self.true += 1
        self.n_changes += second >= self.measure_s
        if heard:
            self.hub = self.true
        self.mark("hub", second, self.hub == self.true)
        self.mark("smi", second, self.smi == self.true)

    def reports(self, second: int, reports: list[Report], from_hub: bool) -> None:
        for number, (left, _, _) in enumerate(reports):
            if left == second:
                self.carried[number] = self.hub if from_hub else self.true
        for number, (left, ends, written) in enumerate(reports):
            # older news than the last changes nothing
            if ends == second and written and left >= self.confirmed_s:
                self.smi, self.confirmed_s = self.carried[number], left
                self.mark("smi", second, self.smi == self.true)

    def mark(self, ledger: str, second: int, right: bool) -> None:
        began = self.since[ledger]
        if right and began is not None:
            if began >= self.measure_s:
                self.sums[ledger]["n_repairs"] += 1
                self.sums[ledger]["repair_s"] += second - began
            self.since[ledger] = None
        elif not right and began is None:
            self.since[ledger] = second

    def live(self, second: int) -> None:
        self.confirmation_s2 += second - self.confirmed_s + 0.5
        for ledger, began in self.since.items():
            if began is not None:
                self.sums[ledger]["wrong_s"] += 1
                self.sums[ledger]["staleness_s2"] += second - began + 0.5
                self.bands[ledger][
                    next(b for b in range(len(EDGES_S)) if second - began < EDGES_S[b + 1])
                ] += 1


@st.composite
def journeys(draw: st.DrawFn, overtake: bool) -> list[Report]:
    """Reports of one sender, some refused: of those that do not *overtake* no two leave in one
    second, and none arrives before an earlier one.
    """
    seconds = st.integers(0, HORIZON_S - 1)
    left = sorted(draw(st.lists(seconds, max_size=8) if overtake else st.sets(seconds, max_size=8)))
    ends, found = 0, []
    for second in left:
        ends = max(0 if overtake else ends, second + draw(st.sampled_from([0, 0, 0, 1, 7, 30, 90])))
        found.append((second, ends, draw(st.sampled_from([True, True, True, False]))))
    return found


CHANGES = st.dictionaries(st.integers(0, HORIZON_S - 1), st.booleans(), max_size=6)


def columns(rows: list[tuple[int, ...]], kinds: tuple[Any, ...]) -> tuple[np.ndarray, ...]:
    """Return *rows* as columns."""
    return tuple(np.array([row[k] for row in rows], kind) for k, kind in enumerate(kinds))


def walked(
    rule: str,
    changes: list[dict[int, bool]],
    reports: list[list[Report]],
    stops: list[int],
    measure_s: int,
    overtake: bool,
) -> dict[str, Any]:
    """Return the tables of the ledgers after taking all that happens in the intervals that end at
    *stops*.
    """
    sets = {
        "estate.premises": N_DEVICES,
        "estate.regions": "{north: 100 %, central: 0 %, south: 0 %}",
        "estate.devices": "{ppmid: 100 %, ihd: 0 %}",
    }
    scenario = load(
        "gb_base",
        [
            f"{path}={value}"
            for path, value in (
                sets | {"reporting.rule": rule, "reporting.devices": "[ppmid]"}
            ).items()
        ],
    )
    if overtake:
        lifo = [{"stage": "dsp", "mitigations": [{"kind": "lifo", "above": 0}]}]
        scenario = Scenario.model_validate(
            scenario.model_dump(mode="json", exclude_none=True) | {"network": lifo}
        )
    estate = build(scenario, 0)
    number = next(i for i, rows in enumerate(estate.slices) if len(rows) == N_DEVICES)
    ledgers, start = sim.ledgers.Ledgers(scenario, estate, measure_s, HORIZON_S), 0
    for stop in stops:
        due = [
            (row, c, 1 + sorted(mine).index(c), mine[c])
            for row, mine in enumerate(changes)
            for c in sorted(mine)
            if start <= c < stop
        ]
        row, second, version, heard = columns(due, (np.int32, np.int32, np.uint16, np.bool_))
        sent, late = [], []
        for device, mine in enumerate(reports):
            for left, ends, written in mine:
                known = (ends if written else int(NOT_WRITTEN)) if ends < stop else int(NEVER)
                if start <= left < stop:
                    sent.append((device, left, known))
                elif left < start <= ends < stop:
                    late.append((device, left, known))
        int32 = (np.int32, np.int32, np.int32)
        ledgers.apply(
            number, stop, (row, second, version), heard, columns(sent, int32), columns(late, int32)
        )
        ledgers.close_day(stop)
        start = stop
    ledgers.finish()
    return ledgers.frames()


@given(
    rule=st.sampled_from(["periodic", "hub_batch", "hub_store", "on_change"]),
    changes=st.lists(CHANGES, min_size=N_DEVICES, max_size=N_DEVICES),
    stops=st.sets(st.integers(1, HORIZON_S - 1), max_size=6).map(
        lambda cuts: sorted({*cuts, HORIZON_S})
    ),
    measure_s=st.integers(0, HORIZON_S - 1),
    overtake=st.booleans(),
    data=st.data(),
)
def test_ledgers_are_lives_lived_second_by_second(rule, changes, stops, measure_s, overtake, data):
    """Any changes, HAN losses, journeys, refusals and old news, in any intervals: the same seconds,
    integrals, bands and repairs.
    """
    kept = rule in ("hub_batch", "hub_store")
    reports = [data.draw(journeys(overtake)) for _ in range(N_DEVICES)]
    with patch.object(sim.ledgers, "EDGES", np.array(EDGES_S, np.int64)):
        tables = walked(rule, changes, reports, stops, measure_s, overtake)

    lives = [
        Life(mine, theirs, kept, measure_s) for mine, theirs in zip(changes, reports, strict=True)
    ]
    table = tables["ledgers"].query("n_devices > 0 and device_type == 'ppmid'").set_index("ledger")
    for ledger in ("smi", "hub") if kept else ("smi",):
        expected = {
            name: sum(life.sums[ledger][name] for life in lives)
            for name in ("wrong_s", "staleness_s2", "n_repairs", "repair_s")
        }
        assert table.loc[ledger, list(expected)].to_dict() == expected
        assert (
            table.loc[ledger, "right_s"]
            == N_DEVICES * (HORIZON_S - measure_s) - expected["wrong_s"]
        )
        seconds = [
            sum(life.bands[ledger][band] for life in lives) for band in range(len(EDGES_S) - 1)
        ]
        bands = tables["staleness"].query("ledger == @ledger").set_index("low_s")["device_s"]
        assert bands.to_dict() == {EDGES_S[band]: n for band, n in enumerate(seconds) if n}
        n_wrong = tables["days"].query("ledger == @ledger and device_type == 'ppmid'")["n_wrong"]
        assert n_wrong.tolist() == [sum(life.since[ledger] is not None for life in lives)]
    assert table.loc["smi", "confirmation_s2"] == sum(life.confirmation_s2 for life in lives)
    assert table.loc["smi", "n_changes"] == sum(life.n_changes for life in lives)
