"""How premises are shared out over regions: a property that largest remainders do not have (the
Alabama paradox).
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sim.estate.build import premises_by_region


@given(shares=st.lists(st.integers(1, 30), min_size=1, max_size=7), premises=st.integers(1, 5000))
def test_one_more_premises_is_one_more_in_one_region(shares, premises):
    """And one fewer in none: largest remainders alone would take a premises from one region to give
    two to others.
    """
    regions = {f"r{k}": share / sum(shares) for k, share in enumerate(shares)}

    before, after = (premises_by_region(n, regions) for n in (premises, premises + 1))

    assert sum(before) == premises
    assert sorted(b - a for a, b in zip(before, after, strict=True)) == [0] * (len(shares) - 1) + [
        1
    ]
