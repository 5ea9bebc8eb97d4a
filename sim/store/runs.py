"""Runs: a folder for each, a sealed manifest in it, and the hashes that `sim verify` checks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sim.store.files import (
    StoreError,
    append,
    in_a_sentence,
    is_temporary,
    read_file,
    sha256,
    slug,
    to_json,
    write_file,
)

MANIFEST: Final = "manifest.json"
_RUN: Final = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
LOG: Final = "run.log"
# The manifest seals itself. The log may go on growing: of it, what there was is sealed.
UNHASHED: Final = frozenset({MANIFEST, LOG})


def start_run(out: Path, name: str, plan: str) -> tuple[Path, bool]:
    """Return the folder for the plan with hash *plan*, and whether it is a run found again.

    The newest run of the same plan is taken up when it did not finish, or has been damaged since
    (its log says by what); otherwise a new folder is made.
    """
    home = out / slug(name)
    for folder, manifest in _runs_of(home, plan):
        if manifest.get("status") != "complete":
            return folder, True
        if damages := damaged(folder, manifest, but=REPORT):
            log(folder, "\n".join(damages))
            return folder, True
        break
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


def finished_runs(out: Path, name: str, plan: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the folder and the manifest of each run of the plan with hash *plan* that did not fail
    in anything, the newest first. Whether a file of it was damaged since is not looked at.
    """
    for folder, manifest in _runs_of(out / slug(name), plan):
        if manifest.get("status") == "complete":
            yield folder, manifest


