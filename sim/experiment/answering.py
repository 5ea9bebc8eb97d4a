"""What a worker says of itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Answer = tuple[str, dict[str, Any], str]


def question() -> Callable[[], Answer]:
    """Return a function for a worker to call, which returns its host, its environment
    (`sim.experiment.environment`), and why it has none, where that is so.

    It has no name that could be imported, so it is sent as code: a worker with another simulator,
    or none, would not find the name, and stay silent.
    """

    def described() -> Answer:
        import platform

        try:
            from sim.experiment.environment import environment

            return platform.node(), environment(), ""
        except Exception as error:  # noqa: BLE001  (whatever is wrong, it cannot do our work)
            return platform.node(), {}, f"{type(error).__name__}: {error}"

    return described
