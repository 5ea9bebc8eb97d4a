"""The pages tell the truth about the tree, and in British English."""

from __future__ import annotations

import ast
import importlib.util
import re

import pytest

from sim.streams import STREAMS
from sim.tables import TABLES
from tests.house.source import GENERATED, MODULES, PAGES, ROOT, name, texts, tree

WRITTEN = [page for page in PAGES if page not in GENERATED]
# What a run writes: named in the pages, found in a result, not in the checkout.
IN_A_RESULT = {
    "manifest.json",
    "resolved.yaml",
    "summary.csv",
    "intervals.csv",
    "report.html",
    "run.log",
    "tables",
    "cells",
    "figures",
    "latest",
    "scenario.yaml",
    "my_scenario.yaml",
}
AMERICAN = (
    r"colou?r(?<!colour)|behavior|\bcenter|modeled|modeling|labeled|labeling|traveled|canceled|favor(?!i)|neighbor|defense|\bgray\b|fulfill|analyz|catalog\b"
    r"|artifact|judgment|\bliters?\b|honor\b|rumor|toward\b|skeptic|\bgotten\b"
)


def _generator():
    """Load docs/generate.py, which is a page's source and no part of the package."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "page",
    [
        "docs/data_dictionary.md",
        "docs/traceability.md",
        "docs/transitions.md",
        "docs/rules.md",
        "docs/options.md",
    ],
)
def test_generated_pages_are_up_to_date(page):
    """`make docs` would change nothing."""
    assert (ROOT / page).read_text(encoding="utf-8") == _generator().PAGES[page]()


def test_item_ids_are_read_out_of_running_text():
    """A range names all its members; versions, words and percentages name nothing."""
    named = _generator().named(
        "S1-03, S1-16…S1-19 (H1; R0–R6, V1-V3), MV12, F1.2, R95%, S1-2, x_H2"
    )

    assert named == {
        "S1-03",
        *(f"S1-{n}" for n in (16, 17, 18, 19)),
        "H1",
        *(f"R{n}" for n in range(7)),
        "V1",
        "V2",
        "V3",
    }


def test_every_column_and_table_is_documented():
    """No column without a unit and a sentence on the page."""
    page = (ROOT / "docs/data_dictionary.md").read_text(encoding="utf-8")

    for table in TABLES.values():
        section = page.partition(f"## `{table.name}`\n")[2].partition("\n## ")[0]
        for column in table.columns:
            assert (
                f"| `{column.name}` | {column.dtype} | {column.unit or '–'} | {column.meaning} |"
                in section
            )
            assert re.fullmatch(r"[A-Z`].*\.|.*\.", column.meaning)


def test_the_model_pages_name_every_stream():
    """Every stream of luck is said on the pages from which both engines are written."""
    pages = "".join(
        (ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("model.md", "firmware.md")
    )

    assert [stream for stream in STREAMS if stream not in pages] == []


def _paths(text: str) -> set[str]:
    """Return what *text* names as files and folders: code spans and relative links."""
    spans = re.findall(r"`([^`\n]+)`", text) + re.findall(r"\]\((?!https?:)([^)#\s]+)", text)
    return {
        span
        for span in spans
        if re.fullmatch(
            r"\.?[\w.-]+(/[\w.-]+)+/?|\.?[\w-]+\.(md|py|yaml|toml|csv|cff|lock|html)|[\w.-]+/", span
        )
    }


@pytest.mark.parametrize("page", WRITTEN, ids=name)
def test_every_path_named_in_a_page_exists(page):
    """A newcomer finds what the pages name."""
    missing = [
        path
        for path in sorted(_paths(page.read_text(encoding="utf-8")))
        if path.split("/")[0] not in IN_A_RESULT
        and not (
            path.startswith(("results/", ".venv")) and not path.startswith("results/reference")
        )
        and not any(
            (folder / path).exists()
            for folder in (ROOT, page.parent, ROOT / "sim", ROOT / "scenarios")
        )
    ]

    assert missing == []


def test_british_spelling():
    """In the pages, the docstrings and the scenarios' comments."""
    sources = {name(page): page.read_text(encoding="utf-8") for page in PAGES}
    sources |= {
        name(path): path.read_text(encoding="utf-8")
        for path in (ROOT / "scenarios").rglob("*.yaml")
    }
    for path in MODULES:
        documented = [
            node
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        ]
        sources[name(path)] = "\n".join(ast.get_docstring(node) or "" for node in documented)
    found = {
        source: words
        for source, text in sources.items()
        if (words := re.findall(AMERICAN, re.sub(r"`[^`]*`", "", text), flags=re.IGNORECASE))
    }

    assert not found


def test_no_file_names_a_machine():
    """No path of anybody's machine, no folder of anybody's workplace."""
    places = ["/" + place + "/" for place in ("work", "root", "home", "Users")] + [
        "../" + "shared",
        "." + "library",
    ]
    found = {
        name(path): [place for place in places if re.search(rf"(?<![\w.]){re.escape(place)}", text)]
        for path, text in texts()
    }

    assert {path: named for path, named in found.items() if named} == {}


def test_decisions_are_short():
    """A decision is a page of at most 60 lines, and they are numbered without a gap."""
    records = sorted((ROOT / "docs/decisions").glob("*.md"))

    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    assert all(len(record.read_text(encoding="utf-8").splitlines()) <= 60 for record in records)


def test_stress_des_is_complete():
    """All 24 items of the STRESS-DES checklist are answered."""
    rows = re.findall(
        r"^\| (\d\.\d(?:\.\d)?) \| ([^|]+) \| ([^|]+) \|$",
        (ROOT / "docs/stress_des.md").read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )

    assert len(rows) == 24
    assert all(len(answer.split()) >= 5 for _, _, answer in rows)
