"""Images of a firmware world: their numbers, their seconds, their luck (S1-09)."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from sim.kernels import draws
from sim.planning import NEVER_S
from sim.planning.releases import highest_listed, images, is_listed, rows
from sim.streams import stream_key
from sim.tables import TABLES, frame
from tests.planning.worlds import image, pipeline, row, world


def test_versions_are_numbered_in_order_of_being_built_then_of_the_file():
    scenario = world(horizon_s=1_000)
    scenario.firmware.local.lead = 7
    often, tied = row("b", 100, every=400, release_class="feature"), row("b", 500)
    scenario.firmware.releases = (often, tied, row("a", 999), row("b", 1_000), row("c", 1_000, 5))

    made = images(scenario, 0)

    assert [(i.model, i.model_number, i.version, i.built_s, i.release_class) for i in made] == [
        ("a", 0, 1, 999, "defect"),
        ("b", 1, 1, 100, "feature"),
        ("b", 1, 2, 500, "feature"),
        ("b", 1, 3, 500, "defect"),
        ("b", 1, 4, 900, "feature"),
    ]
    assert [i.local_s for i in made] == [
        NEVER_S,
        107,
        507,
        NEVER_S,
        907,
    ], "offered locally are the classes of the local channel"


def test_seconds_follow_the_pipeline():
    scenario = world()
    scenario.firmware.releases = (row("a", 1_000),)
    assurance = SimpleNamespace(low=50, high=50)
    scenario.firmware.pipeline = pipeline(
        assurance=assurance,
        listing=20,
        data_error=1.0,
        correction=30,
        withdrawn=1.0,
        withdrawn_after=40,
    )

    (made,) = images(scenario, 0)

    assert (made.assured_s, made.n_rejected, made.listed_s, made.corrected_s, made.delisted_s) == (
        1_050,
        0,
        1_070,
        1_100,
        1_110,
    )


def test_luck_is_drawn_at_the_model_and_the_version():
    scenario = world()
    scenario.firmware.releases = (row("a", 0, 86_400), row("b", 0, 86_400))
    assurance = SimpleNamespace(low=10, high=1_000)
    scenario.firmware.pipeline = pipeline(
        assurance=assurance,
        reject=0.5,
        data_error=0.5,
        correction=9,
        withdrawn=0.5,
        withdrawn_after=99,
    )

    def happens(stream: str, place: int, number: int, version: int) -> bool:
        return int(draws.word(np.uint64(stream_key(7, 3, stream)), place, number, version)) < 2**31

    made = images(scenario, 3)

    for i in made:
        m, v = i.model_number, i.version
        rejections = 0
        while happens("release.rejected", rejections, m, v):
            rejections += 1
        assured_s = (
            i.built_s
            + 10
            + int(draws.word(np.uint64(stream_key(7, 3, "release.assurance")), 0, m, v))
            * 991
            // 2**32
        )
        listed_s = assured_s + 100 * rejections
        assert (i.assured_s, i.n_rejected, i.listed_s) == (assured_s, rejections, listed_s)
        assert i.corrected_s == listed_s + 9 * happens("release.data_error", 0, m, v)
        assert i.delisted_s == (listed_s + 99 if happens("release.withdrawn", 0, m, v) else NEVER_S)
    assert len({i.n_rejected for i in made}) > 3
    assert made != images(scenario, 4)


def test_after_64_rejections_an_image_is_never_listed():
    scenario = world()
    scenario.firmware.releases = (row("a", 5),)
    scenario.firmware.pipeline = pipeline(reject=1.0, data_error=1.0, withdrawn=1.0)

    (made,) = images(scenario, 0)

    assert (made.n_rejected, made.listed_s, made.corrected_s, made.delisted_s) == (
        64,
        NEVER_S,
        NEVER_S,
        NEVER_S,
    )
    assert not is_listed(made, 2**31 - 2)


def test_on_the_list_from_listing_to_withdrawal():
    first, second = image(1, listed_s=100), image(2, listed_s=200, delisted_s=300)

    assert [is_listed(second, s) for s in (199, 200, 299, 300)] == [False, True, True, False]
    assert [highest_listed((first, second), s) for s in (99, 100, 200, 299, 300)] == [0, 1, 2, 2, 1]


def test_the_table_knows_only_what_happens_before_the_horizon():
    scenario = world(horizon_s=1_000)
    scenario.firmware.releases = (
        row("a", 0, None, "feature"),
        row("a", 850),
        row("a", 995, None, "feature"),
    )
    scenario.firmware.pipeline = pipeline(
        assurance=SimpleNamespace(low=100, high=100), reject=1.0, resubmit=300
    )

    made = images(scenario, 0)
    table = frame(
        "releases",
        dict(zip(TABLES["releases"].names, zip(*rows(made, scenario), strict=True), strict=True)),
    )

    assert table["assured_s"].tolist() == [100, 950, -1]
    assert table["n_rejected"].tolist() == [
        3,
        1,
        0,
    ], "submissions at 100, 400 and 700; at 950; none"
    assert (
        table["listed_s"].tolist()
        == table["corrected_s"].tolist()
        == table["delisted_s"].tolist()
        == [-1, -1, -1]
    )
    assert table["local_s"].tolist() == [7, -1, -1]
