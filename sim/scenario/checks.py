"""What must agree between the fields of a scenario, each as a sentence.

A check names the blocks it reads; it runs when those blocks are right in themselves, whatever is wrong elsewhere, so that one reading of a file shows all.
A finding names the value it speaks of and the others it depends on: its line is that of whichever the user wrote, not of one inherited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import floor
from typing import Any, Final

from sim import units
from sim.scenario.faults import did_you_mean
from sim.scenario.fields import LONGEST_S
from sim.scenario.schema import EstateSpec, Faults, Reporting, Stage, Traffic, Updates, Window

Path = tuple[str | int, ...]
Finding = tuple[Path, str, tuple[Path, ...]]  # the value, the sentence, what else it depends on
_RULE: Final[Path] = ("reporting", "rule")
_TIMED: Final = ("hub_poll", "periodic", "hub_batch", "on_change_heartbeat")


def findings(blocks: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a finding for everything in *blocks* (top-level name to sound block) that does not agree."""
    for check, needs in _CHECKS.items():
        if all(name in blocks for name in needs):
            yield from check(*(blocks[name] for name in needs))


def timer_period_s(reporting: Reporting) -> int:
    """Return the period of the rule's timer in seconds; 0 when the rule has none."""
    if reporting.rule not in _TIMED:
        return 0
    return reporting.heartbeat if reporting.rule == "on_change_heartbeat" else reporting.period


def _window_fits_the_clock(window: Window) -> Iterator[Finding]:
    if window.warm_up + window.length > LONGEST_S:
        yield ("window", "length"), "warm-up and length together are more than 60 years, beyond the clock's 32 bits", (("window", "warm_up"),)


def _reach_is_a_share(estate: EstateSpec) -> Iterator[Finding]:
    if estate.no_wan_share + estate.not_communicating_share > 1:
        message = "no_wan_share and not_communicating_share together are more than all premises"
        yield ("estate", "not_communicating_share"), message, (("estate", "no_wan_share"),)


def _someone_reports(reporting: Reporting) -> Iterator[Finding]:
    if reporting.rule != "none" and not reporting.devices:
        message = f"nothing reports; the rule {reporting.rule} needs at least one of ppmid, ihd, hcalcs (or write rule: none)"
        yield ("reporting", "devices"), message, (_RULE,)


def _timer_is_regular(reporting: Reporting) -> Iterator[Finding]:
    period = timer_period_s(reporting)
    if not period:
        return
    name, text = ("heartbeat" if reporting.rule == "on_change_heartbeat" else "period"), units.format_duration(period)
    timer: tuple[Path, ...] = (("reporting", name), _RULE, ("reporting", "phase", "source"))
    if 2 * reporting.phase.jitter > period:
        jitter = units.format_duration(reporting.phase.jitter)
        message = f"a jitter of {jitter} is more than half the {name} of {text}; reports would overtake each other"
        yield ("reporting", "phase", "jitter"), message, timer
    if reporting.phase.source == "hashed" and reporting.phase.window > period:
        window = units.format_duration(reporting.phase.window)
        message = f"a window of {window} is longer than the {name} of {text}; a sender has one place in each period"
        yield ("reporting", "phase", "window"), message, timer


def _profiles_exist(traffic: Traffic) -> Iterator[Finding]:
    for name, kind in traffic.kinds.items():
        if kind.profile not in traffic.profiles:
            allowed = ", ".join(traffic.profiles) or "none is given"
            hint = did_you_mean(kind.profile, traffic.profiles)
            yield (
                ("traffic", "kinds", name, "profile"),
                f"there is no profile {kind.profile}; traffic.profiles has: {allowed}{hint}",
                (("traffic", "profiles"),),
            )


def _priorities_exist(network: tuple[Stage, ...], traffic: Traffic) -> Iterator[Finding]:
    kinds = ["version_report", *traffic.kinds]
    for index, stage in enumerate(network):
        for place, kind in enumerate(stage.priority):
            if kind not in kinds:
                hint = did_you_mean(kind, kinds)
                yield (
                    ("network", index, "priority", place),
                    f"there is no kind of message {kind}; the kinds are {', '.join(kinds)}{hint}",
                    (("traffic", "kinds"),),
                )


def _cuts_happen(faults: Faults, estate: EstateSpec, window: Window) -> Iterator[Finding]:
    horizon = window.warm_up + window.length
    for index, cut in enumerate(faults.power_cuts):
        where = ("faults", "power_cuts", index)
        if cut.region not in estate.regions:
            hint = did_you_mean(cut.region, estate.regions)
            yield (*where, "region"), f"there is no region {cut.region}; the regions are {', '.join(estate.regions)}{hint}", (("estate", "regions"),)
        if cut.start >= horizon:
            start, end = units.format_duration(cut.start), units.format_duration(horizon)
            yield (*where, "start"), f"the cut starts at {start}, but the world ends at {end}", (("window", "length"), ("window", "warm_up"))


def _protection_never_fires(network: tuple[Stage, ...], reporting: Reporting, updates: Updates) -> Iterator[Finding]:
    """Accept alert storm protection only where it provably does nothing: it counts per device and code, so a national wave never trips it (F6)."""
    for index, stage in enumerate(network):
        for place, protection in enumerate(stage.mitigations):
            most = most_reports(reporting, updates, protection.window)
            if most is None or most > protection.threshold:
                sends = "has no bound" if most is None else f"can be {most}"
                yield (
                    ("network", index, "mitigations", place),
                    "alert storm protection is modelled only where no sender can send more than the threshold of one report within its window; "
                    f"here the number within {units.format_duration(protection.window)} {sends}, and the threshold is {protection.threshold}",
                    (("reporting", "period"), _RULE, ("updates", "policy")),
                )


def most_reports(reporting: Reporting, updates: Updates, window_s: int) -> int | None:
    """Return a bound on the version reports one sender sends within *window_s* seconds; nothing when there is no bound.

    A timer of period T and jitter J leaves the n-th report at least (n-1)T - 2J after the first, whatever restarts it. A read comes at most once a day of the
    clock. Releases every P install at most once in each [r P, (r+1) P); a Poisson clock has no bound.
    """
    spread_s = window_s + 2 * reporting.phase.jitter
    period_s = timer_period_s(reporting)
    most = spread_s // period_s + 1 if period_s else 0
    if reporting.rule == "hub_store":
        return window_s // units.DAY_S + 2
    can_change = updates.policy == "local_and_ota" and updates.local.rate > 0 and updates.local.take_up > 0
    if reporting.rule in ("on_change", "on_change_heartbeat") and can_change:
        if updates.local.driver == "poisson":
            return None
        most += floor(spread_s * updates.local.rate) + 2
    return most


_CHECKS: Final[dict[Callable[..., Iterator[Finding]], tuple[str, ...]]] = {
    _window_fits_the_clock: ("window",),
    _reach_is_a_share: ("estate",),
    _someone_reports: ("reporting",),
    _timer_is_regular: ("reporting",),
    _profiles_exist: ("traffic",),
    _priorities_exist: ("network", "traffic"),
    _cuts_happen: ("faults", "estate", "window"),
    _protection_never_fires: ("network", "reporting", "updates"),
}
