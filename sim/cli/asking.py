"""Commands about the program itself: list, schema, doctor."""

from __future__ import annotations

import click

from sim.cli.options import Output, takes_output
from sim.cli.words import columns, say, say_json


@click.command(name="list")
@takes_output
def list_(asked: Output) -> None:
    """List the shipped files and the question each answers."""
    from sim.scenario.compose import composed, shipped

    questions = {}
    for name, path in shipped().items():
        tree, _ = composed(path)
        node = tree.value.get("question") if isinstance(tree.value, dict) else None
        questions[name] = str(node.value) if node is not None and node.value != "none" else ""
    if asked.as_json:
        say_json(questions)
    else:
        say(
            columns(
                [
                    ("name", "question"),
                    *(
                        (name, question or "(a building block)")
                        for name, question in questions.items()
                    ),
                ]
            )
        )


@click.command()
@click.option(
    "--format", "form", type=click.Choice(["md", "json"]), default="md", show_default=True
)
def schema(form: str) -> None:
    """Print the schema of scenarios and experiments, for people (md) or editors (json)."""
    from sim.scenario.document import schema_document

    say(schema_document(form).rstrip("\n"))


@click.command()
@takes_output
def doctor(asked: Output) -> None:
    """Say what this machine has: versions, processors, memory, disk, compiled kernels, pages."""
    from sim.experiment.costs import free_disk
    from sim.machine import free_memory
    from sim.scenario.compose import pages_folder
    from sim.store import provenance

    about = provenance()
    memory = free_memory()
    facts = {
        "python": about["python"],
        "platform": about["platform"],
        "processors": about["cpus"],
        "memory_free": "unknown" if memory is None else f"{memory / 1e9:.1f} GB",
        "disk_free": f"{free_disk(asked.out) / 1e9:.1f} GB for {asked.out}",
        "kernel_cache": _kernel_cache(),
        "pages": pages_folder(),
        "git_commit": about["git_commit"] or "none",
        **about["packages"],
    }
    if asked.as_json:
        say_json(facts)
    else:
        say(columns([("what", "here"), *((name, str(fact)) for name, fact in facts.items())]))


def _kernel_cache() -> str:
    """Return where compiled kernels are kept, and whether all that are there are whole."""
    from sim.kernels.compiled import kept, kept_in

    folder = kept_in()
    if folder is None:
        cure = "name a folder in NUMBA_CACHE_DIR"
        return f"nowhere can be written: kernels are compiled anew in each process; {cure}"
    whole = kept(folder)
    told = f"{folder}: {len(whole)} kernels"
    if damaged := whole.count(False):
        return f"{told}, {damaged} of them damaged: those are compiled anew"
    return f"{told}, all whole"
