"""Results on disk: written whole or not at all, found again by what they are, and believed only
when every hash agrees.

    results/<name>/latest                       the folder of the run last asked for, and a SHA-256
    results/<name>/<UTC time>-<8 hex>/          one run of one plan; the hex is of the plan, so the
    same command finds an unfinished run
        manifest.json  resolved.yaml  run.log  summary.csv  differences.csv  report.html  figures/
        tables/*.parquet
        cells/<cell>-<replication>-<12 hex>/    one replication: its tables as Parquet, and
        cell.json with the key and the SHA-256 of each

A replication is done when its folder is there and each byte of it matches. Folders and files appear
under their names by one rename. There is no lock: two runners of one plan write the same bytes.
Parquet alone does not notice most flipped bits, hence the hashes.
"""

from sim.store.cells import (
    Address,
    adopt,
    cell_key,
    finished,
    made_by,
    plan_hash,
    read_cell,
    read_parquet,
    same,
    source_hash,
    write_cell,
)
from sim.store.files import (
    StoreError,
    born,
    clean,
    read_file,
    remove,
    sha256,
    slug,
    temporary_name,
    to_json,
    write_file,
    writer,
)
from sim.store.merged import MergedTables
from sim.store.provenance import provenance
from sim.store.runs import (
    REPORT,
    damaged,
    find_run,
    finished_runs,
    hashes,
    log,
    log_seal,
    publish,
    read_manifest,
    start_run,
    verify,
    vouch,
    write_manifest,
)

__all__ = [
    "REPORT", "Address", "MergedTables", "StoreError", "adopt", "born", "cell_key", "clean",
    "damaged", "find_run", "finished", "finished_runs", "hashes", "log", "log_seal",
    "made_by", "plan_hash", "provenance", "publish", "read_cell", "read_file",
    "read_manifest", "read_parquet", "remove", "same", "sha256", "slug", "source_hash", "start_run",
    "temporary_name", "to_json", "verify", "vouch", "write_cell", "write_file",
    "write_manifest", "writer",
]  # fmt: skip
