"""What must agree between the fields of a scenario, each as a sentence; what a form beside a field
says (`sim.scenario.forms`) is asked first.

A check names the blocks it reads; it runs when those blocks are right in themselves, whatever is
wrong elsewhere, so that one reading of a file shows all. A finding names the value it speaks of and
the others it depends on: its line is that of whichever the user wrote, not of one inherited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from fractions import Fraction
from typing import Any, Final

from sim import units
from sim.scenario import (
    air_checks,
    firmware_checks,
    forms,
    local_checks,
    row_checks,
    storm_checks,
    world_checks,
)
from sim.scenario.faults import Finding, Path
from sim.scenario.fields import LONGEST_S
from sim.scenario.firmware import Firmware
from sim.scenario.network import Stage
from sim.scenario.reach import clock_moves
from sim.scenario.scale import rates_are_countable, whole_leaves_vanish
from sim.scenario.schema import EstateSpec, Reporting, Scenario, Window
from sim.units import DAY_S

_RULE: Final[Path] = ("reporting", "rule")


def findings(blocks: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a finding for everything in *blocks* (top-level name to sound block) that does not
    agree.
    """
    yield from forms.found_beside(blocks)
    has_firmware = blocks.get("firmware") is not None
    for check, needs in (_CHECKS | _OF_FIRMWARE if has_firmware else _CHECKS).items():
        if all(name in blocks for name in needs):
            yield from check(*(blocks[name] for name in needs))


def is_sound(scenario: Scenario) -> bool:
    """Whether everything in *scenario* agrees, which was changed after it was read."""
    return not any(findings({name: getattr(scenario, name) for name in Scenario.model_fields}))


def _window_fits_the_clock(window: Window) -> Iterator[Finding]:
    if window.warm_up + window.length > LONGEST_S:
        message = "warm-up and length together are more than 60 years, beyond the clock's 32 bits"
        yield ("window", "length"), message, (("window", "warm_up"),)
    elif window.warm_up + window.length > (date.max - window.start).days * DAY_S:
        message = f"the window ends after {date.max}, the last day of the calendar"
        others: tuple[Path, ...] = (("window", "warm_up"), ("window", "start"))
        yield ("window", "length"), message, others


def _reach_is_a_share(estate: EstateSpec) -> Iterator[Finding]:
    if estate.no_wan_share + estate.not_communicating_share > 1:
        message = "no_wan_share and not_communicating_share together are more than all premises"
        yield ("estate", "not_communicating_share"), message, (("estate", "no_wan_share"),)


def _scale_leaves_whole_numbers(
    estate: EstateSpec, network: tuple[Stage, ...]
) -> Iterator[Finding]:
    scale = Fraction(1) if estate.scale is None else estate.scale
    yield from whole_leaves_vanish(scale, "estate", estate)
    yield from whole_leaves_vanish(scale, "network", network)
    yield from rates_are_countable(scale, network)


def _a_scaled_gateway_answers(estate: EstateSpec, firmware: Firmware) -> Iterator[Finding]:
    capacity = firmware.screening.capacity
    if capacity is None or estate.scale is None or capacity * units.HOUR_S < 1:
        return
    if capacity * estate.scale * units.HOUR_S < 1:
        least = 1 / (capacity * units.HOUR_S)
        message = (
            f"at a scale of {estate.scale} the gateway answers less than once an hour, and it"
            f" counts by the hour; the smallest scale that works is {least}"
        )
        yield ("firmware", "screening", "capacity"), message, (("estate", "scale"),)


def _someone_reports(reporting: Reporting) -> Iterator[Finding]:
    if not reporting.traits.is_silent and not reporting.devices:
        message = (
            f"nothing reports; the rule {reporting.rule} needs at least one of ppmid, ihd, hcalcs"
            " (or write rule: none)"
        )
        yield ("reporting", "devices"), message, (_RULE,)


