"""The figures of README and of the pages that tell answers are those of runs of the shipped worlds.

`docs/answers.py` ran them and wrote what they say to `results/answers`; a page is held to that, and
that to the worlds as they are shipped today.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ANSWERS = ROOT / "results" / "answers"
FIGURE = re.compile(r"[0-9][0-9,.]* ± [0-9][0-9,.]*")
PAGES = ("docs/storms.md", "docs/firmware_answers.md")
QUOTED = {"daily_version_report": "`make run`", "cheapest_record": "`sim run cheapest_record`"}


def tool():
    """Return `docs/answers.py`."""
    spec = importlib.util.spec_from_file_location("answers", ROOT / "docs" / "answers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def said(name):
    """Return what the run of *name* said, in one line."""
    return " ".join((ANSWERS / f"{name}.txt").read_text(encoding="utf-8").split())


def sections():
    """Yield page, name of the world and text of each section that is headed by a world's name."""
    for page in PAGES:
        parts = re.split(
            r"^## `(\w+)`$", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            yield pytest.param(page, name, text, id=name)


@pytest.mark.parametrize(("page", "name", "text"), list(sections()))
def test_every_figure_with_an_interval_is_one_of_the_run(page, name, text):
    found, run = FIGURE.findall(text), said(name)
    assert found, "a section without a figure says nothing"
    assert [figure for figure in found if figure.rstrip(".,") not in run] == []


@pytest.mark.parametrize("name", QUOTED)
def test_the_readme_quotes_the_answer(name):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    _, _, after = readme.partition(f"{QUOTED[name]} (")
    quoted = re.search(r"((?:^> .*\n)+)", after, flags=re.MULTILINE)[1].replace("> ", "")
    assert " ".join(quoted.split()) in said(name)


@pytest.mark.parametrize("name", sorted(path.stem for path in ANSWERS.glob("*.txt")))
def test_the_answers_are_of_the_worlds_shipped_today(name):
    first = (ANSWERS / f"{name}.txt").read_text(encoding="utf-8").splitlines()[0]
    assert first == f"worlds {tool().worlds_of(name)}"
