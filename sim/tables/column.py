"""What a table and a column are, and the columns that several tables have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its NumPy *dtype* (`str` for text), *unit* ("" where none) and *meaning* in one
    sentence.
    """

    name: str
    dtype: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Table:
    """A declared table: what one row is, who writes it, and its columns in order."""

    name: str
    row: str
    writer: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


OF_STAGE = Column(
    "stage",
    "str",
    "",
    "Stage: cell, csp, dsp or user; `end_to_end` is from being raised to the SMI.",
)
OF_SERVER = Column(
    "server",
    "str",
    "",
    "Server within the stage: a region (its cells together at `cell`), a user, or `dsp`; `all` for"
    " end to end.",
)
OF_KIND = Column(
    "kind",
    "str",
    "",
    "Message kind: `version_report`, or a kind of the scenario's alerts or traffic.",
)
OF_LEDGER = Column("ledger", "str", "", "`smi` or `hub`.")
OF_TYPE = Column(
    "device_type", "str", "", "ppmid, ihd or hcalcs; in a firmware world also esme and gsme."
)
OF_LIVING = Column("device_type", "str", "", "ppmid, ihd, hcalcs, esme or gsme.")
OF_MODEL = Column("model", "str", "", "Device model of the scenario.")
OF_REGION = Column("region", "str", "", "CSP region.")
