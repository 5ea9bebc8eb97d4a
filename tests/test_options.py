"""Policies, faults and mitigations as rows: each trait has the options it is to have, written out
once more here.

Both engines ask the rows, so a wrong row would be wrong in both and they would agree.
"""

from __future__ import annotations

import re
from typing import Final

import pytest

from sim.faults import FAULTS
from sim.mitigations import MITIGATIONS
from sim.policies import POLICIES
from sim.scenario.outages import Faults
from sim.streams import STREAMS

# What the documents and the model's page say of each kind, trait by trait.
OF_MITIGATIONS: Final = {
    "of_senders": (
        "jitter token_bucket dedupe consolidate batch hold_down alert_storm_protection redelivery"
    ),
    "for_alerts": "dedupe consolidate",
    "at_servers": (
        "access_barring alert_storm_protection circuit_breaker admission shed allocation"
        " shape codel redelivery"
    ),
    "counts_arrivals": "circuit_breaker admission allocation",
    "puts_off": "access_barring redelivery",
    "overtakes": "retry access_barring lifo",
}
WHERE: Final = {
    "device": "jitter token_bucket retry",
    "hub": "dedupe consolidate batch hold_down retry",
    "cell": "access_barring circuit_breaker admission shed shape lifo codel staggered_reconnect",
    "csp": "circuit_breaker admission shed shape lifo codel staggered_reconnect",
    "dsp": "alert_storm_protection circuit_breaker admission shed allocation shape lifo codel",
    "user": "redelivery",
}
ONCE: Final = {
    "network": "retry staggered_reconnect",
    "stage": "allocation shape lifo codel redelivery",
}
OF_FAULTS: Final = {
    "has_end": "power_cuts hub_reboots wan_outages stage_outages",
    "darkens": "power_cuts hub_reboots",
    "in_firmware": "stage_outages",
}


@pytest.mark.parametrize("trait", OF_MITIGATIONS)
def test_a_trait_has_its_mitigations(trait: str):
    having = [row.id for row in MITIGATIONS.values() if getattr(row, trait)]

    assert " ".join(having) == OF_MITIGATIONS[trait]


@pytest.mark.parametrize("layer", WHERE)
def test_a_layer_has_its_mitigations(layer: str):
    there = {row.id for row in MITIGATIONS.values() if layer in row.layers}

    assert there == {*WHERE[layer].split()}


@pytest.mark.parametrize("where", ONCE)
def test_some_mitigations_are_there_once(where: str):
    having = [row.id for row in MITIGATIONS.values() if row.once_in == where]

    assert " ".join(having) == ONCE[where]
    assert {row.once_in for row in MITIGATIONS.values()} == {"", *ONCE}


@pytest.mark.parametrize("trait", OF_FAULTS)
def test_a_trait_has_its_faults(trait: str):
    having = [row.id for row in FAULTS.values() if getattr(row, trait)]

    assert " ".join(having) == OF_FAULTS[trait]


def test_every_list_of_faults_is_a_row_in_the_order_of_its_draws():
    assert [*FAULTS] == [*Faults.model_fields]
    assert [*FAULTS] == ["power_cuts", "hub_reboots", "wan_outages", "stage_outages", "clock_locks"]
    darkening = {row.event for row in FAULTS.values() if row.darkens}
    assert {f"{event}.{what}" for event in darkening for what in ("footprint", "restoration")} <= {
        *STREAMS
    }


def test_one_policy_has_local_updates():
    assert [row.id for row in POLICIES.values() if row.has_local] == ["local_and_ota"]
    assert {label: row.id for row in POLICIES.values() for label in row.labels} == {
        "P0": "do_minimum", "P1": "ota_only", "P2": "local_and_ota", "P4": "local_and_ota",
    }  # fmt: skip


@pytest.mark.parametrize(
    "rows", [POLICIES, FAULTS, MITIGATIONS], ids=["policies", "faults", "mitigations"]
)
def test_a_row_is_known_by_its_id_and_means_one_sentence(rows):
    assert all(key == row.id and row.name for key, row in rows.items())
    assert all(re.fullmatch(r"[A-Z][^.]*\.", row.means) for row in rows.values())


def test_no_module_asks_for_a_policy_by_name(root):
    """A policy is what its columns say; conditions name it in words, for readers."""
    named = re.compile(rf"""["']({'|'.join(POLICIES)})["']""")
    paths = sorted((root / "sim").rglob("*.py"))

    naming = [path.name for path in paths if named.search(path.read_text(encoding="utf-8"))]
    assert naming == ["policies.py"]
