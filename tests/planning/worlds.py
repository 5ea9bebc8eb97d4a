"""Firmware worlds as far as planning looks at them."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

from sim.planning import NEVER_S
from sim.planning.releases import Image
from sim.scenario.air import CLASSES

DAY_S = 86_400


def model(
    device_type: str = "ppmid",
    downgrades: str = "refused",
    permitted: dict[int, tuple[int, ...]] | None = None,
) -> Any:
    """Return a device model."""
    return SimpleNamespace(type=device_type, downgrades=downgrades, permitted=permitted or {})


def row(
    of: str, first: int, every: int | None = None, release_class: str = "defect"
) -> SimpleNamespace:
    """Return a row of releases."""
    return SimpleNamespace(model=of, release_class=release_class, first=first, every=every)


def pipeline(**settings: Any) -> SimpleNamespace:
    """Return a pipeline in which all goes well and takes no time."""
    assurance = SimpleNamespace(low=0, high=0)
    smooth = {
        "assurance": assurance,
        "reject": 0.0,
        "resubmit": 100,
        "listing": 0,
        "data_error": 0.0,
        "correction": 0,
        "withdrawn": 0.0,
        "withdrawn_after": 1,
    }
    return SimpleNamespace(**(smooth | settings))


def ramp(**settings: Any) -> SimpleNamespace:
    """Return a ramp of one group."""
    return SimpleNamespace(
        **(
            {
                "kind": "constant",
                "step": 1,
                "share": 1.0,
                "first": None,
                "factor": None,
                "shares": (),
            }
            | settings
        )
    )


def world(
    horizon_s: int = 100 * DAY_S,
    at_s: int = 0,
    open_s: int = DAY_S,
    capacity: dict[str, Fraction] | None = None,
    **campaign: Any,
) -> Any:
    """Return a scenario with three models, no releases, and campaigns that have one group each and
    are never shut; *campaign* changes its rules.
    """
    rules = {
        "lead": 0,
        "priority": CLASSES,
        "at_once": 1,
        "ramp": ramp(),
        "open": SimpleNamespace(at=at_s, length=open_s),
        "blackouts": (),
        "soak": 10,
        "approval": 5,
        "least": 10,
        "error_threshold": 0.1,
        "success_threshold": 0.0,
        "gates": 0,
        "sweeps": 0,
        "sweep_every": 1000,
    }
    capacity = capacity or {"north": Fraction(1), "south": Fraction(1, 2)}
    firmware = SimpleNamespace(
        models={"b": model(), "a": model(), "c": model("esme")},
        releases=(),
        pipeline=pipeline(),
        local=SimpleNamespace(lead=7, classes=("feature",)),
        ota=SimpleNamespace(types=("ppmid", "esme"), classes=CLASSES, start=0, capacity=capacity),
        campaign=SimpleNamespace(**(rules | campaign)),
    )
    window = SimpleNamespace(warm_up=horizon_s // 10, length=horizon_s - horizon_s // 10)
    return SimpleNamespace(
        seed=7,
        window=window,
        estate=SimpleNamespace(regions=dict.fromkeys(capacity, 0.5)),
        firmware=firmware,
    )


def image(
    version: int,
    listed_s: int = 0,
    number: int = 0,
    release_class: str = "defect",
    device_type: str = "ppmid",
    delisted_s: int = NEVER_S,
) -> Image:
    """Return an image of which nothing but the listing matters."""
    return Image(
        "abc"[number],
        number,
        device_type,
        version,
        release_class,
        0,
        0,
        0,
        listed_s,
        listed_s,
        delisted_s,
        NEVER_S,
    )
