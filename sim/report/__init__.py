"""Reports: from a results folder alone to figures and sentences.

`answer` is what a run says on the terminal; `write` makes its page, `report.html`, and its figures;
`findings` is what both are made of, for a notebook.
"""

from sim.report.answers import answer, findings
from sim.report.pages import write

__all__ = ["answer", "findings", "write"]
