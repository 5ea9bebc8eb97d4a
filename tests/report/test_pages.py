"""The page: one file that runs nothing, asks for nothing, and takes every name as text."""

from __future__ import annotations

import platform
import re

import pytest

import sim
from sim.report import findings, write
from sim.report.drawing import files, new, style
from sim.report.pages import _TEMPLATE
from sim.store import sha256, write_manifest
from tests.report.reading import CHROMIUM, Page, browse

CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
SECTIONS = ["answer", "results", "assumed", "change", "sure", "metrics", "provenance"]
HOSTILE = [
    "</script><script>document.title='run'</script>",
    "<img src=x onerror=document.title='run'>",
    r"$\frac{1}{$",
    "=cmd()|' /C calc'!A0",
    "{{ 7 * 7 }}{% raw %}",
    '" onmouseover="document.title=1',
    "]]>--><b>bold</b>",
    "&lt;i&gt; \u202e right to left",
]


def page_of(results):
    """Write the page of *results* and return it, read."""
    return Page(write(results.path).read_text(encoding="utf-8"))


def test_the_page_is_one_inert_file(run, copied):
    """No script, no frame, no form, no address but its own pictures and places; a policy that
    forbids the rest; small enough to send.
    """
    path = write(copied(run).path)
    page = Page(path.read_text(encoding="utf-8"))

    assert {"script", "iframe", "object", "embed", "form", "link", "base", "input"} & {
        tag for tag, _ in page.tags
    } == set()
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": CSP}) in page.tags
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert all(
        attributes["src"].startswith("data:image/svg+xml;base64,")
        for tag, attributes in page.tags
        if tag == "img"
    )
    assert all(attributes["href"].startswith("#") for tag, attributes in page.tags if tag == "a")
    assert path.stat().st_size <= 2_000_000
    assert not re.search(r"url\(|@import", path.read_text(encoding="utf-8"))


def test_every_section_is_there_and_every_picture_has_words(run, copied):
    """Question first, then the answer; each picture with alternative text, each table in a box of
    its own that can scroll.
    """
    page = page_of(copied(run))

    assert [attributes["id"] for tag, attributes in page.tags if tag == "section"] == SECTIONS
    assert all(attributes["alt"] for tag, attributes in page.tags if tag == "img")
    assert page.tables
    assert all(box.get("class") == "scroll" and box.get("tabindex") == "0" for box in page.tables)
    assert ("html", {"lang": "en-GB"}) in page.tags


def test_what_a_reader_needs_to_do_it_again(runs, copied):
    """Seed, hashes, versions, and the command."""
    results = copied(runs["storm"])
    text = page_of(results).text
    manifest = results.manifest

    hashes = [manifest["plan"], manifest["scenario"]["sha256"], manifest["resolved_sha256"]]
    made = [manifest["environment"]["source"], f"made on {platform.node()}"]
    for wanted in (str(manifest["seed"]), *made, *hashes, "STRESS-DES"):
        assert wanted in text
    assert "sim run daily_version_report --set " in text
    assert "numpy " in text


def test_the_definitions_are_those_of_the_metrics(runs, copied):
    """Each metric the answer rests on is named with its definition."""
    text = page_of(copied(runs["record"])).text

    assert "record_wrong_share" in text
    assert "WRONG ÷ (RIGHT + WRONG)" in text
    assert (
        "`" not in text.partition("Definitions of the metrics used")[2].partition("Provenance")[0]
    )


def test_one_replication_and_failures_are_said_before_the_answer(runs, copied):
    """A number without an interval, and one that stands on fewer replications than planned, say so
    at the top.
    """
    results = copied(runs["calm"])
    failure = {"cell": "hashed-ppmid", "replication": 0, "cause": "MemoryError: <full>"}
    write_manifest(results.path, results.manifest | {"status": "failed", "failures": [failure]})
    text = page_of(results).text
    top = text.partition("No, at this scale")[0]

    assert "One replication: no interval." in top
    assert "One replication failed;" in top
    assert "MemoryError: <full>" in text


