"""How versions go out over the air: campaigns, their groups and gates, and who gives way to whom
(S1-14; `docs/firmware.md` section 6).

What a campaign does next depends on how its jobs end, so the engine asks the programme, second by
second, and tells it what it has counted. In one second, all campaigns that become due come first,
then all gates, then those that wait start, then groups begin by model number.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Final

from sim.planning import NEVER_S
from sim.planning.openings import Openings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sim.planning.releases import Image
    from sim.scenario.air import Ramp
    from sim.scenario.schema import Scenario

KEYS: Final = 2**32  # keys of devices lie below it


@dataclass(slots=True, eq=False)
class Campaign:
    """A version sent over the air. Seconds are of the window, warm-up included; `NEVER_S` for what
    has not happened.
    """

    image: Image
    number: int  # its place in `Programme.campaigns`
    priority: int  # 0 is the most urgent
    due_s: int
    started_s: int = NEVER_S
    ended_s: int = NEVER_S
    ended: str = "waiting"  # or running, finished, aborted, stalled, superseded
    n_groups: int = 0
    n_targets: int = 0
    covered: int = 0  # keys below it have had their group
    n_sweeps: int = 0
    begins_s: int = NEVER_S  # the next group
    gate_s: int = NEVER_S
    n_held: int = 0  # how often the gate was held and stayed shut

    @property
    def model_number(self) -> int:
        """Return the number of its model."""
        return self.image.model_number

    @property
    def goal(self) -> int:
        """Return the version it sends."""
        return self.image.version


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Order: take back the jobs of *campaign* that are still `offered`."""

    campaign: Campaign


@dataclass(frozen=True, slots=True)
class Begin:
    """Order: a group of *campaign* begins: targets with *low_key* <= key < *high_key*; count them,
    and tell `Programme.spread`.
    """

    campaign: Campaign
    low_key: int
    high_key: int
    is_sweep: bool


Order = Withdraw | Begin


