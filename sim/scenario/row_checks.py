"""What must agree about stages and their rows: each row where it can be, for kinds of message that
there are, and no two that contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from sim import units
from sim.mitigations import MITIGATIONS
from sim.scenario.alerts import Alerts
from sim.scenario.faults import Finding, Path, did_you_mean
from sim.scenario.fields import BY_SERVER_LEAVES, OTHERS
from sim.scenario.network import Stage
from sim.scenario.rows import AlertStormProtection, Consolidate, Dedupe, HoldDown, Retry
from sim.scenario.schema import EstateSpec
from sim.scenario.traffic import Traffic


def rows_stand_where_they_act(network: tuple[Stage, ...]) -> Iterator[Finding]:
    """Find rows at a stage at which they cannot be."""
    there = [stage.stage for stage in network]
    for index, stage in enumerate(network):
        for place, row in enumerate(stage.mitigations):
            stages = MITIGATIONS[row.kind].layers
            if stage.stage not in stages:
                places = units.listed(stages, "or")
                missing = (
                    ""
                    if any(name in there for name in stages)
                    else f"; the network has no stage {places}"
                )
                yield (
                    (*_row(index, place), "kind"),
                    f"{row.kind} acts at {places}, not at {stage.stage}{missing}",
                    (("network", index, "stage"),),
                )


def server_names(stage: str, estate: EstateSpec) -> tuple[str, ...]:
    """Return the servers of a *stage* by the names that tables know them by; none at device or hub.
    """
    regions, users = tuple(estate.regions), tuple(estate.users)
    names = {"cell": regions, "csp": regions, "dsp": ("dsp",), "user": users}
    return names.get(stage, ())


def leaves_by_server_name_them(network: tuple[Stage, ...], estate: EstateSpec) -> Iterator[Finding]:
    """Find leaves by server that name one that there is not, or leave one out."""
    for index, stage in enumerate(network):
        names = server_names(stage.stage, estate)
        for path, leaf in _leaves_by_server(stage, ("network", index)):
            places: tuple[Path, ...] = (("network", index, "stage"),)
            if not names:
                yield path, f"a {stage.stage} has no servers to tell apart; write one value", places
                continue
            for name in leaf:
                if name not in (*names, OTHERS):
                    allowed = ", ".join((*names, OTHERS))
                    hint = did_you_mean(name, names)
                    told = f"the stage {stage.stage} has no server {name}; it has {allowed}{hint}"
                    yield (*path, name), told, places
            missing = [name for name in names if name not in leaf]
            if missing and OTHERS not in leaf:
                listed = ", ".join(missing)
                yield path, f"says nothing of {listed}; name all servers, or say others", places


def _leaves_by_server(block: BaseModel, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield every leaf of a stage and of its rows that is given server by server."""
    for name in type(block).model_fields:
        leaf = getattr(block, name)
        if isinstance(leaf, dict) and name in BY_SERVER_LEAVES:
            yield (*path, name), leaf
        if name == "mitigations":
            for place, row in enumerate(leaf):
                yield from _leaves_by_server(row, (*path, name, place))


def buffers_overflow(network: tuple[Stage, ...]) -> Iterator[Finding]:
    """Find an overflow without the buffer that would, and one that only a hub has."""
    for index, stage in enumerate(network):
        where: Path = ("network", index, "overflow")
        if stage.overflow == "keep_latest" and stage.stage != "hub":
            yield (
                where,
                (
                    "keep_latest is for hubs, which know a sender's messages apart; at"
                    f" {stage.stage} write drop_newest or drop_oldest"
                ),
                (),
            )
        if stage.overflow and stage.buffer is None and stage.stage not in ("device", "user"):
            yield (
                where,
                f"nothing overflows without a buffer; give the {stage.stage} a buffer",
                (("network", index, "buffer"),),
            )


def operators_see_floods(network: tuple[Stage, ...]) -> Iterator[Finding]:
    """Find operators without the two thresholds of a flood, thresholds without operators, and a
    flood that ends above where it began.
    """
    fields = ("operators", "flood_above", "flood_below")
    for index, stage in enumerate(network):
        if stage.stage != "user":
            continue
        given = [name for name in fields if getattr(stage, name) is not None]
        if given and len(given) < len(fields):
            absent = " and ".join(name for name in fields if name not in given)
            yield (
                ("network", index, given[0]),
                (
                    "a flood is told by operators, flood_above and flood_below together; give"
                    f" {absent} too"
                ),
                (),
            )
        if (
            stage.flood_above is not None
            and stage.flood_below is not None
            and stage.flood_below > stage.flood_above
        ):
            message = (
                f"a flood would end below {stage.flood_below} alerts, more than the"
                f" {stage.flood_above} above which it begins"
            )
            yield ("network", index, "flood_below"), message, (("network", index, "flood_above"),)


