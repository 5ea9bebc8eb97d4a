"""What was called or meant otherwise in an earlier release: names in results, meanings of leaves.

A table, a column or a metric that gets another name gets a row here, and answers to its old name
for ever. A leaf that comes to mean something else raises `SCHEMA_VERSION` and gets a row, which
`sim check` tells whoever wrote it before. A column that a table did not have gets what it holds in
a run of before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SCHEMA_VERSION: Final = 2


@dataclass(frozen=True, slots=True)
class Meaning:
    """A *leaf* (or block; `*` stands for a name) of scenarios that means something else since a
    *version* of the schema, of *release*; *told* says in a clause what it means and what it meant.
    """

    leaf: str
    version: int
    release: str
    told: str


# The old name → the name of today; a column by its table's name of today.
TABLES: Final[dict[str, str]] = {}
COLUMNS: Final[dict[str, dict[str, str]]] = {}
# A table of today → its columns that are new since, and what they hold in a run of before: -1, for
# nobody counted it.
ADDED: Final[dict[str, dict[str, int]]] = {
    "campaigns": {"n_silent": -1},
    "kinds": {"price_gbp": -1},
}
METRICS: Final[dict[str, str]] = {}
_TOLD: Final = (
    "it is of outcomes that are told (done, or failed and said so); jobs that end in silence, which"
    " counted as failures, are counted apart"
)
MEANINGS: Final[list[Meaning]] = [
    Meaning(f"firmware.campaign.{leaf}", 2, "0.2.0", _TOLD)
    for leaf in ("error_threshold", "success_threshold", "least")
] + [
    Meaning(leaf, 2, "0.2.0", f"{what} come as often as is given; they came at most once a day")
    for leaf, what in (("reporting.read.rate", "reads"), ("alerts.kinds.*.rate", "random alerts"))
]


def table(name: str) -> str:
    """Return what the table once called *name* is called today."""
    return TABLES.get(name, name)


def columns(name: str) -> dict[str, str]:
    """Return the columns of table *name*, its name of today, that were renamed: old name → new."""
    return COLUMNS.get(name, {})


def metric(name: str) -> str:
    """Return what the metric once called *name* (or NAME.GROUP) is called today."""
    bare, dot, group = name.partition(".")
    return METRICS.get(bare, bare) + dot + group
