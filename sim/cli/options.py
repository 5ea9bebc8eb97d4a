"""The options that commands share, under the names of the contract, and the one record they arrive
in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import click

Command = Callable[..., None]


def _backend(context: click.Context, option: click.Parameter, value: str) -> str:
    """Return the *value* of --backend when it can be used."""
    if value != "loky" and not (value.startswith("dask:") and len(value) > len("dask:")):
        raise click.BadParameter(
            f"{value!r} is neither loky nor dask:ADDRESS, such as dask:local or"
            " dask:tcp://127.0.0.1:8786"
        )
    if value != "loky" and find_spec("distributed") is None:
        raise click.BadParameter("Dask is not installed; it comes with the extra `dask`")
    if value not in ("loky", "dask:local"):
        from sim.experiment.cluster import misaddressed

        address = value.removeprefix("dask:")
        if reason := misaddressed(address):
            example = "write such as dask:tcp://127.0.0.1:8786"
            raise click.BadParameter(f"{address!r} is no scheduler's address: {reason}; {example}")
    return value


_OUTPUT: Final = (
    click.option(
        "--out",
        type=click.Path(path_type=Path),
        default=Path("results"),
        show_default=True,
        metavar="DIR",
        help="Where results are kept.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text."),
    click.option("-q", "--quiet", is_flag=True, help="No progress."),
    click.option("-v", "--verbose", is_flag=True, help="More words."),
)
_SCENARIO: Final = (
    click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="PATH=VALUE",
        help="Change a leaf of the scenario; may be given again.",
    ),
    click.option("--yes", is_flag=True, help="More than 10,000 cells are meant."),
    click.option(
        "--replications", type=click.IntRange(1), metavar="N", help="Replications of each cell."
    ),
    click.option(
        "--seed", type=click.IntRange(0), metavar="N", help="Number from which all luck follows."
    ),
    click.option(
        "--jobs",
        type=click.IntRange(1),
        metavar="N",
        help="Replications at once; by default as many as processors and memory allow.",
    ),
    click.option(
        "--engine",
        type=click.Choice(["fast", "twin"]),
        default="fast",
        show_default=True,
        help="twin: one SimPy process a device.",
    ),
    click.option(
        "--backend",
        default="loky",
        show_default=True,
        metavar="loky|dask:local|dask:ADDRESS",
        callback=_backend,
        help="Processes here, or Dask's.",
    ),
)


@dataclass(frozen=True, slots=True)
class Output:
    """Where results are and how to speak of them."""

    out: Path
    as_json: bool
    quiet: bool
    verbose: bool


@dataclass(frozen=True, slots=True)
class Asked(Output):
    """What to run, and how."""

    sets: tuple[str, ...]
    yes: bool
    replications: int | None
    seed: int | None
    jobs: int | None
    engine: str
    backend: str

    @property
    def changes(self) -> tuple[str, ...]:
        """All changes of leaves, as `path=value`."""
        own = {"replications": self.replications, "seed": self.seed}
        return (
            *self.sets,
            *(f"{path}={value}" for path, value in own.items() if value is not None),
        )


def _gathered(kind: type[Output], options: tuple[Any, ...], command: Command) -> Command:
    """Return *command* with *options*, whose values reach it as one *kind* under the name `asked`.
    """
    names = [field.name for field in fields(kind)]

    @wraps(command)
    def gather(**given: Any) -> None:
        asked = kind(**{name: given.pop(name) for name in names})
        command(asked=asked, **given)

    for option in reversed(options):
        gather = option(gather)
    return gather


def takes_scenario(command: Command) -> Command:
    """Give *command* the options of a scenario and of output, as an `Asked`."""
    return _gathered(Asked, (*_SCENARIO, *_OUTPUT), command)


def takes_output(command: Command) -> Command:
    """Give *command* the options of output, as an `Output`."""
    return _gathered(Output, _OUTPUT, command)