def hostile(results):
    """Rewrite the manifest of *results* with hostile text wherever a user's text can stand."""
    manifest = results.manifest
    text = " ".join(HOSTILE)
    failure = {"cell": text, "replication": 1, "cause": text}
    write_manifest(
        results.path,
        manifest | {
            "question": text,
            "name": text,
            "warnings": [text],
            "failures": [failure],
            "status": text,
            "scenario": manifest["scenario"] | {"file": text, "sets": [text]},
            "made_with": manifest["made_with"] | {"platform": text},
            "cells": [
                cell | {"levels": dict.fromkeys(cell["levels"], text) | {"option": text}}
                for cell in manifest["cells"]
            ],
        },
    )
    return sim.Results(results.path)


@pytest.mark.parametrize("name", ["storm", "record", "plain"])
def test_hostile_text_is_text(runs, copied, name):
    """Markup, scripts, mathematics and formulas in names and questions arrive as the characters
    they are.
    """
    results = hostile(copied(runs[name]))
    page = page_of(results)

    assert {"script", "b", "i"} & {tag for tag, _ in page.tags} == set()
    assert [
        attributes
        for _, attributes in page.tags
        if any(name.startswith("on") for name in attributes)
    ] == []
    assert all(attributes.get("src", "data:").startswith("data:") for _, attributes in page.tags)
    assert page.text.count(HOSTILE[0]) >= 3
    assert r"$\frac{1}{$" in page.text
    assert "{{ 7 * 7 }}" in page.text


def test_a_browser_runs_nothing_and_asks_for_nothing(runs, copied, tmp_path):
    """Headless Chromium, where there is one, leaves the hostile page as it was and goes nowhere;
    where there is none, the policy in the page says so.
    """
    path = write(hostile(copied(runs["storm"])).path)
    live = tmp_path / "live.html"
    live.write_text(
        "<title>a</title><img"
        " src='http://example.invalid/x.png'><script>document.title='run'</script>",
        encoding="utf-8",
    )
    if CHROMIUM is None:
        assert f'content="{CSP}"' in path.read_text(encoding="utf-8")
        return

    for folder in ("live", "page"):
        (tmp_path / folder).mkdir()
    ran, asked = browse(live, tmp_path / "live")
    assert "<title>run</title>" in ran
    assert asked == {"http://example.invalid/x.png"}

    document, asked = browse(path, tmp_path / "page")
    assert asked == set()
    assert "<title>run</title>" not in document
    assert "<script" not in document


def test_the_template_escapes_and_never_trusts():
    """Nothing is marked safe, and no value stands in an attribute without quotes."""
    template = _TEMPLATE.read_text(encoding="utf-8")

    assert "safe" not in re.findall(r"\|\s*(\w+)", template)
    assert not re.search(r"=\{\{", template)


def test_an_empty_run_has_a_page_too(runs, copied):
    """When nothing was finished the page says so."""
    results = copied(runs["plain"])
    summary = (results.path / "summary.csv").read_text(encoding="utf-8").splitlines()[0] + "\n"
    (results.path / "summary.csv").write_text(summary, encoding="utf-8")
    files = results.manifest["files"] | {"summary.csv": sha256(summary.encode())}
    write_manifest(results.path, results.manifest | {"files": files, "status": "failed"})

    assert "Nothing was finished" in page_of(sim.Results(results.path)).text


def test_pictures_take_names_as_text():
    """A title and caption with markup and mathematics are drawn as they are."""
    with style():
        figure = new(1.0)
        figure.add_axes((0.1, 0.1, 0.8, 0.8)).set_title(HOSTILE[2])
    made = files(figure, " ".join(HOSTILE), " ".join(HOSTILE))

    assert set(made) == {"page.svg", "svg", "png"}
    assert b"<script" not in made["svg"]
    assert made["png"].startswith(b"\x89PNG")


def test_rows_set_back_are_marked(runs, copied):
    """Dominated rules are set back on the page, and only they."""
    page = page_of(copied(runs["record"]))
    dominated = [
        row for row in findings(runs["record"]).grids[0].rows if row[-1].startswith("dominated by")
    ]

    assert (
        sum(tag == "tr" and attributes.get("class") == "mute" for tag, attributes in page.tags)
        == len(dominated)
        > 0
    )
