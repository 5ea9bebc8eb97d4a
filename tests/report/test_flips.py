"""H15 on worlds whose boundary is known: sentences, tables, figure."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sim.report import answer, findings, write
from sim.report.drivers import drivers, sentence
from sim.report.flips import fits
from sim.report.space import Axis, Space, quantity
from sim.report.study import Study
from tests.report.known import ALL, BOUNDARY, EFFECT, known_run

END = re.compile(
    r"Prefer on_change unless the share of reports lost exceeds ([\d.]+) % \(95 % interval ([\d.]+)"
    r" % to ([\d.]+) %\): then prefer daily\."
)


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """Return a function that makes the known run of a design, once."""
    done = {}

    def run(design, points=None, **how):
        key = design, points, *how.items()
        if key not in done:
            done[key] = known_run(
                tmp_path_factory.mktemp("known"), design=design, points=points, **how
            )
        return done[key]

    return run


def grid(found, title):
    """Return the rows of the grid whose title begins with *title*, by column."""
    table = next(grid for grid in found.grids if grid.title.startswith(title))
    return [dict(zip(table.head, row, strict=True)) for row in table.rows]


def test_the_box_holds_the_boundary_and_the_run_ends_with_it(known):
    """The assumption that flips the choice, at the value where it does, as the last thing a reader
    sees.
    """
    text = " ".join(answer(known("latin_hypercube", 64)).split())
    at, low, high = map(float, END.search(text).groups())

    assert low <= 100 * BOUNDARY <= high
    assert low < at < high
    assert text.index("T15b") < text.index("Prefer on_change")
    assert "The assumption that flips the decision: reporting.loss (evidence of grade D)." in text
    assert (
        "updates.local.rate and reporting.phase.source bound no such region within the ranges"
        " tried."
        in text
    )
    assert re.search(
        r"holds \d+ % \(\d+ to 100\) of the worlds in which it is the better one", text
    )


def test_effects_and_evidence_are_in_tables(known):
    """What was put in comes out: the lead loses 32 points over the range of losses, nothing over
    the others; grades stand beside.
    """
    found = findings(known("latin_hypercube", 64))
    drivers = {row["assumption"]: row for row in grid(found, "T15c")}
    effect, half = map(float, drivers["reporting.loss"]["low to high end"].split(" ± "))

    assert abs(effect - 100 * EFFECT) <= half < 1
    assert [row["assumption"] for row in grid(found, "T15b")] == [
        "reporting.loss",
        "reporting.phase.source",
        "updates.local.rate",
    ]
    assert [row["flips the decision"] for row in grid(found, "T15b")] == ["yes", "no", "no"]
    assert {row["assumption"]: row["grade"] for row in grid(found, "T15b")}[
        "updates.local.rate"
    ] == "C"
    assert grid(found, "T15a")[0]["then prefer"] == "daily"


def test_a_saltelli_design_gives_totals_and_elementary_effects(known):
    """More columns, from the same run; worlds that coincide count at each of their points."""
    rows = {row["assumption"]: row for row in grid(findings(known("saltelli", 16)), "T15c")}

    for column in ("alone, %", "in all, %", "μ*", "σ"):
        assert re.fullmatch(r"−?[\d.]+ ± [\d.]+", rows["reporting.loss"][column])
    assert abs(float(rows["reporting.loss"]["μ*"].split()[0]) - 100 * EFFECT) < 1


def test_one_at_a_time_says_which_end_flips_the_choice(known):
    """No region can be told from such points, and none is claimed."""
    found = findings(known("one_at_a_time"))

    assert re.fullmatch(
        r"Prefer on_change, unless an assumption is as follows\. With the share of reports lost at"
        r" 40 % alone, daily is the better one, by [\d.]+ ± [\d.]+"
        r" percentage points\.",
        found.answer,
    )
    assert not any(grid.title.startswith("T15a") for grid in found.grids)
    assert grid(found, "T15c")[0]["assumption"] == "reporting.loss"


def test_what_flips_nothing_is_said_so(known):
    """A choice that stands in every world."""
    found = findings(known("latin_hypercube", 32, boundary=0.9))

    assert found.answer.endswith("in every one of them: no assumption flips the decision.")


def test_shares_without_structure_do_not_pretend_to_totals(known):
    """Asked for Sobol' totals from a Latin hypercube, the report says what they would need."""
    asked = ALL.replace("}", ", methods: [tornado, sobol, morris]}")
    found = findings(known("latin_hypercube", 32, analysis=asked))
    table = next(grid for grid in found.grids if grid.title.startswith("T15c"))

    assert "in all, %" not in table.head
    assert (
        "Total shares and elementary effects need the points of a saltelli design; these are of"
        " latin hypercube."
        in table.note
    )
    assert "32 points: intervals of first orders cover less than 95 %." in table.note


