"""When the model reads a leaf: the condition beside a field without which its value has no effect.

A condition may say that a leaf is read where it happens to move nothing. It never says that one is
not read which moves something: `tests/properties/test_read_when.py` moves them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sim.mitigations import MITIGATIONS
from sim.rules import RULES, ReportingRule
from sim.scenario.reach import british_moves, goes_by_air
from sim.words import Trigger

Path = tuple[str, ...]
_ASKS: Final = ("signature", "allow_list", "token")
_NAME: Final = 2  # where a path to a kind, a profile or a model has its name
_ROW: Final = 3  # where a path into a row has the row's place


@dataclass(frozen=True, slots=True)
class ReadWhen:
    """A condition, beside a field: *words* go on after "it has an effect only"; *holds* says
    whether it does in a scenario, for the leaf at a path in which stages have names.
    """

    words: str
    holds: Callable[[Any, Path], bool]

    def __get_pydantic_json_schema__(self, core: Any, handler: Any) -> dict[str, Any]:
        """Return the field's schema with the condition in words."""
        schema: dict[str, Any] = handler(core)
        return schema | {"x-read-when": self.words}


def _rule(has: Callable[[ReportingRule], object], told: str = "") -> ReadWhen:
    """Return the condition that the reporting rule *has* a trait: in the words *told*, else by
    naming the few rules that have it.
    """
    named = " or ".join(rule.id for rule in RULES.values() if has(rule))
    words = f"where {told or f'reporting.rule is {named}'}"
    return ReadWhen(words, lambda world, at: bool(has(world.reporting.traits)))


def _design(design: str) -> ReadWhen:
    told = f"where firmware.screening.design is {design}"
    return ReadWhen(told, lambda world, at: world.firmware.screening.design == design)


def _ramp(kind: str) -> ReadWhen:
    told = f"where firmware.campaign.ramp.kind is {kind}"
    return ReadWhen(told, lambda world, at: world.firmware.campaign.ramp.kind == kind)


# -- the estate and its updates --------------------------------------------------------------------


def _has_stage(world: Any, name: str) -> bool:
    return any(stage.stage == name for stage in world.network)


def _has_row(world: Any, kind: str) -> bool:
    return any(row.kind == kind for stage in world.network for row in stage.mitigations)


def _order(world: Any) -> str:
    """Return the order of campaigns; "" where there are none."""
    has_campaigns = world.firmware is not None and _some_by_air(world, lambda model: True)
    return str(world.firmware.campaign.order) if has_campaigns else ""


CELLS: Final = ReadWhen(
    "where WAN cells are told apart (a stage cell, WAN outages, or campaigns by_cell)",
    lambda world, at: (
        _has_stage(world, "cell") or bool(world.faults.wan_outages) or _order(world) == "by_cell"
    ),
)
USERS: Final = ReadWhen(
    "where users are told apart (a stage user, a row allocation, or campaigns by_supplier)",
    lambda world, at: (
        _has_stage(world, "user") or _has_row(world, "allocation") or _order(world) == "by_supplier"
    ),
)
STEADY_LOCAL: Final = ReadWhen(
    "in a world without firmware's life whose updates.policy is local_and_ota",
    lambda world, at: world.firmware is None and world.updates.has_local,
)
BY_RELEASES: Final = ReadWhen(
    "where updates.local.driver is releases",
    lambda world, at: world.updates.local.driver == "releases",
)

# -- reports ---------------------------------------------------------------------------------------


def _has_phase(world: Any, *sources: str) -> bool:
    return bool(world.reporting.timer_s) and world.reporting.phase.source in sources


def counts_bytes(world: Any) -> bool:
    """Whether the capacity of some server of *world* is in bytes."""
    capacities = [stage.capacity for stage in world.network if stage.capacity is not None]
    each = [one.values() if isinstance(one, dict) else (one,) for one in capacities]
    return any(one.in_bytes for of_stage in each for one in of_stage)


