"""A leaf's number is what happens: of every rate, share and duration that a scenario has, what a
run counts is what the leaf says.

Leaves are those of the schema; each is counted by `numbers.py` or `firmware_numbers.py`, at two
levels or more, or is held by a law that counts it elsewhere and is named here.
"""

from __future__ import annotations

import importlib
import inspect
import re
from math import sqrt
from typing import Final

import pytest

from sim.kernels.draws import bounded_pareto
from sim.scenario.alerts import AlertKind
from sim.scenario.document import schema_document
from sim.units import DAY_S
from tests.laws import firmware_numbers, numbers

SIGMAS: Final = 5
COUNTED: Final = numbers.COUNTED | firmware_numbers.COUNTED
# Leaves that a law counts elsewhere, by the test. Rows of the network have one path for all kinds.
HELD: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "laws.test_wrong_share": {
        "test_a_hub_passes_on_what_it_knows": ("reporting.han_loss",),
        "test_a_latency_adds_its_own_share": ("network.0.latency",),
    },
    "laws.test_phases": {
        "test_hashed_senders_spread_evenly_over_the_window": ("reporting.phase.window",),
        "test_a_fixed_clock_with_jitter_spreads_over_twice_the_jitter": ("reporting.phase.jitter",),
        "test_a_power_cut_packs_a_region_into_its_restoration": (
            "faults.power_cuts.0.restoration",
        ),
    },
    "laws.test_recovery": {
        "test_alerts_of_a_cut_are_those_who_were_dark_for_longer_than_it_takes": (
            "alerts.kinds.NAME.after",
        ),
        "test_a_restoration_curve_is_followed_to_its_points": (
            "faults.power_cuts.0.curve.0.share",
            "faults.power_cuts.0.curve.0.time",
            "faults.hub_reboots.0.curve.0.share",
            "faults.hub_reboots.0.curve.0.time",
        ),
    },
    "oracles.test_darkness": {
        "test_dark_spells_are_unions": ("faults.hub_reboots.0.restoration",),
        "test_locked_clocks_count_from_the_latest_time_of_day_before": (
            "faults.clock_locks.0.spread",
        ),
    },
    "laws.test_mitigations_device": {
        "test_jitter_delays_each_by_less_than_its_window_and_loses_none": (
            "network.0.mitigations.0.window",
        ),
        "test_a_token_bucket_never_passes_more_than_burst_and_tokens": (
            "network.0.mitigations.0.every",
        ),
    },
    "laws.test_mitigations_hub": {
        "test_dedupe_forwards_every_so_many": ("network.0.mitigations.0.window",),
        "test_consolidation_of_a_constant_chatter_has_a_closed_form": (
            "network.0.mitigations.0.forward_period",
        ),
        "test_a_batch_is_one_message_a_period_and_the_latest": ("network.0.mitigations.0.period",),
        "test_hold_down_lets_nobody_speak_before_its_time_and_loses_none": (
            "network.0.mitigations.0.time",
            "network.0.mitigations.0.spread",
        ),
    },
    "laws.test_mitigations_retry": {
        "test_a_ladder_without_jitter_is_climbed_to_the_second": (
            "network.0.mitigations.0.base",
            "network.0.mitigations.0.most",
        ),
        "test_amplification_behind_a_dead_server_has_a_closed_form": (
            "network.0.mitigations.0.timeout",
        ),
        "test_a_budget_bounds_retries_by_its_share_of_firsts": ("network.0.mitigations.0.budget",),
        "test_a_budget_saves_nothing_from_before_its_window": (
            "network.0.mitigations.0.budget_window",
        ),
    },
    "laws.test_mitigations_cell": {
        "test_access_barring_loses_none_and_keeps_the_queue_short": (
            "network.0.mitigations.0.share",
            "network.0.mitigations.0.hold",
        ),
        "test_staggered_reconnection_lets_nobody_in_before_and_all_in_within_its_spread": (
            "network.0.mitigations.0.spread",
        ),
    },
    "laws.test_mitigations_csp": {
        "test_a_shaper_passes_no_more_than_its_rate_and_loses_none": (
            "network.0.mitigations.0.rate",
        ),
        "test_admission_passes_what_its_tokens_allow_and_no_more": (
            "network.0.mitigations.0.rate",
        ),
        "test_a_circuit_breaker_opens_exactly_above_its_limit_and_stays_open_while_it_is_overrun": (
            "network.0.mitigations.0.window",
        ),
        "test_nothing_passes_an_open_breaker_and_all_passes_a_closed_one": (
            "network.0.mitigations.0.open",
        ),
        "test_codel_bounds_what_the_served_have_waited_and_wastes_no_slot": (
            "network.0.mitigations.0.target",
            "network.0.mitigations.0.interval",
        ),
    },
    "laws.test_mitigations_dsp": {
        "test_one_a_period_of_a_constant_chatter": (
            "network.0.mitigations.0.window",
            "network.0.mitigations.0.forward_period",
        ),
        "test_above_the_threshold_each_user_has_at_most_its_share": (
            "network.0.mitigations.0.above",
        ),
    },
    "laws.test_mitigations_user": {
        "test_after_300_s_it_is_offered_again_and_else_held_until_the_user_is_back": (
            "network.0.mitigations.0.after",
        ),
        "test_what_is_held_too_long_never_reaches_its_user": ("network.0.mitigations.0.hold",),
    },
    "laws.test_firmware_screening": {
        "test_a_ban_ends_local_updates_of_those_who_obey": (
            "updates.ban.start",
            "updates.ban.grace",
            "updates.ban.compliance",
        ),
        "test_without_screening_everything_that_is_offered_runs": (
            "firmware.local.variant",
            "firmware.local.channels.NAME.delay",
        ),
        "test_a_list_that_is_old_blocks_what_is_new": ("firmware.screening.list_age",),
        "test_a_token_that_expires_first_is_asked_for_again": (
            "firmware.screening.install",
            "firmware.screening.token_life",
        ),
        "test_a_gateway_answers_no_more_than_it_can": (
            "firmware.screening.retry",
            "firmware.screening.capacity",
        ),
        "test_screening_errs_as_often_as_it_is_said_to": (
            "firmware.screening.false_accept",
            "firmware.screening.false_reject",
        ),
        "test_people_update_in_the_hours_that_are_given": ("firmware.step",),
    },
    "laws.test_firmware_air": {
        "test_an_activation_that_cuts_the_supply_is_told_as_an_outage": (
            "firmware.models.NAME.cut",
            "firmware.ota.cut_length.low",
            "firmware.ota.cut_length.high",
        ),
        "test_a_whole_estate_ends_alike": ("firmware.ota.hub_ready.start",),
        "test_the_han_takes_a_block_an_interval": (
            "firmware.ota.distribution.NAME.low",
            "firmware.ota.distribution.NAME.high",
        ),
        "test_an_image_that_is_lost_is_sent_again_as_often_as_may_be": ("firmware.ota.loss",),
        "test_a_read_that_finds_the_old_version_tells_a_failure": (
            "firmware.ota.activation.failure",
        ),
        "test_eight_interruptions_are_the_end_of_a_transfer": (
            "firmware.ota.interruption",
            "firmware.ota.resume",
        ),
        "test_what_is_suspended_stays_so_without_mp105": (
            "firmware.ota.activation.wait.low",
            "firmware.ota.activation.wait.high",
            "firmware.ota.response.loss",
        ),
        "test_the_record_is_wrong_only_while_the_answer_travels": (
            "firmware.ota.response.delay.low",
            "firmware.ota.response.delay.high",
        ),
        "test_mp105_empties_suspended": (
            "firmware.ota.response.patience",
            "firmware.ota.mp105.read.low",
            "firmware.ota.mp105.read.high",
        ),
        "test_those_stuck_are_read_on_the_day_mp105_begins": ("firmware.ota.mp105.start",),
    },
    "laws.test_firmware_records": {
        "test_an_exchange_of_hubs_forgets": ("firmware.ota.exchange.start",),
        "test_a_read_after_an_event_comes_when_it_is_due": ("firmware.reads.event_delay",),
    },
    "laws.test_firmware_campaigns": {
        "test_a_group_takes_as_long_as_its_region_needs": (
            "firmware.ota.capacity",
            "firmware.campaign.soak",
        ),
        "test_whatever_the_order_and_the_ramp_everybody_is_reached_once": (
            "firmware.campaign.ramp.step",
        ),
        "test_images_are_offered_in_open_hours_alone": (
            "firmware.campaign.open.length",
            "firmware.campaign.blackouts.0.start",
            "firmware.campaign.blackouts.0.duration",
        ),
    },
    "planning.test_releases": {
        "test_versions_are_numbered_in_order_of_being_built_then_of_the_file": (
            "firmware.releases.0.first",
            "firmware.releases.0.every",
            "firmware.local.lead",
        ),
        "test_seconds_follow_the_pipeline": (
            "firmware.pipeline.listing",
            "firmware.pipeline.correction",
            "firmware.pipeline.withdrawn_after",
        ),
        "test_luck_is_drawn_at_the_model_and_the_version": (
            "firmware.pipeline.assurance.low",
            "firmware.pipeline.assurance.high",
            "firmware.pipeline.resubmit",
        ),
    },
    "planning.test_campaigns": {
        "test_who_has_no_campaign": (
            "firmware.ota.start",
            "firmware.campaign.lead",
        ),
        "test_a_ramp_reaches_everybody_in_shares_as_written": (
            "firmware.campaign.ramp.share",
            "firmware.campaign.ramp.first",
            "firmware.campaign.ramp.shares",
        ),
        "test_thresholds_are_shares_as_written": (
            "firmware.campaign.error_threshold",
            "firmware.campaign.success_threshold",
        ),
        "test_groups_follow_gates_and_gates_follow_groups": (
            "firmware.campaign.approval",
            "firmware.campaign.sweep_every",
        ),
    },
}


