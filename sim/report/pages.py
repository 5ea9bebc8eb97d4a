"""The page of a run: `report.html`, one file that needs nothing and runs nothing, and its figures
as files.
"""

from __future__ import annotations

import base64
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final

from sim.metrics.results import Results
from sim.report.evidence import assumed, footing, grades, replications
from sim.report.findings import Findings
from sim.report.study import Study
from sim.report.words import capitalised, counted, tied

_TEMPLATE: Final = Path(__file__).with_name("template.html")


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A figure on the page: *title*, how to *read* it, *alt* text, and its *source*, a data
    address.
    """

    title: str
    read: str
    alt: str
    source: str


def write(run: str | PathLike[str] | Results | Study) -> Path:
    """Write `report.html` and `figures/` of *run*, from its folder alone; return the page. The same
    run gives the same bytes.

    Raises `StoreError` when there is no run, it is not as it was written, or the files cannot be
    written.
    """
    from sim.report.answers import findings
    from sim.store import write_file

    study = run if isinstance(run, Study) else Study(run)
    found = findings(study)
    folder = study.results.path
    page = _page(study, found, list(_draw(study, found, folder / "figures")))
    write_file(folder / "report.html", page.encode("utf-8"))
    return folder / "report.html"


def _draw(study: Study, found: Findings, folder: Path) -> Iterator[_Drawn]:
    """Write every figure of *found* to *folder*, and yield each as the page shows it."""
    from sim.report.drawing import files
    from sim.store import write_file

    for picture in found.pictures:
        made = files(picture.draw(), picture.title, f"{picture.read} {footing(study)}")
        for suffix in ("svg", "png"):
            write_file(folder / f"{picture.name}.{suffix}", made[suffix])
        source = f"data:image/svg+xml;base64,{base64.b64encode(made['page.svg']).decode('ascii')}"
        yield _Drawn(picture.title, picture.read, picture.alt, source)


def _page(study: Study, found: Findings, pictures: list[_Drawn]) -> str:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    environment.filters |= {
        "tied": tied,
        "breakable": lambda text: text.replace(".", ".\u200b").replace("_", "_\u200b"),
    }
    rows = assumed(study) if study.cells else ()
    manifest = study.manifest
    return environment.from_string(_TEMPLATE.read_text(encoding="utf-8")).render(
        title=study.question if study.question != "none" else study.name,
        name=study.name,
        study=study,
        manifest=manifest,
        found=found,
        pictures=pictures,
        assumed=rows,
        grades=grades(rows),
        footing=footing(study) if study.cells else "",
        replications=capitalised(replications(study)) if study.cells else "None finished",
        definitions=_definitions(found.metrics),
        alarms=list(_alarms(study)),
        command=_command(manifest),
        folder=f"{study.results.path.parent.name}/{study.results.path.name}",
        provenance=list(_provenance(study)),
    )


def _definitions(metrics: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the metrics by their definition, as plain text: those of two stages share one."""
    from sim.metrics import METRICS

    found: dict[str, list[str]] = {}
    for name in metrics:
        if name in METRICS:
            found.setdefault(re.sub("[`*]", "", METRICS[name].definition), []).append(name)
    return found


def _alarms(study: Study) -> Iterator[str]:
    """Yield what a reader must know before the answer."""
    manifest = study.manifest
    if manifest["failures"]:
        n = len(manifest["failures"])
        yield (
            f"{'One replication' if n == 1 else f'{n} replications'} failed; the numbers stand on"
            " the others. See How sure."
        )
    if manifest["status"] == "interrupted":
        yield "The run was interrupted; the same command finishes it."
    if study.cells and all(cell.scenario.replications == 1 for cell in study.cells):
        yield "One replication: no interval. Nothing here says how much of a number is chance."


def _command(manifest: dict[str, Any]) -> str:
    scenario = manifest["scenario"]
    sets = [word for change in scenario["sets"] for word in ("--set", change)]
    engine = [] if manifest["engine"] == "fast" else ["--engine", manifest["engine"]]
    return shlex.join(["sim", "run", scenario["file"] or manifest["name"], *sets, *engine])


def _provenance(study: Study) -> Iterator[tuple[str, str]]:
    manifest = study.manifest
    made = manifest["made_with"]
    changed = {None: "", True: ", with changes", False: ""}[made["git_changed"]]
    yield "run", study.results.path.name
    yield (
        "status",
        (
            f"{manifest['status']}, started {manifest['started']}, ended"
            f" {manifest.get('ended', '–')}, {manifest.get('seconds', '–')} s"
        ),
    )
    yield "engine, seed", f"{manifest['engine']}, {manifest['seed']}"
    numbers = sorted({cell["replications"] for cell in manifest["cells"]})
    yield (
        "cells, replications of each",
        f"{len(manifest['cells'])}, {' or '.join(map(str, numbers))}",
    )
    yield "program", f"version {manifest['version']}, git {made['git_commit'] or 'none'}{changed}"
    yield "SHA-256 of the source", (manifest.get("environment") or manifest)["source"]
    yield "SHA-256 of the plan", manifest["plan"]
    yield "SHA-256 of the scenario", manifest["scenario"]["sha256"]
    yield "SHA-256 of all cells, resolved", manifest["resolved_sha256"]
    yield "packages", ", ".join(f"{name} {version}" for name, version in made["packages"].items())
    yield (
        "machine",
        (
            f"Python {made['python']}, {made['platform']}, {made['processor']}, {made['cpus']}"
            " processors"
        ),
    )
    counts = Counter(n for made in manifest.get("made_by", {}).values() for n in made.values())
    for number, maker in enumerate(manifest.get("makers", [])):
        about = ", ".join(text for name, text in maker.items() if name != "host")
        host = maker.get("host", "an unknown host")
        yield f"made on {host}", f"{counted(counts[number], 'replication')} ({about})"
    yield "streams of luck", ", ".join(manifest["streams"])