def _timer_is_regular(reporting: Reporting) -> Iterator[Finding]:
    period = reporting.timer_s
    if not period:
        return
    name, text = reporting.traits.timer, units.format_duration(period)
    timer: tuple[Path, ...] = (("reporting", name), _RULE, ("reporting", "phase", "source"))
    if 2 * reporting.phase.jitter > period:
        jitter = units.format_duration(reporting.phase.jitter)
        message = (
            f"a jitter of {jitter} is more than half the {name} of {text}; reports would overtake"
            " each other"
        )
        yield ("reporting", "phase", "jitter"), message, timer
    if reporting.phase.source == "hashed" and reporting.phase.window > period:
        window = units.format_duration(reporting.phase.window)
        message = (
            f"a window of {window} is longer than the {name} of {text}; a sender has one place in"
            " each period"
        )
        yield ("reporting", "phase", "window"), message, timer


def _reports_stay_apart_as_clocks_move(reporting: Reporting, window: Window) -> Iterator[Finding]:
    period, jitter = reporting.timer_s, reporting.phase.jitter
    is_apart = not period or period > 2 * jitter + units.HOUR_S
    if is_apart or not clock_moves(window, reporting):
        return
    name = reporting.traits.timer
    twice = f" and twice the jitter of {units.format_duration(jitter)}" if jitter else ""
    yield (
        ("reporting", name),
        (
            f"{units.format_duration(period)} is too short for clocks that move an hour; with"
            f" window.clock: local it must be longer than 1 h{twice}"
        ),
        (("window", "clock"), ("reporting", "phase", "jitter"), _RULE),
    )


_CHECKS: Final[dict[Callable[..., Iterator[Finding]], tuple[str, ...]]] = {
    _window_fits_the_clock: ("window",),
    _reach_is_a_share: ("estate",),
    _scale_leaves_whole_numbers: ("estate", "network"),
    _someone_reports: ("reporting",),
    _timer_is_regular: ("reporting",),
    _reports_stay_apart_as_clocks_move: ("reporting", "window"),
    row_checks.rows_stand_where_they_act: ("network",),
    row_checks.leaves_by_server_name_them: ("network", "estate"),
    row_checks.buffers_overflow: ("network",),
    row_checks.operators_see_floods: ("network",),
    row_checks.rows_see_their_kinds: ("network", "traffic"),
    row_checks.protections_forward_and_exclude: ("network", "traffic", "alerts"),
    row_checks.rows_do_not_contradict: ("network",),
    row_checks.rows_agree_with_themselves: ("network",),
    storm_checks.faults_say_when: ("faults",),
    storm_checks.faults_happen: ("faults", "window"),
    storm_checks.darkness_ends: ("faults",),
    storm_checks.outages_strike_stages: ("faults", "network", "estate"),
    storm_checks.names_stand_for_one_thing: ("alerts", "traffic"),
    storm_checks.chatter_is_countable: ("alerts",),
    local_checks.the_ban_has_a_world: ("updates", "firmware"),
    world_checks.reports_are_of_their_world: ("reporting", "firmware"),
    world_checks.causes_have_their_senders: ("alerts", "firmware"),
}
_OF_FIRMWARE: Final[dict[Callable[..., Iterator[Finding]], tuple[str, ...]]] = {
    firmware_checks.models_make_up_their_type: ("firmware",),
    firmware_checks.models_cut_what_they_feed: ("firmware",),
    firmware_checks.releases_have_owners: ("firmware", "estate"),
    firmware_checks.something_is_built: ("firmware", "window"),
    firmware_checks.versions_can_be_told_apart: ("firmware", "window"),
    firmware_checks.upgrades_lead_upwards: ("firmware", "window"),
    local_checks.somebody_asks: ("firmware", "window"),
    local_checks.the_gateway_answers: ("firmware",),
    local_checks.the_ban_bans: ("updates", "firmware", "window"),
    world_checks.phases_are_of_a_firmware_world: ("reporting", "firmware"),
    world_checks.reports_have_senders: ("reporting", "firmware"),
    world_checks.faults_are_of_a_firmware_world: ("faults", "firmware"),
    air_checks.images_have_takers: ("firmware",),
    air_checks.transfers_end: ("firmware",),
    air_checks.ramps_reach_everybody: ("firmware",),
    air_checks.calendars_can_be_told: ("firmware", "window"),
    _a_scaled_gateway_answers: ("estate", "firmware"),
}
