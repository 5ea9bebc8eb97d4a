"""The pages of CONTRIBUTING that say what to touch, followed through the tree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.house.source import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS: Final = dict(re.findall(r"^### (.+)\n((?:.+\n|\n(?!#))+)", PAGE, flags=re.MULTILINE))
EXAMPLES: Final = {
    title: match[1]
    for title in SECTIONS
    if (match := re.search(r", as .*`(\w+)`\)? is$", title)) is not None
}


def _files(section: str) -> list[str]:
    """Return what the numbered lines of *section* name that is a file or a folder."""
    steps = re.findall(r"^\d+\. .*$", section, flags=re.MULTILINE)
    named = [word for step in steps for word in re.findall(r"`([\w./]+)`", step)]
    return [word for word in named if "/" in word]


def _knows(path: Path, example: str) -> bool:
    text = path.read_text(encoding="utf-8")
    return re.search(rf"(?<!\w){example}(?!\w)", text, flags=re.IGNORECASE) is not None


def test_there_is_a_page_for_each_kind_of_change():
    kinds = [re.sub(r"^An? ", "", title).split(",")[0] for title in SECTIONS]

    assert kinds == [
        "reporting rule made of traits that exist", "mitigation", "fault", "table",
        "metric with a figure", "leaf of the scenario", "wing",
    ]  # fmt: skip
    assert len(EXAMPLES) == len(kinds) - 1


@pytest.mark.parametrize("title", SECTIONS)
def test_a_page_names_what_is_there(title: str):
    files = _files(SECTIONS[title])

    assert [name for name in files if not (ROOT / name).exists()] == []
    assert len(files) >= 4


@pytest.mark.parametrize("title", EXAMPLES)
def test_no_file_that_knows_the_example_is_left_out(title: str):
    """Who follows the page touches every file of the package in which the example stands."""
    example, listed = EXAMPLES[title], set(_files(SECTIONS[title]))
    quoted = rf'"{example}"' if title.startswith("A table") else example
    paths = sorted((ROOT / "sim").rglob("*.py"))
    knowing = [path.relative_to(ROOT).as_posix() for path in paths if _knows(path, quoted)]

    assert knowing
    assert [name for name in knowing if name not in listed] == []


@pytest.mark.parametrize("title", EXAMPLES)
def test_a_page_leads_first_to_where_the_example_stands(title: str):
    """The first file of the package that a page names has the example in it."""
    first = next(name for name in _files(SECTIONS[title]) if name.startswith("sim/"))

    assert _knows(ROOT / first, EXAMPLES[title])