def leaves() -> list[str]:
    """Return the paths of the leaves of a scenario that are rates, shares or durations."""
    table = schema_document("md").split("## Experiment")[0]
    rows = re.findall(r"\| `([^`]+)` \| ([^|]+)\|", table)
    return [path for path, kind in rows if re.search(r"\b(rate|share|duration)\b", kind)]


def test_every_number_is_counted():
    """Of the schema's leaves each is counted here or held elsewhere; nothing here is of no leaf."""
    held = {leaf for tests in HELD.values() for names in tests.values() for leaf in names}
    counted_here = {leaf.partition(" ")[0] for leaf in COUNTED}
    due = set(leaves())

    assert due - counted_here - held == set()
    assert (counted_here | held) - due == set()
    assert counted_here & held == set()


@pytest.mark.parametrize("module", HELD)
def test_the_laws_named_are_there_and_speak_of_their_leaves(module):
    laws = importlib.import_module(f"tests.{module}")
    told = inspect.getsource(laws)

    for name, held in HELD[module].items():
        assert callable(getattr(laws, name))
        words = [re.split(r"\W+", re.sub(r"(\.(low|high|NAME))+$", "", leaf))[-1] for leaf in held]
        assert [word for word in words if not re.search(rf"\b{word}\b", told)] == []


def test_the_noisiest_chatterer_is_the_bound_of_its_law():
    """What `sim check` compares with 1 /s is the rate at the last word of the law."""
    noisy = AlertKind.model_validate({
        "code": "8F3E", "sender": "esme", "cause": "chatter", "share": 1.0, "genuine": False,
        "target": "2 h", "size": "1 B", "rate": "400 /d", "tail": 1.1, "spread": 1000,
    })  # fmt: skip

    noisiest = bounded_pareto(2**32 - 1, 1.1, 1000.0)
    assert noisy.fastest_per_s == pytest.approx(400 / DAY_S * noisiest, rel=1e-5)


LEVELS: Final = [(leaf, level) for leaf, (_, levels) in COUNTED.items() for level in levels]


@pytest.mark.parametrize(("leaf", "level"), LEVELS)
def test_what_happens_is_what_the_leaf_says(leaf, level):
    """Within five standard deviations of what is due; to the digit where there is no luck."""
    count, _ = COUNTED[leaf]

    seen = count(level)

    assert abs(seen.found - seen.due) <= SIGMAS * sqrt(seen.due * seen.one), seen