def test_the_page_shows_it(known):
    """Figures and tables on the page; the same run gives the same bytes."""
    run = known("latin_hypercube", 64)
    first = write(run).read_bytes()

    assert {path.name for path in (run / "figures").glob("f15*")} == {
        f"f15_drivers_{n}.{suffix}" for n in (1, 2) for suffix in ("svg", "png")
    }
    assert b"T15a. Where the decision flips" in first
    assert write(run).read_bytes() == first


def test_axes_are_read_from_what_ran(known):
    """Numbers in the factor's unit, words by number, and every point complete."""
    study = Study(known("latin_hypercube", 64))
    space = Space(study)

    assert fits(study)
    assert [axis.reach for axis in space.axes] == [
        "0 % to 40 %",
        "2 /year to 6 /year",
        "hashed, fixed_clock, power_on",
    ]
    assert space.x.shape == (64, 3)
    assert set(space.x[:, 2]) == {0.0, 1.0, 2.0}
    assert space.y("record_wrong_share", "ppmid")["daily"].shape == (64, 3)
    assert space.y("record_wrong_share", "nobody") == {}


def test_durations_are_told_in_the_largest_unit_of_their_range():
    """Sampled in hours, told in days; what begins at nothing by its other end."""
    assert Axis("heartbeat", "reporting.heartbeat", "h", 168, 2184, ()).reach == "7 d to 91 d"
    assert Axis("heartbeat", "reporting.heartbeat", "h", 168, 2184, ()).shown(671) == "28 d"
    assert Axis("jitter", "reporting.phase.jitter", "s", 0, 7200, ()).reach == "0 h to 2 h"
    assert Axis("jitter", "reporting.phase.jitter", "ms", 10, 900, ()).reach == "0.01 s to 0.9 s"


def test_what_nothing_moves_is_a_sentence(known):
    """No table or figure of a metric that is the same in every world; and none of every world of
    many, which summary.csv has.
    """
    study = Study(known("latin_hypercube", 64))
    space = Space(study)
    same = drivers(space, "messages_per_device_year", "daily", np.full((64, 3), 365.0), ())

    assert same.constant
    assert sentence(same) == "Messages per device year of daily is the same in every world."
    assert not any(grid.title.startswith("T2") for grid in findings(study).grids)
    assert (
        findings(study).doubts[0]
        == "Beyond the ranges: nothing is said of worlds outside those of T15b."
    )
    assert [picture.name for picture in findings(study).pictures] == [
        "f15_drivers_1",
        "f15_drivers_2",
    ]


def test_the_dust_of_sums_is_no_effect(known):
    """A metric that is the same everywhere but for rounding has no driver."""
    space = Space(Study(known("latin_hypercube", 64)))
    dusty = 365 * (1 + 1e-15 * np.arange(64 * 3).reshape(64, 3))

    assert np.ptp(space.sample(dusty, "dust", space.axes).y) == 0
    assert np.ptp(space.sample(dusty * space.x[:, :1], "no dust", space.axes).y) > 0


def test_quantities_are_read_in_the_unit_asked_for():
    """Whatever unit a resolved scenario writes."""
    assert [
        quantity("90 min", "h"),
        quantity("12.5 %", "%"),
        quantity("4 /year", "/year"),
        quantity("20_000", ""),
    ] == [1.5, 12.5, 4.0, 20_000.0]
    assert [quantity("hashed", ""), quantity("3 parsecs", "d")] == [None, None]
