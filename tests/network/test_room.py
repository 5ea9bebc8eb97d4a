"""Memory that one network leaves for the next: it saves time and changes nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sim import run
from sim.network.room import SHELF, Shelf
from tests.twins.storms import storm


@pytest.mark.parametrize("number", range(0, 24, 3))
def test_a_world_in_memory_that_another_left_is_the_world_it_is_in_new_memory(number):
    """Whatever is written there, and however large it is."""
    SHELF.clear()
    alone = run.replicate(storm(number), 0)
    run.replicate(storm(number + 1), 0)
    run.replicate(storm(number + 2), 0)

    after_others = run.replicate(storm(number), 0)

    for name, expected in alone.items():
        pd.testing.assert_frame_equal(after_others[name], expected, check_exact=True, obj=name)


def test_a_set_of_arrays_is_with_one_network_or_on_the_shelf():
    """A second who asks at the same time gets none; what is put back takes the place of what is
    there.
    """
    shelf = Shelf()
    mine = {"keys": np.zeros(5)}
    assert shelf.take("room") == {}

    shelf.keep("room", {})
    shelf.keep("room", mine)
    assert shelf.take("room") is mine
    assert shelf.take("room") == {}
    shelf.keep("room", mine)
    shelf.clear()
    assert shelf.take("room") == {}


def test_what_a_replication_touched_is_there_for_the_next():
    """Of everything that is large; nothing is kept that a network may not find."""
    SHELF.clear()
    run.replicate(storm(0), 0)
    kept = {what: SHELF.take(what) for what in ("chunks", "room", "named")}
    for what, arrays in kept.items():
        assert arrays
        SHELF.keep(what, arrays)

    run.replicate(storm(0), 0)

    for what, arrays in kept.items():
        again = SHELF.take(what)
        assert all(again[name] is array for name, array in arrays.items())
