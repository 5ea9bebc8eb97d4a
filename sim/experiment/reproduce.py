"""Does a run still come out as it did? One replication of it is run again from its resolved
scenario, and the bytes are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim import __version__
from sim.experiment.asked import texts, worlds
from sim.experiment.attempts import engine
from sim.experiment.environment import environment, of_manifest, unlike
from sim.experiment.plan import ENGINES, addresses, refuse_without_compiler
from sim.machine import processors
from sim.scenario.design import Cell
from sim.store import Address, StoreError, read_file, read_manifest, same, sha256


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What running *replication* of *cell* again gave: the *tables* that *differ* in any byte, and
    what here is not as it was there.

    *changes* are phrases: another source, Python or package may well be why tables differ.
    """

    cell: str
    replication: int
    tables: int
    differ: tuple[str, ...]
    changes: tuple[str, ...]

    def __str__(self) -> str:
        where = f"cell {self.cell}, replication {self.replication}"
        changes = "".join(f"; {change}" for change in self.changes)
        if self.differ:
            return (
                f"{where}: not reproduced, {', '.join(self.differ)} of {self.tables} tables"
                f" differ{changes}"
            )
        return f"{where}: reproduced, all {self.tables} tables are the same to the byte{changes}"


def reproduce(run: Path, pick: int) -> Reproduction:
    """Run one replication of *run* again, in memory, and compare. Which one is luck at an address:
    that of the run's plan and *pick*.

    Raises `StoreError` when what the run is made of is missing or damaged, or was kept by a version
    whose keys this one does not find.
    """
    manifest = read_manifest(run)
    if sha256(read_file(run / "resolved.yaml")) != manifest["resolved_sha256"]:
        raise StoreError(f"{run / 'resolved.yaml'} is not as it was written", 3)
    written = texts(run)
    there = [
        (address, world)
        for name, world in worlds(run).items()
        for address in _kept(run, Cell(name, "", {}, world), written[name], manifest)
    ]
    if not there:
        raise StoreError(
            f"{run} holds no replication that version {__version__} of the simulator can find;"
            f" version {manifest['version']} made it",
            3,
        )
    address, world = there[
        int(sha256(f"{manifest['plan']}/reproduce/{pick}".encode()), 16) % len(there)
    ]
    refuse_without_compiler(manifest["engine"], [world])
    replicate = engine(ENGINES[manifest["engine"]], processors())
    found = same(run, address, replicate(world, address.replication))
    differ = tuple(name for name, is_same in found.items() if not is_same)
    return Reproduction(
        address.cell, address.replication, len(found), differ, tuple(_changes(manifest))
    )


def _kept(run: Path, cell: Cell, written: str, manifest: Mapping[str, Any]) -> list[Address]:
    """Return the addresses of the replications of *cell*, its scenario as it was *written* out,
    that *run* holds.
    """
    made_in = of_manifest(manifest)
    asked = addresses(cell, manifest["engine"], made_in, manifest["version"], written)
    return [address for address in asked if (run / "cells" / address.folder).exists()]


def _changes(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Yield a phrase for each thing that bytes depend on and that is not now as it was for
    *manifest*.
    """
    then = of_manifest(manifest)
    packages = manifest["made_with"]["packages"]
    told = {"packages": packages, "python": manifest["made_with"]["python"]}
    yield from unlike(told | then, environment(), ("then", "now"))
