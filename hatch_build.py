"""What a wheel carries beside the package: shipped scenarios, the pages that explain numbers, and
the schema, made when it is built.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGES = (
    "glossary.md",
    "data_dictionary.md",
    "model.md",
    "firmware.md",
    "mitigations.md",
    "rules.md",
    "transitions.md",
    "statistics.md",
)


class Shipped(BuildHookInterface):
    """Adds files to the wheel; `scenarios/invalid`, which is input for tests, stays out."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Say which file goes where in the wheel."""
        root = Path(self.root)
        carried = {root / "docs" / page: f"sim/_docs/{page}" for page in PAGES}
        carried[self._schema()] = "sim/_docs/scenario.schema.json"
        scenarios = root / "scenarios"
        for path in scenarios.rglob("*"):
            within = path.relative_to(scenarios)
            if path.is_file() and within.parts[0] != "invalid":
                carried[path] = f"sim/_shipped/{within.as_posix()}"
        build_data["force_include"] |= {str(path): place for path, place in carried.items()}

    def _schema(self) -> Path:
        """Write the JSON schema of scenarios and experiments, as `sim schema --format json` prints
        it, and return where.
        """
        sys.path.insert(0, self.root)
        from sim.scenario.document import schema_document

        path = Path(self.directory) / "scenario.schema.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(schema_document("json"), encoding="utf-8")
        return path