REPORTED: Final = ReadWhen(
    "where something reports (reporting.rule other than none)",
    lambda world, at: not world.reporting.traits.is_silent,
)
ON_THE_NETWORK: Final = ReadWhen(
    "where reports go by the network (a rule other than none, in a world without firmware's life)",
    lambda world, at: not world.reporting.traits.is_silent and world.firmware is None,
)
SIZED: Final = ReadWhen(
    "where reports go by the network, or a capacity is in bytes",
    lambda world, at: ON_THE_NETWORK.holds(world, at) or counts_bytes(world),
)
ASKED: Final = ReadWhen(
    "where versions are asked for by the network (the rules hub_store and hub_poll, in a world"
    " without firmware's life)",
    lambda world, at: world.firmware is None and world.reporting.traits.is_asked,
)
PERIOD: Final = _rule(
    lambda rule: rule.timer == "period", "a period is the timer of reports (by reporting.rule)"
)
HEARTBEAT: Final = _rule(lambda rule: rule.timer == "heartbeat")
KEPT_BY_HUBS: Final = _rule(lambda rule: rule.hub_keeps, "hubs keep versions (by reporting.rule)")
READ: Final = _rule(lambda rule: rule.is_read)
STORED: Final = _rule(lambda rule: rule.reads_the_hub)
TIMER: Final = _rule(lambda rule: rule.timer, "reports have a timer (by reporting.rule)")
CLOCK: Final = ReadWhen(
    "where reports have a timer whose phase has the source fixed_clock or hashed",
    lambda world, at: _has_phase(world, "fixed_clock", "hashed"),
)
MOVED: Final = ReadWhen(
    "where British clocks move while the world runs: on fixed clocks of reports and on dates",
    lambda world, at: bool(british_moves(world.window, world.reporting)),
)
HASHED: Final = ReadWhen(
    "where reports have a timer whose phase has the source hashed",
    lambda world, at: _has_phase(world, "hashed"),
)
JITTERED: Final = ReadWhen(
    "where devices report by a timer or of changes, in a world without firmware's life",
    lambda world, at: world.firmware is None
    and (world.reporting.timer_s > 0 or world.reporting.traits.at_change),
)

# -- traffic, alerts and rows ----------------------------------------------------------------------


def _is_followed(world: Any, at: Path) -> bool:
    """Whether a kind of the traffic that there is follows the profile named in the path *at*."""
    profiles = {kind.profile for kind in world.traffic.kinds.values()}
    return world.traffic.level > 0 and (len(at) <= _NAME or at[_NAME] in profiles)


def kinds_that_pass(world: Any) -> list[str]:
    """Return the kinds of message that there are in *world* and that go by the network."""
    reports = ["version_report"] * ON_THE_NETWORK.holds(world, ())
    return [*reports, *world.alerts.active, *traffic_there_is(world)]


def traffic_there_is(world: Any) -> list[str]:
    """Return the kinds of the traffic of *world* that come at some rate."""
    kinds = world.traffic.kinds.items()
    return [name for name, kind in kinds if world.traffic.level * float(kind.rate) > 0]


def row_at(world: Any, at: Path) -> Any:
    """Return the row that a path *at* leads to; None where there is none."""
    stage = next((stage for stage in world.network if stage.stage == at[1]), None)
    if stage is None or len(at) <= _ROW or int(at[_ROW]) >= len(stage.mitigations):
        return None
    return stage.mitigations[int(at[_ROW])]


def _row_has_work(world: Any, at: Path) -> bool:
    """Whether a message that the row at *at* sees, of the kinds it is for, passes its stage."""
    row = row_at(world, at)
    if row is None:
        return True
    unseen = world.traffic.kinds if MITIGATIONS[row.kind].of_senders else ()
    passing = [kind for kind in kinds_that_pass(world) if kind not in unseen]
    return any(not row.kinds or kind in row.kinds for kind in passing)


