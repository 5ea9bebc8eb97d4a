"""Reading a report back: the numbers of a printed table, the elements of a page, what a browser
does with it.
"""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)


def summary(results):
    """Return value and half-width by (cell, metric, group), straight from `summary.csv`."""
    with open(results.path / "summary.csv", encoding="utf-8", newline="") as file:
        return {
            (row["cell"], row["metric"], row["group"]): (
                float(row["value"]),
                float(row["half_width"] or "nan"),
            )
            for row in csv.DictReader(file)
        }


def differences(results):
    """Return difference and half-width by (cell, metric, group), straight from `differences.csv`.
    """
    with open(results.path / "differences.csv", encoding="utf-8", newline="") as file:
        return {
            (row["cell"], row["metric"], row["group"]): (
                float(row["difference"]),
                float(row["half_width"]),
            )
            for row in csv.DictReader(file)
        }


def grid(findings, title):
    """Return the rows of the grid whose title begins with *title*, as a mapping by column."""
    found = next(grid for grid in findings.grids if grid.title.startswith(title))
    return [dict(zip(found.head, row, strict=True)) for row in found.rows]


def same(text, value, half_width, scale=1):
    """Whether *text* ("1,234 ± 12 %", "0.3 % (0 to 1 %)") is *value* with an interval of
    *half_width*, times *scale*, each rounded to its last digit.
    """
    if math.isinf(value):
        return text.startswith("not ")
    text = re.sub(
        r"(; | \()(of |in [0-9])[^()]*\)",
        lambda found: ")" * found[0].startswith(";"),
        text.replace("−", "-"),
    )
    if ends := re.search(r"\((\S+) to (\S+)[^)]*\)", text):
        low, high = (float(end.replace(",", "")) for end in ends.groups())
        near = (
            abs((high - low) / 2 - half_width * scale)
            <= sum(_last_place(end, 1) for end in ends.groups() if end != "0") + 1e-9
        )
        return near and _near(text.split()[0], value * scale)
    shown = [part.split()[0] for part in text.split("±")]
    if len(shown) == 1:
        assert "no interval" in text or half_width <= 1e-9 * abs(value)
        return _near(shown[0], value * scale)
    return _near(shown[0], value * scale) and _near(shown[1], half_width * scale)


def _near(part, want):
    return abs(float(part.replace(",", "")) - want) <= _last_place(part, want)


def _last_place(text, value):
    """Return half the place of the last digit that *text* shows; of trailing noughts, those that
    two digits of an interval leave.
    """
    decimals = len(text.partition(".")[2])
    noughts = (
        len(text) - len(text.rstrip("0,")) - text[len(text.rstrip("0,")) :].count(",")
        if decimals == 0
        else 0
    )
    return 0.5000001 * 10.0 ** (noughts - decimals) if value else 0.0


class Page(HTMLParser):
    """The elements of a page: each *tag* with its attributes, what lies around every table, and the
    *text*.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.tables: list[dict[str, str]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self.tables.append(self.tags[-1][1])
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def browse(page: Path, folder: Path) -> tuple[str, set[str]]:
    """Open *page* in headless Chromium; return what the document became and the addresses it asked
    for beside the browser's own.
    """
    log = folder / "net.json"
    options = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={folder / 'profile'}",
        f"--log-net-log={log}",
        "--host-resolver-rules=MAP * ~NOTFOUND",
    ]
    made = subprocess.run(
        [CHROMIUM, *options, "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    events = json.loads(re.sub(r",\s*\Z", "]}", log.read_text(encoding="utf-8")))["events"]
    asked = {event["params"]["url"] for event in events if "url" in event.get("params", {})}
    return made.stdout, {
        url
        for url in asked
        if not re.match(r"(https?://[a-z0-9.-]*google|https?://update\.|data:|file:)", url)
    }