class Programme:
    """All campaigns of a firmware world, and what they decide.

    An engine carries its devices to the second of `next_s` (not included) and then decides::

        while programme.next_s() == now_s:
            for order in programme.decide(now_s, counts):
                ...  # Withdraw: take jobs back. Begin: count the targets by region, call `spread`,
                offer them
    """

    def __init__(self, scenario: Scenario, images: Iterable[Image]) -> None:
        assert scenario.firmware is not None, "a firmware world has a firmware block"
        ota, self._rules = scenario.firmware.ota, scenario.firmware.campaign
        self._horizon_s = scenario.window.warm_up + scenario.window.length
        self._capacity = {
            region: ota.capacity[region] for region in sorted(scenario.estate.regions)
        }
        self._openings = Openings(self._rules)
        sent = [
            image
            for image in images
            if image.release_class in ota.classes and image.device_type in ota.types
        ]
        due = [(image, max(image.listed_s, ota.start) + self._rules.lead) for image in sent]
        self.campaigns: tuple[Campaign, ...] = tuple(
            Campaign(image, number, self._rules.priority.index(image.release_class), due_s)
            for number, (image, due_s) in enumerate(
                (image, due_s) for image, due_s in due if due_s < self._horizon_s
            )
        )
        self._decided_s = -1

    def next_s(self) -> int:
        """Return the next second at which something is decided; `NEVER_S` when nothing is before
        the horizon.
        """
        seconds = [
            campaign.due_s for campaign in self._in("waiting") if campaign.due_s > self._decided_s
        ]
        seconds += [
            second
            for campaign in self._in("running")
            for second in (campaign.begins_s, campaign.gate_s)
        ]
        soonest_s = min(seconds, default=NEVER_S)
        return soonest_s if soonest_s < self._horizon_s else NEVER_S

    def decide(self, now_s: int, counts: Callable[[Campaign], tuple[int, int]]) -> list[Order]:
        """Return what is to be done at *now_s*, in that order.

        *counts* gives the jobs (done, told to have failed) of a campaign offered so far, by what
        happened before *now_s*; it is asked at gates only. A gate comes at the earliest a second
        after its group began, so nothing is left to be decided in a second once every group that
        begins has been told to `spread`.
        """
        due = [
            campaign
            for campaign in self._in("waiting")
            if self._decided_s < campaign.due_s <= now_s
        ]
        self._decided_s = now_s
        orders: list[Order] = []
        for new in due:
            for old in self._in("running"):
                if old.model_number == new.model_number and old.priority >= new.priority:
                    orders += self._end(old, "superseded", now_s)
        for campaign in self._in("running"):
            while campaign.gate_s <= now_s:
                orders += self._hold(campaign, now_s, *counts(campaign))
        self._start(now_s)
        return orders + [
            self._begin(campaign) for campaign in self._in("running") if campaign.begins_s <= now_s
        ]

    def spread(self, campaign: Campaign, start_s: int, targets: dict[str, int]) -> dict[str, int]:
        """Return E, the open seconds that the group of *campaign* begun at *start_s* takes, by
        region; *targets* says how many there are in each.

        Sets when the group's gate is held. A region that *targets* does not name has none, and
        takes the shortest time.
        """
        rules = self._rules
        shortest_s = {
            region: ceil(targets.get(region, 0) / capacity)
            for region, capacity in self._capacity.items()
        }
        taken = {
            region: min(max(rules.ramp.step, seconds), NEVER_S)
            for region, seconds in shortest_s.items()
        }
        campaign.n_targets += sum(targets.values())
        campaign.gate_s = self._openings.opening(start_s, max(taken.values())) + rules.soak
        return taken

    def opening(self, start_s: int, k: int) -> int:
        """Return the *k*-th open second at or after *start_s* (`sim.planning.openings`)."""
        return self._openings.opening(start_s, k)

    def _in(self, state: str) -> list[Campaign]:
        return [campaign for campaign in self.campaigns if campaign.ended == state]

    def _start(self, now_s: int) -> None:
        """Start those that wait, as far as there is room: the most urgent first, then who has
        waited longest, the model, and the highest version.
        """
        running = {campaign.model_number for campaign in self._in("running")}
        due = [campaign for campaign in self._in("waiting") if campaign.due_s <= now_s]
        for campaign in sorted(
            due,
            key=lambda campaign: (
                campaign.priority,
                campaign.due_s,
                campaign.model_number,
                -campaign.goal,
            ),
        ):
            if len(running) < self._rules.at_once and campaign.model_number not in running:
                running.add(campaign.model_number)
                campaign.ended = "running"
                campaign.started_s = now_s
                campaign.begins_s = now_s

    def _begin(self, campaign: Campaign) -> Begin:
        """Return the order that begins the next group of *campaign*."""
        is_sweep = campaign.covered == KEYS
        low, high = (
            (0, KEYS)
            if is_sweep
            else (
                campaign.covered,
                max(campaign.covered + 1, reached(self._rules.ramp, campaign.n_groups + 1)),
            )
        )
        campaign.covered = KEYS if is_sweep else high
        campaign.n_sweeps += is_sweep
        campaign.n_groups += 1
        campaign.n_held, campaign.begins_s = 0, NEVER_S
        return Begin(campaign, low, high, is_sweep)

    def _hold(self, campaign: Campaign, now_s: int, done: int, failed: int) -> list[Order]:
        """Hold the gate of *campaign* that is due, and return what it orders."""
        rules, known = self._rules, done + failed
        campaign.gate_s = NEVER_S
        if known >= rules.least and failed > _exact(rules.error_threshold) * known:
            return self._end(campaign, "aborted", now_s)
        if done < _exact(rules.success_threshold) * known:
            if campaign.n_held == rules.gates:
                return self._end(campaign, "stalled", now_s)
            campaign.n_held += 1
            campaign.gate_s = now_s + rules.soak
        elif campaign.covered < KEYS:
            campaign.begins_s = now_s + rules.approval
        elif campaign.n_sweeps < rules.sweeps:
            campaign.begins_s = now_s + rules.sweep_every
        else:
            campaign.ended, campaign.ended_s = "finished", now_s
        return []

    def _end(self, campaign: Campaign, how: str, now_s: int) -> list[Order]:
        """End *campaign* before its time."""
        campaign.ended, campaign.ended_s = how, now_s
        campaign.begins_s = campaign.gate_s = NEVER_S
        return [Withdraw(campaign)]


def reached(ramp: Ramp, n_groups: int) -> int:
    """Return the threshold K of the keys that the first *n_groups* groups of *ramp* reach; exact
    for shares as they are written in decimals.
    """
    if ramp.kind == "constant":
        share = n_groups * _exact(ramp.share)
    elif ramp.kind == "exponential":
        assert ramp.factor is not None, "an exponential ramp has a factor"
        share = _exact(ramp.first) * (ramp.factor**n_groups - 1) / (ramp.factor - 1)
    else:
        share = sum(
            (_exact(part) for part in ramp.shares[:n_groups]),
            start=Fraction(n_groups >= len(ramp.shares)),
        )
    return min(int(share * KEYS + Fraction(1, 2)), KEYS)


def _exact(share: float | None) -> Fraction:
    """Return the decimal that is written as *share*."""
    assert share is not None, "a ramp has the shares of its kind"
    return Fraction(repr(share))


def rows(
    campaigns: Iterable[Campaign], totals: Callable[[Campaign], Sequence[int]]
) -> list[tuple[str | int, ...]]:
    """Return the rows of table `campaigns`: those that became due, by model and version.

    *totals* gives of each the jobs that are done, that failed and said so, that ended in silence,
    and that were withdrawn.
    """
    return [
        (
            *(
                campaign.image.model,
                campaign.image.device_type,
                campaign.goal,
                campaign.image.release_class,
            ),
            *(
                campaign.due_s,
                _seen(campaign.started_s),
                _seen(campaign.ended_s),
                campaign.ended,
                campaign.n_groups,
                campaign.n_targets,
            ),
            *totals(campaign),
        )
        for campaign in campaigns
    ]


def _seen(second: int) -> int:
    return -1 if second == NEVER_S else second
