"""What is decided without looking at a device: releases, permitted paths, hours, campaigns. Shared
by both engines.
"""

from typing import Final

NEVER_S: Final = 2**31 - 1  # stands for a second that never comes
