"""What was never submitted never runs by the air."""

from __future__ import annotations

import pytest

from sim.run import replicate
from tests.twins.conserved import without_warm_up
from tests.twins.firmware import world

FIRST, N_WORLDS, AT_ONCE = 10_000, 40, 20  # numbers beyond those that the twin is compared on
NEVER_LISTED = {"variant_s", "variant_end_n", "unlisted_s"}


@pytest.mark.parametrize("first", range(FIRST, FIRST + N_WORLDS, AT_ONCE))
def test_what_was_never_submitted_never_runs_by_the_air(first):
    """Where nobody takes part in local updates no variant runs, and nothing that is not listed but
    what was taken off the list.
    """
    for number in range(first, first + AT_ONCE):
        scenario = without_warm_up(world(number))
        firmware = scenario.firmware
        blocks = {
            "local": firmware.local.model_copy(update={"take_up": 0.0}),
            "pipeline": firmware.pipeline.model_copy(update={"withdrawn": 0.0}),
        }
        alone = scenario.model_copy(update={"firmware": firmware.model_copy(update=blocks)})
        status = replicate(alone, 0)["status"]
        assert not NEVER_LISTED & {*status[status["value"] > 0]["what"]}
