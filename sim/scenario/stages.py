"""The stages of a network by name: `network: {dsp: {…}}` changes one, a list replaces them all."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sim.scenario.tree import Node

NETWORK: Final = "network"
STAGES: Final = ("device", "hub", "cell", "csp", "dsp", "user")


def by_name(network: Node) -> Node:
    """Return the list of stages *network* as a mapping from stage to its entry; anything
    else, and a list whose stages do not each have a name of their own, as it is.
    """
    if not isinstance(network.value, list):
        return network
    stages: dict[str, Node] = {}
    for item in network.value:
        stage = item.value.get("stage") if isinstance(item.value, dict) else None
        if stage is None or not isinstance(stage.value, str) or stage.value in stages:
            return network
        stages[stage.value] = replace(item, key_at=(stage.line, stage.column))
    return replace(network, value=stages)


def listed(network: Node) -> Node:
    """Return the mapping of stages *network* as the list that a scenario holds: in the order of the
    way to the SMI, what is no stage last, without those that are null.
    """
    if not isinstance(network.value, dict):
        return network
    order = {name: number for number, name in enumerate(STAGES)}
    names = sorted(network.value, key=lambda name: order.get(name, len(order)))
    there = {
        name: network.value[name]
        for name in names
        if name not in order or network.value[name].value is not None
    }
    return replace(network, value=[_entry(name, child) for name, child in there.items()])


def _entry(name: str, stage: Node) -> Node:
    """Return the entry of a list for the *stage* called *name*."""
    line, column = stage.key_at or (stage.line, stage.column)
    called = Node(stage.file, line, column, name)
    if stage.value is None:  # no stage has that name, and so none is taken away
        return replace(stage, value={"stage": called}, key_at=None)
    if not isinstance(stage.value, dict):
        return stage
    return replace(stage, value={"stage": called, **stage.value}, key_at=None)


def canonical(path: str, tree: Node) -> str:
    """Return *path*, in which a stage may stand by its number in *tree*, with the stage's name."""
    first, _, rest = path.partition(".")
    number, _, below = rest.partition(".")
    network = tree.value.get(NETWORK) if isinstance(tree.value, dict) else None
    if first != NETWORK or not number.isdecimal() or network is None:
        return path
    names = by_name(network).value
    if not isinstance(names, dict) or int(number) >= len(names):
        return path
    return ".".join(filter(None, (NETWORK, list(names)[int(number)], below)))
