"""F4: where local attempts go, from image by screening to outcome: bands that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from sim.report.drawing import COLOURS, INK, POINTS, SOFT, new, styled
from sim.report.words import number, rounded
from sim.words import LocalImage

Counts = Mapping[tuple[Any, ...], float]  # by image, whether the device asked, and outcome

# What came of it, from what somebody wanted to what nobody did; stops in one family of colour, told
# apart by their words.
_ENDS: Final = {
    "installed": COLOURS[0],
    "not_permitted": "#b4b4b4",
    "blocked": COLOURS[1],
    "busy": COLOURS[4],
    "expired": "#f2c879",
    "gateway_down": "#b86a2b",
    "banned": COLOURS[3],
}
_BAND_IN = 0.4
_HEAD_IN = 0.3
_GAP = 0.14
_X: Final = (0.115, 0.325, 0.52)  # left edges of the three columns
_BAR: Final = 0.016


@styled
def flows(designs: Sequence[tuple[str, Counts]]) -> Figure:
    """Return a block for each design, and in it a band for each image: attempts, whether they
    asked, and outcomes, each a share of the band.
    """
    blocks = [
        (
            name,
            [
                (image, _of(counts, image))
                for image in LocalImage.words()
                if sum(_of(counts, image).values())
            ],
        )
        for name, counts in designs
    ]
    height = sum(_HEAD_IN + _BAND_IN * len(bands) for _, bands in blocks) + 0.3
    figure = new(height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, 1)
    axes.set_ylim(height, 0)
    axes.axis("off")
    for x, head in zip(_X, ("image tried", "screening", "outcome"), strict=True):
        axes.text(x, 0.14, head, fontsize=POINTS - 1, color=SOFT, va="center")
    top = 0.24
    for name, bands in blocks:
        axes.text(0.01, top + 0.16, name, fontweight="bold", va="center")
        top += _HEAD_IN
        for image, counts in bands:
            _band(axes, image, counts, top)
            top += _BAND_IN
    return figure


def _of(counts: Counts, image: str) -> dict[tuple[bool, str], float]:
    """Return the attempts with *image* by whether they asked and what came of it."""
    return {
        (bool(asked), str(end)): n for (of, asked, end), n in counts.items() if of == image and n
    }


def _band(axes: Any, image: str, counts: Mapping[tuple[bool, str], float], top: float) -> None:
    """Draw one image: a bar on the left, one for each way of screening, one for each outcome, and
    ribbons between; all three columns add up.
    """
    whole, tall = sum(counts.values()), _BAND_IN * (1 - _GAP)
    axes.text(
        _X[0] - 0.012,
        top + tall / 2,
        f"{image}\n{number(round(whole))}",
        ha="right",
        va="center",
        fontsize=POINTS - 2,
        linespacing=1.15,
    )
    axes.add_patch(Rectangle((_X[0], top), _BAR, tall, color=SOFT, linewidth=0))
    ends = [end for end in _ENDS if any(of == end for _, of in counts)]
    into = dict(
        zip(
            ends,
            _starts([sum(n for (_, of), n in counts.items() if of == end) for end in ends]),
            strict=True,
        )
    )
    left, said = 0.0, list[str]()
    for asked in (True, False):
        own = {end: counts.get((asked, end), 0.0) for end in ends}
        share = sum(own.values()) / whole
        if not share:
            continue
        _ribbon(
            axes, _X[0] + _BAR, _X[1], top + left * tall, top + left * tall, share * tall, "#d8dadd"
        )
        axes.add_patch(
            Rectangle(
                (_X[1], top + left * tall),
                _BAR,
                share * tall,
                color=INK if asked else SOFT,
                linewidth=0,
            )
        )
        said.append(f"{'asked' if asked else 'did not ask'} {_percent(share)}")
        for end in (end for end in ends if own[end]):
            _ribbon(
                axes,
                _X[1] + _BAR,
                _X[2],
                top + left * tall,
                top + into[end] / whole * tall,
                own[end] / whole * tall,
                _ENDS[end],
            )
            left += own[end] / whole
            into[end] += own[end]
    axes.text(
        _X[1] - 0.01,
        top + tall / 2,
        "\n".join(said),
        ha="right",
        va="center",
        fontsize=POINTS - 2,
        linespacing=1.15,
    )
    _outcomes(
        axes,
        {end: sum(n for (_, of), n in counts.items() if of == end) / whole for end in ends},
        top,
        tall,
    )


def _starts(parts: Sequence[float]) -> list[float]:
    return [sum(parts[:place]) for place in range(len(parts))]


def _outcomes(axes: Any, shares: Mapping[str, float], top: float, tall: float) -> None:
    """Draw the bar of outcomes, and beside it every one of them in words, the largest first."""
    reached = 0.0
    for end, share in shares.items():
        axes.add_patch(
            Rectangle(
                (_X[2], top + reached * tall), _BAR, share * tall, color=_ENDS[end], linewidth=0
            )
        )
        reached += share
    told = sorted(shares.items(), key=lambda pair: -pair[1])
    lines = [
        ", ".join(f"{end.replace('_', ' ')} {_percent(share)}" for end, share in told[at : at + 2])
        for at in range(0, len(told), 2)
    ]
    axes.text(
        _X[2] + 0.026,
        top + tall / 2,
        "\n".join(lines),
        va="center",
        fontsize=POINTS - 2,
        linespacing=1.15,
    )


def _percent(share: float) -> str:
    return f"{rounded(100 * share, 3 if share >= 0.01 else 2)} %"


def _ribbon(
    axes: Any, x0: float, x1: float, y0: float, y1: float, tall: float, colour: str
) -> None:
    """Draw a band of constant height from (x0, y0) to (x1, y1), its edges curved."""
    middle = (x0 + x1) / 2
    points = [
        (x0, y0),
        (middle, y0),
        (middle, y1),
        (x1, y1),
        (x1, y1 + tall),
        (middle, y1 + tall),
        (middle, y0 + tall),
        (x0, y0 + tall),
        (x0, y0),
    ]
    codes = [
        Path.MOVETO,
        Path.CURVE4,
        Path.CURVE4,
        Path.CURVE4,
        Path.LINETO,
        Path.CURVE4,
        Path.CURVE4,
        Path.CURVE4,
        Path.CLOSEPOLY,
    ]
    axes.add_patch(PathPatch(Path(points, codes), facecolor=colour, alpha=0.35, linewidth=0))
