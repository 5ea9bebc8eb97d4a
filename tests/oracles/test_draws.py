"""The Philox kernel against plain Python, and the addressing against `docs/model.md` section 2."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from sim.kernels.draws import block, word
from tests.oracles import philox

KEYS = st.integers(0, 2**64 - 1)
NUMBERS = st.integers(0, 2**32 - 1)


@njit
def _blocks(counters, keys):
    words = np.empty_like(counters)
    for i in range(len(counters)):
        words[i] = block(
            counters[i, 0], counters[i, 1], counters[i, 2], counters[i, 3], keys[i, 0], keys[i, 1]
        )
    return words


def test_a_thousand_counters_equal_plain_python():
    """Counters and keys are themselves taken from the oracle, so they cover all bits."""
    n = 1_000
    counters = np.array([philox.philox((i, 1, 2, 3), (4, 5)) for i in range(n)], dtype=np.uint32)
    keys = np.array([philox.philox((i, 6, 7, 8), (9, 10))[:2] for i in range(n)], dtype=np.uint32)

    words = _blocks(counters, keys)

    expected = [
        philox.philox(tuple(map(int, c)), tuple(map(int, k)))
        for c, k in zip(counters, keys, strict=True)
    ]
    assert words.tolist() == [list(e) for e in expected]


@given(key=KEYS, place=NUMBERS, index=NUMBERS, occasion=NUMBERS)
def test_word_is_where_the_model_says(key, place, index, occasion):
    """The counter is (index >> 2, occasion, place, 0) and the lane index & 3."""
    assert word(np.uint64(key), place, index, occasion) == philox.word(key, place, index, occasion)


@given(key=KEYS, place=NUMBERS, index=NUMBERS, occasion=st.integers(-(2**40), 2**40))
def test_occasions_are_taken_modulo_2_to_32(key, place, index, occasion):
    """Also a negative one: a timer's nominal time may lie before the window."""
    assert word(np.uint64(key), place, index, occasion) == philox.word(
        key, place, index, occasion % 2**32
    )
