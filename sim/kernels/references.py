"""The groups of arrays that the network's kernels share, as one reference each: functions pass
eight pointers instead of some eighty arrays.

It changes no result. There is less to compile, and nobody counts who uses an array
where none is made: the outermost kernel has them from its caller, who holds them until it returns
(docs/decisions/0017-references-that-count-nothing.md).
"""

from __future__ import annotations

import hashlib
from typing import Any

from numba.core import cgutils, types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    models,
    register_model,
)

from sim.kernels.stepping import compiles


class GroupReference(types.Type):  # type: ignore[misc]  # Numba has no types
    """Numba's type of a reference to a named tuple, *group*: the address of one that lies on the
    stack of the kernel that made the reference.
    """

    def __init__(self, group: Any) -> None:
        self.group = group
        # Functions are named after the types of their arguments: two groups of one name differ.
        types_held = str(group).encode()
        digest = hashlib.sha256(types_held).hexdigest()
        name = group.instance_class.__name__
        super().__init__(name=f"{name}Reference{digest[:8]}")


@register_model(GroupReference)
class _Address(models.PrimitiveModel):  # type: ignore[misc]
    """A reference is a pointer, and holds nothing that would have to be counted."""

    def __init__(self, manager: Any, kind: Any) -> None:
        group = manager[kind.group]
        address = group.get_value_type().as_pointer()
        super().__init__(manager, kind, address)


@infer_getattr
class _Fields(AttributeTemplate):  # type: ignore[misc]
    """What a group holds is what its reference has as attributes."""

    key = GroupReference

    def generic_resolve(self, kind: Any, name: str) -> Any:
        group = kind.group
        if name not in group.fields:
            return None
        return group.types[group.fields.index(name)]


@lower_getattr_generic(GroupReference)  # type: ignore[untyped-decorator]
def _field(context: Any, builder: Any, kind: Any, address: Any, name: str) -> Any:
    """Read field *name* of the group at *address*."""
    group = kind.group
    place = group.fields.index(name)
    there = cgutils.gep_inbounds(builder, address, 0, place)
    value = builder.load(there)
    if context.enable_nrt:
        context.nrt.incref(builder, group.types[place], value)
    return value


def _reference(_: Any, group: Any) -> Any:
    """Return a reference to named tuple *group*, good until the function that asks for it returns.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return cgutils.alloca_once_value(builder, arguments[0])

    return GroupReference(group)(group), generate


def _itself(group: Any) -> Any:
    """Where nothing is compiled the tuple itself will do."""
    return group


refer = intrinsic(_reference) if compiles() else _itself
