"""Asking memory for what will be looked at soon: the one thing that Numba has no word for
(`llvm.prefetch`).

Kernels that visit few of many records wait for memory more than they compute. A hint ahead of the
visit lets many such waits pass at once. It changes no value.
"""

from __future__ import annotations

from typing import Any, Final

from numba.core import cgutils, types
from numba.extending import intrinsic

from sim.kernels.stepping import compiles

AHEAD: Final = 16  # records asked for before their turn
_READ, _SOON, _DATA = 0, 3, 1  # as LLVM numbers them


def _hint(_: Any, array: Any, index: Any) -> Any:
    """Hint that array[index] of a one-dimensional *array* is looked at soon; *index* is within it.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        there = cgutils.get_item_pointer(
            context,
            builder,
            kind,
            context.make_array(kind)(context, builder, arguments[0]),
            [arguments[1]],
        )
        address, number = builder.bitcast(there, cgutils.voidptr_t), cgutils.int32_t
        form = cgutils.ir.FunctionType(
            cgutils.ir.VoidType(), [address.type, number, number, number]
        )
        hint = builder.module.declare_intrinsic("llvm.prefetch", [address.type], form)
        builder.call(hint, [address, number(_READ), number(_SOON), number(_DATA)])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


def _no_hint(array: Any, index: Any) -> None:
    """Where nothing is compiled, nobody asks memory for anything."""


prefetch = intrinsic(_hint) if compiles() else _no_hint
