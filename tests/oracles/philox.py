"""Philox4x32-10 in plain Python, written from the paper (Salmon, Moraes, Dror and Shaw, SC11,
section 3.3), not from the kernel.
"""

from __future__ import annotations

_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)  # golden ratio, sqrt(3) - 1
_ROUNDS = 10


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the four 32-bit words of *counter* under *key*."""
    left_0, right_0, left_1, right_1 = counter
    for round_number in range(_ROUNDS):
        key_0, key_1 = ((k + round_number * w) % 2**32 for k, w in zip(key, _WEYL, strict=True))
        high_0, low_0 = divmod(_MULTIPLIERS[0] * left_0, 2**32)
        high_1, low_1 = divmod(_MULTIPLIERS[1] * left_1, 2**32)
        left_0 = high_1 ^ right_0 ^ key_0
        right_0 = low_1
        left_1 = high_0 ^ right_1 ^ key_1
        right_1 = low_0
    return left_0, right_0, left_1, right_1


def word(key: int, place: int, index: int, occasion: int) -> int:
    """Return the word at an address, as `docs/model.md` section 2 defines it."""
    return philox((index >> 2, occasion % 2**32, place, 0), (key % 2**32, key >> 32))[index & 3]