TRAFFIC: Final = ReadWhen(
    "where there is traffic (traffic.level above 0 %)", lambda world, at: world.traffic.level > 0
)
SHARED_OUT: Final = ReadWhen(
    "where a row allocation shares the DSP out among users",
    lambda world, at: _has_row(world, "allocation"),
)
FOLLOWED: Final = ReadWhen("where there is traffic that follows the profile", _is_followed)
ACTIVE: Final = ReadWhen(
    "where the kind is among alerts.active",
    lambda world, at: len(at) <= _NAME or at[_NAME] in world.alerts.active,
)
WORK: Final = ReadWhen(
    "where messages of its kinds go through the network (version reports do in worlds without"
    " firmware's life)",
    _row_has_work,
)

# -- firmware's life -------------------------------------------------------------------------------


def _is_sent(world: Any, model: str) -> bool:
    """Whether a release of *model* is sent over the air."""
    releases = world.firmware.releases
    return any(one.model == model and goes_by_air(world, one) for one in releases)


def _goes_by_air_at(world: Any, at: Path) -> bool:
    return len(at) <= _NAME or at[_NAME] not in world.firmware.models or _is_sent(world, at[_NAME])


def _some_by_air(world: Any, is_one: Callable[[Any], bool]) -> bool:
    """Whether some model that *is_one* is sent releases over the air."""
    models = world.firmware.models.items()
    return any(is_one(model) and _is_sent(world, name) for name, model in models)


def _bans_where_ota_works(world: Any) -> bool:
    ban = world.updates.ban
    return ban is not None and ban.scope == "where_ota_works"


def _by_air(told: str, is_one: Callable[[Any], bool]) -> ReadWhen:
    return ReadWhen(told, lambda world, at: _some_by_air(world, is_one))


_OVER_THE_AIR: Final = "releases go over the air (of firmware.ota.types and firmware.ota.classes)"
LOCAL: Final = ReadWhen(
    "where updates.policy is local_and_ota",
    lambda world, at: world.updates.has_local,
)
TAKING_PART: Final = ReadWhen(
    "where updates.policy is local_and_ota, or reporting.rule is cloud",
    lambda world, at: LOCAL.holds(world, at) or world.reporting.traits.is_cloud,
)
SCREENED: Final = ReadWhen(
    "where firmware.screening.design is other than none",
    lambda world, at: world.firmware.screening.design != "none",
)
ASKS: Final = ReadWhen(
    "where updates.policy is local_and_ota and firmware.screening.design is signature, allow_list"
    " or token",
    lambda world, at: LOCAL.holds(world, at) and world.firmware.screening.design in _ASKS,
)
SIGNATURE, ALLOW_LIST, TOKEN = (_design(name) for name in _ASKS)
AIR: Final = _by_air(f"where {_OVER_THE_AIR}", lambda model: True)
AIR_OR_BAN: Final = ReadWhen(
    f"where {_OVER_THE_AIR}, or a ban holds where_ota_works",
    lambda world, at: AIR.holds(world, at) or _bans_where_ota_works(world),
)
OF_AIR: Final = ReadWhen(
    "where releases of the model go over the air (firmware.ota.types and firmware.ota.classes)",
    _goes_by_air_at,
)
AWAKE: Final = _by_air("for models that are awake and updated over the air", lambda m: not m.sleepy)
SLEEPY: Final = _by_air("for models that sleep and are updated over the air", lambda m: m.sleepy)
CUTS: Final = _by_air(
    "where an activation may cut the supply (cut of a model)", lambda model: model.cut > 0
)
INTERRUPTED: Final = ReadWhen(
    "where firmware.ota.interruption is above 0 %",
    lambda world, at: world.firmware.ota.interruption > 0,
)
RETRIED: Final = ReadWhen(
    "where firmware.ota.retries is above 0", lambda world, at: world.firmware.ota.retries > 0
)
SWEPT: Final = ReadWhen(
    "where firmware.campaign.sweeps is above 0",
    lambda world, at: world.firmware.campaign.sweeps > 0,
)
CONSTANT, EXPONENTIAL, GROUPS = (_ramp(kind) for kind in ("constant", "exponential", "groups"))
EVENT_READ: Final = _rule(lambda rule: rule.trigger is Trigger.EVENT)
CALLED: Final = ReadWhen(
    "where firmware.reads.call.share is above 0 %",
    lambda world, at: world.firmware.reads.call.share > 0,
)