def rows_see_their_kinds(network: tuple[Stage, ...], traffic: Traffic) -> Iterator[Finding]:
    """Find kinds in a row's `kinds` that the row never sees."""
    for index, stage in enumerate(network):
        for place, row in enumerate(stage.mitigations):
            for number, kind in enumerate(row.kinds):
                where = (*_row(index, place), "kinds", number)
                if kind in traffic.kinds and MITIGATIONS[row.kind].of_senders:
                    message = (
                        f"{kind} is only counted and has no sender, so {row.kind} never sees it; it"
                        " is for version_report and alerts.kinds"
                    )
                    yield where, message, ()
                elif (
                    kind in traffic.kinds
                    and traffic.kinds[kind].made_at == "dsp"
                    and stage.stage != "dsp"
                ):
                    message = (
                        f"{kind} is made at the DSP and never comes to {stage.stage}; take it out"
                        " of the row"
                    )
                    yield where, message, (("traffic", "kinds", kind, "made_at"),)
                elif kind == "version_report" and isinstance(row, Dedupe | Consolidate):
                    yield (
                        where,
                        (
                            f"version_report may say something new each time; {row.kind} is for"
                            " alerts only"
                        ),
                        (),
                    )


def protections_forward_and_exclude(
    network: tuple[Stage, ...], traffic: Traffic, alerts: Alerts
) -> Iterator[Finding]:
    """Find an alert storm protection that does not say what it forwards, or excludes what there is
    not, or all it is for.
    """
    codes = {alert.code for alert in alerts.kinds.values()}
    names = ["version_report", *alerts.kinds]
    for index, stage in enumerate(network):
        for place, row in enumerate(stage.mitigations):
            if not isinstance(row, AlertStormProtection):
                continue
            where = _row(index, place)
            if row.forward_period is None and row.forward_one_in is None:
                yield (
                    where,
                    (
                        "nothing says what is forwarded above the threshold; give forward_period or"
                        " forward_one_in"
                    ),
                    (),
                )
            if row.forward_period is not None and row.forward_one_in is not None:
                yield (
                    (*where, "forward_one_in"),
                    (
                        "both forward_period and forward_one_in are given; one of them says what is"
                        " forwarded"
                    ),
                    (),
                )
            for number, word in enumerate(row.exclude):
                if word in traffic.kinds:
                    yield (
                        (*where, "exclude", number),
                        (
                            f"{word} is only counted and has no sender; alert storm protection"
                            " never throttles it"
                        ),
                        (),
                    )
                elif word not in names and word not in codes:
                    allowed = [*names, *sorted(codes)]
                    hint = did_you_mean(word, allowed)
                    message = (
                        f"there is no kind or code {word} to exclude; there are"
                        f" {', '.join(allowed)}{hint}"
                    )
                    yield (*where, "exclude", number), message, (("alerts", "kinds"),)
            excluded = [
                kind
                for kind in row.kinds
                if kind in row.exclude
                or (kind in alerts.kinds and alerts.kinds[kind].code in row.exclude)
            ]
            if row.kinds and len(excluded) == len(row.kinds):
                yield (
                    (*where, "exclude"),
                    (
                        f"excludes every kind that the row is for ({', '.join(excluded)}); take"
                        " them out of one of the two"
                    ),
                    (),
                )


def rows_do_not_contradict(network: tuple[Stage, ...]) -> Iterator[Finding]:
    """Find a second row of a kind of which there can be one."""
    seen: dict[tuple[str, str], Path] = {}
    for index, stage in enumerate(network):
        for place, row in enumerate(stage.mitigations):
            places = {"network": "the network", "stage": stage.stage}
            once = places.get(MITIGATIONS[row.kind].once_in, "")
            where = (*_row(index, place), "kind")
            if once and (once, row.kind) in seen:
                yield where, f"a second {row.kind}; {once} has at most one", (seen[once, row.kind],)
            seen.setdefault((once, row.kind), where)


def rows_agree_with_themselves(network: tuple[Stage, ...]) -> Iterator[Finding]:
    """Find rows whose own numbers leave them nothing to do, or nothing else."""
    way_s = sum(stage.latency for stage in network if stage.stage in ("cell", "csp", "dsp"))
    latencies = tuple(
        ("network", index, "latency") for index, stage in enumerate(network) if stage.latency
    )
    for index, stage in enumerate(network):
        for place, row in enumerate(stage.mitigations):
            where = _row(index, place)
            if isinstance(row, Retry) and row.timeout is not None and row.timeout <= way_s:
                timeout, way = units.format_duration(row.timeout), units.format_duration(way_s)
                message = (
                    f"a timeout of {timeout} has passed before any message can arrive: the way to"
                    f" the SMI takes {way}"
                )
                yield (*where, "timeout"), message, latencies
            if isinstance(row, HoldDown) and row.time + row.spread == 0:
                yield (
                    where,
                    "holds nothing down; give a time or a spread of more than 0 s",
                    ((*where, "time"), (*where, "spread")),
                )


def _row(index: int, place: int) -> Path:
    return ("network", index, "mitigations", place)
