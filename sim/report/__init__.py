"""Reports: from a results folder alone to figures and sentences.

`answer` is what a run says on the terminal; `write` makes its page, `report.html`, and its figures.
"""

from sim.report.answers import answer
from sim.report.pages import write

__all__ = ["answer", "write"]
