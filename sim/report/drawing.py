"""How every figure looks, and how it becomes a file: the same bytes each time, no date, no text
read as markup, colours that all eyes can tell apart.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH_IN: Final = 6.0  # so that 10 points are still read when the page is 400 pixels wide
POINTS: Final = 10.0
INK, SOFT, FAINT, ALERT = "#1a1a1a", "#5a5a5a", "#b4b4b4", "#d55e00"
# Okabe and Ito's colours, the pale yellow left out, each with a shape of its own: told apart in
# grey print as well.
COLOURS: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1a1a1a")
SHAPES: Final = ("o", "s", "^", "D", "v", "P", "X")

_STYLE: Final[dict[str, Any]] = {
    # Text is text: a `$` in a name is not mathematics.
    "text.parse_math": False,
    "svg.hashsalt": "sim",
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": POINTS,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": POINTS,
    "axes.titlelocation": "left",
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.linewidth": 0.8,
    "figure.dpi": 96,
    "savefig.dpi": 192,
    "axes.unicode_minus": True,
    "path.simplify": False,
}


@contextmanager
def style() -> Iterator[None]:
    """Draw and save in the house's style, whatever the user's own settings are."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        settings: Any = matplotlib.rcParams
        settings.update(_STYLE)
        yield


def new(height_in: float) -> Figure:
    """Return an empty figure of the house's width, off screen."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH_IN, height_in))


def styled(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Make *draw* draw in the house's style, also when a notebook calls it."""
    from functools import wraps

    @wraps(draw)
    def in_style(*arguments: Any, **keywords: Any) -> Figure:
        with style():
            return draw(*arguments, **keywords)

    return in_style


def files(figure: Figure, title: str, caption: str) -> dict[str, bytes]:
    """Return *figure* by suffix: `page.svg`, bare, for a page that says title and caption itself;
    `svg` and `png` with both, to stand alone.
    """
    with style():
        bare = _saved(figure, "svg")
        figure.text(
            0.0,
            1.02,
            textwrap.fill(title, 62),
            ha="left",
            va="bottom",
            fontsize=POINTS + 2,
            fontweight="bold",
            parse_math=False,
        )
        figure.text(
            0.0,
            -0.02,
            textwrap.fill(caption, 98),
            ha="left",
            va="top",
            fontsize=POINTS - 2,
            color=SOFT,
            parse_math=False,
        )
        whole = {
            suffix: _saved(figure, suffix, bbox_inches="tight", pad_inches=0.15)
            for suffix in ("svg", "png")
        }
    return {"page.svg": bare, **whole}


def _saved(figure: Figure, suffix: str, **how: Any) -> bytes:
    sink = io.BytesIO()
    nameless: dict[str, Any] = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[
        suffix
    ]
    figure.savefig(sink, format=suffix, metadata=nameless, facecolor="white", **how)
    return sink.getvalue()
