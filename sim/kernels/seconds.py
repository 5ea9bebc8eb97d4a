"""Seconds that are none: what stands in a column of seconds for what never comes, or did not."""

from __future__ import annotations

from typing import Final

import numpy as np

NEVER: Final = np.int64(2**31 - 1)  # the last that 32 bits hold: later than any window
NOT_WRITTEN: Final = np.int64(-1)
