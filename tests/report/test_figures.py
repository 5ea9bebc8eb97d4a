"""Figures: the same bytes each time and everywhere, and true to the tables."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

from sim.report import findings, write
from sim.report.servers import peaks_by_quarter, places
from sim.report.study import Study
from tests.report.reading import summary


def hashes(folder):
    """Return the SHA-256 of the report and of each figure in *folder*."""
    paths = [folder / "report.html", *sorted((folder / "figures").iterdir())]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_the_same_run_gives_the_same_bytes(runs, copied):
    """Written again here, and by another process with another hash seed, zone and locale."""
    paths = [copied(results).path for results in runs.values()]
    for path in paths:
        write(path)
    first = [hashes(path) for path in paths]
    for path in paths:
        write(path)
    assert [hashes(path) for path in paths] == first

    elsewhere = os.environ | {
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
        "MPLBACKEND": "svg",
        "SOURCE_DATE_EPOCH": "1",
    }
    again = "import sys; from sim.report import write; [write(path) for path in sys.argv[1:]]"
    subprocess.run(
        [sys.executable, "-c", again, *map(str, paths)], check=True, env=elsewhere, timeout=60
    )
    assert [hashes(path) for path in paths] == first


def test_the_questions_have_their_figures(runs, copied):
    """F1 for the storm, F2 for the frontier; each as a vector and as pixels, without a date."""
    for name, figure in (("storm", "f1_load_by_time_of_day"), ("record", "f2_frontier")):
        results = copied(runs[name])
        write(results.path)
        drawn = {path.name for path in (results.path / "figures").iterdir()}
        svg = (results.path / "figures" / f"{figure}.svg").read_text(encoding="utf-8")

        assert drawn == {f"{figure}.svg", f"{figure}.png"}
        assert ElementTree.fromstring(svg).tag.endswith("svg")
        assert "dc:date" not in svg


def test_f1_is_highest_where_the_peaks_are(runs):
    """No quarter is above the busiest second of `summary.csv` ÷ capacity, and the highest comes
    near it: replications peak in different quarters.
    """
    study = Study(runs["storm"])
    want = summary(runs["storm"])

    for cell in study.cells:
        for place in places(cell):
            loads = peaks_by_quarter(study, cell, place)
            assert len(loads) == 96
            peak = (
                want[cell.name, f"{place.stage}_messages_per_s_peak", place.group][0]
                / place.capacity
            )
            assert 0.9 * peak <= max(loads) <= peak * (1 + 1e-12)
    fixed = next(cell for cell in study.cells if cell.option == "fixed_clock")
    north = peaks_by_quarter(study, fixed, places(fixed)[1])
    assert max(range(96), key=north.__getitem__) in (11, 12)  # 03:00, give or take ten seconds


def test_the_titles_say_the_finding(runs):
    """A title has a number in it, and the numbers are those of the answer."""
    storm, record = (findings(runs[name]).pictures[0].title for name in ("storm", "record"))

    assert storm.startswith("Fixed clock brings CSP north ")
    assert storm.split(" brings ")[1].split()[2] in findings(runs["storm"]).answer
    assert "messages per device-year; R3 1 d takes" in record
    assert "dominated" in record


def test_labels_of_the_frontier_do_not_collide(runs):
    """No two labels overlap, and all stand inside the axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Annotation

    figure = findings(runs["record"]).pictures[0].draw()
    renderer = FigureCanvasAgg(figure).get_renderer()
    axes = figure.axes[0]
    boxes = {
        child.get_text(): child.get_window_extent(renderer)
        for child in axes.get_children()
        if isinstance(child, Annotation)
    }
    edge = axes.get_window_extent(renderer)

    assert len(boxes) == 17
    assert [(a, b) for a in boxes for b in boxes if a < b and boxes[a].overlaps(boxes[b])] == []
    assert all(
        edge.x0 <= box.x0 and box.x1 <= edge.x1 and edge.y0 <= box.y0 and box.y1 <= edge.y1
        for box in boxes.values()
    )


def test_a_notebook_shows_a_picture_as_vectors(runs):
    """What a notebook asks of a value is the figure with its title."""
    svg = findings(runs["plain"]).pictures[0]._repr_svg_()

    assert ElementTree.fromstring(svg).tag.endswith("svg")
