"""A leaf's number is what happens: of every rate, share and duration that a scenario has, what a
run counts is what the leaf says.

Leaves are those of the schema; each is counted by `numbers.py` or `firmware_numbers.py`, at two
levels or more, or is held by a law that counts it elsewhere and is named here.
"""

from __future__ import annotations

import importlib
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
# Leaves that a law counts elsewhere: the beginning of their names, and the test.
HELD: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "properties.test_apportionment": {
        "test_one_more_premises_is_one_more_in_one_region": (
            "estate.regions",
        ),
    },
    "laws.test_firmware_screening": {
        "test_a_ban_ends_local_updates_of_those_who_obey": (
            "updates.ban",
        ),
        "test_people_update_in_the_hours_that_are_given": (
            "firmware.step",
        ),
        "test_without_screening_everything_that_is_offered_runs": (
            "firmware.local.lead",
            "firmware.local.variant",
            "firmware.local.channels.NAME.delay",
        ),
        "test_screening_errs_as_often_as_it_is_said_to": (
            "firmware.screening",
        ),
    },
    "laws.test_wrong_share": {
        "test_a_hub_passes_on_what_it_knows": (
            "reporting.han_loss",
        ),
        "test_a_latency_adds_its_own_share": (
            "network.0.latency",
        ),
    },
    "laws.test_phases": {
        "test_hashed_senders_spread_evenly_over_the_window": (
            "reporting.phase.window",
        ),
        "test_a_fixed_clock_with_jitter_spreads_over_twice_the_jitter": (
            "reporting.phase.jitter",
        ),
        "test_a_power_cut_packs_a_region_into_its_restoration": (
            "faults.power_cuts.0.restoration",
        ),
    },
    "laws.test_recovery": {
        "test_alerts_of_a_cut_are_those_who_were_dark_for_longer_than_it_takes": (
            "alerts.kinds.NAME.after",
        ),
        "test_a_restoration_curve_is_followed_to_its_points": (
            "faults.power_cuts.0.curve",
            "faults.hub_reboots.0.curve",
        ),
    },
    "laws.test_mitigations_all": {
        "test_every_mitigation_there_is_is_tried_here": (
            "network.0.mitigations",
        ),
    },
    "oracles.test_darkness": {
        "test_dark_spells_are_unions": (
            "faults.hub_reboots.0.restoration",
        ),
        "test_locked_clocks_count_from_the_latest_time_of_day_before": (
            "faults.clock_locks.0.spread",
        ),
    },
    "laws.test_firmware_air": {
        "test_an_activation_that_cuts_the_supply_is_told_as_an_outage": (
            "firmware.models.NAME.cut",
            "firmware.ota.cut_length",
        ),
        "test_a_whole_estate_ends_alike": (
            "firmware.ota.hub_ready",
        ),
        "test_the_han_takes_a_block_an_interval": (
            "firmware.ota.distribution",
        ),
        "test_an_image_that_is_lost_is_sent_again_as_often_as_may_be": (
            "firmware.ota.loss",
        ),
        "test_a_read_that_finds_the_old_version_tells_a_failure": (
            "firmware.ota.retry_after",
            "firmware.ota.activation",
        ),
        "test_eight_interruptions_are_the_end_of_a_transfer": (
            "firmware.ota.interruption",
            "firmware.ota.resume",
        ),
        "test_mp105_empties_suspended": (
            "firmware.ota.response",
        ),
        "test_those_stuck_are_read_on_the_day_mp105_begins": (
            "firmware.ota.mp105",
        ),
    },
    "planning.test_releases": {
        "test_seconds_follow_the_pipeline": (
            "firmware.pipeline",
        ),
        "test_versions_are_numbered_in_order_of_being_built_then_of_the_file": (
            "firmware.releases",
        ),
    },
    "planning.test_campaigns": {
        "test_who_has_no_campaign": (
            "firmware.ota.start",
        ),
        "test_a_ramp_reaches_everybody_in_shares_as_written": (
            "firmware.campaign.ramp.share",
            "firmware.campaign.ramp.first",
        ),
        "test_thresholds_are_shares_as_written": (
            "firmware.campaign.error_threshold",
            "firmware.campaign.success_threshold",
        ),
        "test_groups_follow_gates_and_gates_follow_groups": (
            "firmware.campaign",
        ),
    },
    "laws.test_firmware_records": {
        "test_an_exchange_of_hubs_forgets": (
            "firmware.ota.exchange",
        ),
        "test_a_read_after_an_event_comes_when_it_is_due": (
            "firmware.reads.event_delay",
        ),
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
            "firmware.campaign.open",
            "firmware.campaign.blackouts",
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
    held = [leaf for tests in HELD.values() for names in tests.values() for leaf in names]
    due = list(dict.fromkeys(leaves()))
    counted_here = {leaf.partition(" ")[0] for leaf in COUNTED}
    apart = [
        path
        for path in due
        if path not in counted_here and not path.startswith(tuple(held))
    ]

    assert apart == []
    assert counted_here <= set(due)
    for module, tests in HELD.items():
        laws = importlib.import_module(f"tests.{module}")
        assert [name for name in tests if not hasattr(laws, name)] == []
    assert [leaf for leaf in held if not any(path.startswith(leaf) for path in due)] == []


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
