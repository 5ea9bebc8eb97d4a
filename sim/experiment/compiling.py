"""Kernels are compiled once for a source: what that takes, whether it was done, and doing it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from fractions import Fraction
from hashlib import sha256
from importlib import import_module
from typing import TYPE_CHECKING, Final

from sim.experiment.expected import is_quiet
from sim.kernels.compiled import kept_in
from sim.kernels.stepping import compiles
from sim.scenario.fields import Capacity
from sim.scenario.reach import clock_moves
from sim.scenario.scale import scaled
from sim.units import DAY_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sim.scenario.schema import Scenario

# Seconds of the reference machine to compile what each part of a world needs, measured cold less
# warm: an estate whose records change, a firmware's life, a network where somebody waits.
COMPILE_S: Final[Mapping[str, float]] = {"estate": 6, "firmware": 21, "network": 36}
_PREMISES: Final = 20
_STARVED: Final = Capacity(Fraction(1, DAY_S))  # somebody waits even in a hamlet


def parts(scenario: Scenario) -> set[str]:
    """Return the parts of `COMPILE_S` that *scenario* is made of."""
    found = {"estate" if scenario.firmware is None else "firmware"}
    return found if not scenario.network or is_quiet(scenario) else found | {"network"}


def uncompiled(scenarios: Iterable[Scenario]) -> set[str]:
    """Return the parts of *scenarios* that no process has compiled yet, as far as is known."""
    if not compiles():
        return set()
    folder, needed = kept_in(), set().union(*map(parts, map(scaled, scenarios)))
    return {part for part in needed if folder is None or not (folder / f"{part}.compiled").exists()}


def seconds_to_compile(waiting: Iterable[str]) -> float:
    """Return the seconds of the reference machine that the parts *waiting* take."""
    return sum(COMPILE_S[part] for part in waiting)


def compile_for(module: str, scenarios: Iterable[Scenario]) -> None:
    """Run a hamlet under every rule of *scenarios*, by the engine in *module*, so that each kernel
    is compiled once, here, and workers find it. What was lived before is not lived again.
    """
    if not compiles():
        return
    worlds: dict[tuple[object, ...], Scenario] = {}
    for scenario in map(scaled, scenarios):
        worlds.setdefault(_rules_of(scenario), scenario)
    folder = kept_in()
    for rules, scenario in worlds.items():
        name = sha256(repr((module, rules)).encode()).hexdigest()[:16]
        if folder and (folder / f"{name}.lived").exists() and not uncompiled([scenario]):
            continue
        lived = [_lived(module, hamlet) for hamlet in _hamlets(scenario)]
        if all(lived) and folder is not None:
            known = [f"{part}.compiled" for part in parts(scenario)]
            known.append(f"{name}.lived")
            with suppress(OSError):
                for file in known:
                    (folder / file).touch()


def _rules_of(scenario: Scenario) -> tuple[object, ...]:
    """Return what the kernels that *scenario* needs depend on."""
    reporting, stages = scenario.reporting, len(scenario.network)
    is_moved = bool(clock_moves(scenario.window, reporting))
    driver, source = scenario.updates.local.driver, reporting.phase.source
    return reporting.rule, source, is_moved, driver, stages, *sorted(parts(scenario))


def _hamlets(scenario: Scenario) -> list[Scenario]:
    """Return worlds of a few premises that need every kernel that *scenario* needs: a day with its
    network; and, since updates take their time, all of a firmware's life without one.
    """
    small = scenario.estate.model_copy(update={"premises": _PREMISES})
    day = scenario.window.model_copy(update={"warm_up": 0, "length": DAY_S})
    for second, _ in clock_moves(scenario.window, scenario.reporting)[:1]:
        day = day.model_copy(update={"start": day.start + timedelta(seconds=second)})
    network = scenario.network
    if "network" in parts(scenario):
        network = tuple(
            stage.model_copy(update={"capacity": stage.capacity and _STARVED}) for stage in network
        )
    of_a_day = {"window": day, "estate": small, "network": network}
    hamlets = [scenario.model_copy(update=of_a_day)]
    if scenario.firmware is not None:
        silent = scenario.alerts.model_copy(update={"active": ()})
        of_a_life = {"estate": small, "network": (), "alerts": silent}
        hamlets.append(scenario.model_copy(update=of_a_life))
    return hamlets


def _lived(module: str, hamlet: Scenario) -> bool:
    """Whether *hamlet* could be run."""
    try:
        import_module(module).replicate(hamlet, 0)
    except Exception:  # noqa: BLE001  (what is wrong with a world is told by its own replications)
        return False
    return True