def _runs_of(home: Path, plan: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield each run in *home* of the plan with hash *plan*, the newest first, and its manifest; an
    empty one where that is not there or damaged.
    """
    for folder in sorted(home.glob(f"*-{plan[:8]}"), reverse=True):
        manifest = _manifest_or_nothing(folder)
        if not folder.is_symlink() and manifest.get("plan", plan) == plan:
            yield folder, manifest


def _latest(home: Path) -> str:
    """Return the folder that `latest` names in *home*; raises `StoreError` when it is not there, or
    not as it was written: a name, and below it the SHA-256 of that. Before, it was a name alone.
    """
    path = home / "latest"
    name, _, seal = read_file(path).decode("utf-8", "replace").strip().partition("\n")
    if not _RUN.fullmatch(name) or seal not in ("", sha256(name.encode())):
        cure = f"name a run in {home}, or run again what it should name"
        raise StoreError(f"{path} is damaged: it does not name a run; {cure}", 3)
    return name


def _manifest_or_nothing(folder: Path) -> dict[str, Any]:
    try:
        return read_manifest(folder)
    except StoreError:
        return {}


def log(run: Path, text: str) -> None:
    """Add *text* to the run's log, with the time."""
    append(run / LOG, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}\n".encode())


def write_manifest(run: Path, manifest: Mapping[str, Any]) -> None:
    """Write *manifest* with a seal: the SHA-256 of itself without the seal."""
    bare = {key: value for key, value in manifest.items() if key != "seal"}
    write_file(run / MANIFEST, to_json(bare | {"seal": sha256(to_json(bare))}))


def read_manifest(run: Path) -> dict[str, Any]:
    """Return the manifest of *run*; raises `StoreError` when it is missing or does not match its
    own seal.
    """
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
    """Return the SHA-256 of every file of *run* that a manifest vouches for, by path within the
    run.
    """
    names = (
        path.relative_to(run)
        for path in sorted(run.rglob("*"))
        if path.is_file() or path.is_symlink()
    )
    kept = (
        name
        for name in names
        if name.as_posix() not in UNHASHED
        and not any(".corrupt" in part or part.startswith(".") for part in name.parts)
    )
    return {name.as_posix(): sha256(read_file(run / name)) for name in kept}


def log_seal(run: Path) -> dict[str, Any]:
    """Return how many bytes the log of *run* has, and the SHA-256 of them."""
    data = read_file(run / LOG)
    return {"bytes": len(data), "sha256": sha256(data)}


def _log_damages(run: Path, seal: Mapping[str, Any]) -> list[str]:
    """Return a sentence when the beginning of the log of *run* is not as it was when sealed."""
    try:
        data = read_file(run / LOG)
    except StoreError as damage:
        return [str(damage)]
    if sha256(data[: seal["bytes"]]) == seal["sha256"]:
        return []
    return [f"{run / LOG} is damaged: its first {seal['bytes']} bytes are not as they were written"]


def vouch(run: Path, paths: Iterable[Path]) -> None:
    """Enter the SHA-256 of *paths*, newly written files of *run*, in its manifest; the other
    entries stay as they are.
    """
    manifest = read_manifest(run)
    manifest["files"] |= {
        path.relative_to(run).as_posix(): sha256(read_file(path)) for path in paths
    }
    write_manifest(run, manifest)


def publish(run: Path) -> None:
    """Name *run* in its `latest` file, unless that does so already."""
    path, text = run.parent / "latest", f"{run.name}\n{sha256(run.name.encode())}\n".encode()
    with suppress(StoreError):
        if read_file(path) == text:
            return
    write_file(path, text)


def find_run(text: str, out: Path) -> Path:
    """Return the run folder meant by *text*; raises `StoreError`.

    It may be a run folder, a folder of runs (its latest), the name of a scenario under *out*, or
    the file or shipped name that was run to *out* (its newest).
    """
    for folder in (Path(text), out / text):
        if (folder / MANIFEST).exists():
            return folder
        if (folder / "latest").exists():
            run = folder / _latest(folder)
            if (run / MANIFEST).exists():
                return run
    for folder in sorted(out.glob("*/*"), key=lambda path: path.name, reverse=True):
        if _RUN.fullmatch(folder.name) and _asked_for(folder) == text:
            return folder
    raise StoreError(
        f"no results at {text}: neither a run folder, nor the name of one in {out}, nor a file that"
        f" was run to {out}",
        3,
    )


def _asked_for(run: Path) -> str | None:
    """Return the file or name that was given to `sim run` when *run* was made; None when it did not
    finish.
    """
    manifest = _manifest_or_nothing(run)
    return (
        manifest.get("scenario", {}).get("file")
        if manifest.get("status") in ("complete", "failed")
        else None
    )


# what is made of the rest of a run, and can be made again
REPORT: Final = frozenset({"report.html", "figures"})


def damaged(run: Path, manifest: Mapping[str, Any], *, but: Set[str] = frozenset()) -> list[str]:
    """Return a sentence for every file that the *manifest* of *run* vouches for and that is missing
    or altered, those in *but* left out.
    """
    findings = []
    for name, want in manifest["files"].items():
        if name.partition("/")[0] in but:
            continue
        try:
            have = sha256(read_file(run / name))
        except StoreError as damage:
            findings.append(str(damage))
            continue
        if have != want:
            findings.append(
                f"{run / name} is damaged: SHA-256 {have[:12]}…, written as {want[:12]}…"
            )
    if "log" in manifest:
        findings += _log_damages(run, manifest["log"])
    return findings


def verify(run: Path, *, but: Set[str] = frozenset()) -> list[str]:
    """Return a sentence for every file of *run* that is missing, altered, unexpected or not plain;
    none when all is as it was written.

    Files and folders of *run* named in *but* are not looked at, nor are temporary files, which are
    no results.
    """
    try:
        manifest = read_manifest(run)
    except StoreError as damage:
        return [str(damage)]
    findings = (
        [f"{run}: the run did not finish ({manifest['status']})"]
        if manifest["status"] in ("running", "interrupted")
        else []
    )
    findings += damaged(run, manifest, but=but)
    known = manifest["files"].keys() | UNHASHED
    for path in sorted(run.rglob("*")):
        name = path.relative_to(run)
        if (path.is_symlink() or path.is_file()) and not (
            name.as_posix() in known or name.parts[0] in but or any(map(_is_no_result, name.parts))
        ):
            findings.append(f"{path} is not in the manifest")
    return findings


def _is_no_result(part: str) -> bool:
    """Whether a file or folder called *part* was set aside as damaged, or is temporary."""
    return ".corrupt" in part or is_temporary(Path(part))
