"""Runs: a folder for each, a sealed manifest in it, and the hashes that `sim verify` checks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Set
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sim.store.files import StoreError, append, in_a_sentence, read_file, sha256, slug, to_json, write_file

MANIFEST: Final = "manifest.json"
UNHASHED: Final = frozenset({MANIFEST, "run.log"})  # the manifest seals itself; the log goes on growing


def start_run(out: Path, name: str, plan: str) -> tuple[Path, bool]:
    """Return the folder for the plan with hash *plan*, and whether it is an unfinished run found again.

    The newest run of the same plan that did not finish is taken up; otherwise a new folder is made.
    """
    home = out / slug(name)
    for folder in sorted(home.glob(f"*-{plan[:8]}"), reverse=True):
        manifest = _manifest_or_nothing(folder)
        if not folder.is_symlink() and manifest.get("plan", plan) == plan and manifest.get("status") != "complete":
            return folder, True
    now = datetime.now(UTC)
    while True:
        folder = home / f"{now:%Y%m%dT%H%M%SZ}-{plan[:8]}"
        with in_a_sentence(folder):
            home.mkdir(parents=True, exist_ok=True)
            try:
                folder.mkdir()
            except FileExistsError:  # the same plan finished within this second
                now += timedelta(seconds=1)
                continue
        return folder, False


def _manifest_or_nothing(folder: Path) -> dict[str, Any]:
    try:
        return read_manifest(folder)
    except StoreError:
        return {}


def log(run: Path, text: str) -> None:
    """Add *text* to the run's log, with the time."""
    append(run / "run.log", f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}\n".encode())


def write_manifest(run: Path, manifest: Mapping[str, Any]) -> None:
    """Write *manifest* with a seal: the SHA-256 of itself without the seal."""
    bare = {key: value for key, value in manifest.items() if key != "seal"}
    write_file(run / MANIFEST, to_json(bare | {"seal": sha256(to_json(bare))}))


def read_manifest(run: Path) -> dict[str, Any]:
    """Return the manifest of *run*; raises `StoreError` when it is missing or does not match its own seal."""
    data = read_file(run / MANIFEST)
    try:
        manifest = json.loads(data)
        seal = manifest.pop("seal")
    except (ValueError, KeyError, AttributeError, TypeError):
        raise StoreError(f"{run / MANIFEST} is damaged: it is not a sealed manifest", 3) from None
    if not isinstance(manifest, dict) or sha256(to_json(manifest)) != seal:
        raise StoreError(f"{run / MANIFEST} is damaged: it does not match its seal", 3)
    return manifest


def hashes(run: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of *run* that a manifest vouches for, by path within the run."""
    names = (path.relative_to(run) for path in sorted(run.rglob("*")) if path.is_file() or path.is_symlink())
    kept = (name for name in names if name.as_posix() not in UNHASHED and not any(".corrupt" in part or part.startswith(".") for part in name.parts))
    return {name.as_posix(): sha256(read_file(run / name)) for name in kept}


def vouch(run: Path, paths: Iterable[Path]) -> None:
    """Enter the SHA-256 of *paths*, newly written files of *run*, in its manifest; the other entries stay as they are."""
    manifest = read_manifest(run)
    manifest["files"] |= {path.relative_to(run).as_posix(): sha256(read_file(path)) for path in paths}
    write_manifest(run, manifest)


def publish(run: Path) -> None:
    """Name *run* in its `latest` file."""
    write_file(run.parent / "latest", f"{run.name}\n".encode())


def find_run(text: str, out: Path) -> Path:
    """Return the run folder meant by *text*: a run folder, a folder of runs (its latest), or the name of a scenario under *out*. Raises `StoreError`."""
    for folder in (Path(text), out / text):
        if (folder / MANIFEST).exists():
            return folder
        if (folder / "latest").exists():
            name = read_file(folder / "latest").decode("utf-8", "replace").strip()
            if re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", name) and (folder / name / MANIFEST).exists():
                return folder / name
    raise StoreError(f"no results at {text}: neither a run folder nor the name of one in {out}", 3)


REPORT: Final = frozenset({"report.html", "figures"})  # what is made of the rest of a run, and can be made again


def verify(run: Path, *, but: Set[str] = frozenset()) -> list[str]:
    """Return a sentence for every file of *run* that is missing, altered, unexpected or not plain; none when all is as it was written.

    Files and folders of *run* named in *but* are not looked at.
    """
    try:
        manifest = read_manifest(run)
    except StoreError as damage:
        return [str(damage)]
    findings = [f"{run}: the run did not finish ({manifest['status']})"] if manifest["status"] in ("running", "interrupted") else []
    listed = {name: want for name, want in manifest["files"].items() if name.partition("/")[0] not in but}
    for name, want in listed.items():
        try:
            have = sha256(read_file(run / name))
        except StoreError as damage:
            findings.append(str(damage))
            continue
        if have != want:
            findings.append(f"{run / name} is damaged: SHA-256 {have[:12]}…, written as {want[:12]}…")
    for path in sorted(run.rglob("*")):
        name = path.relative_to(run).as_posix()
        if (path.is_symlink() or path.is_file()) and not (name in listed or name in UNHASHED or ".corrupt" in name or name.partition("/")[0] in but):
            findings.append(f"{path} is not in the manifest")
    return findings
