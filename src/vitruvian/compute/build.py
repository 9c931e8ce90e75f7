"""Machine code of kernels, made by numba: the only module that needs it.

numba compiles the function itself. An entry is added that takes the arguments from slots
(``vitruvian.compute.signature``), so that neither numba nor Python is needed to call it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vitruvian.compute.engine import ENTRY, target_machine


class UnfitError(Exception):
    """The code needs numba around it to run."""


def dispatcher(function: Callable[..., Any], fastmath: Any, **more: bool) -> Any:
    """What numba knows a kernel as; ``more`` options are numba's."""
    import numba

    njit: Any = numba.njit  # its types leave out some of its options
    return njit(
        nogil=True,
        error_model="numpy",  # no exception to compile for every division
        no_cfunc_wrapper=True,  # called from Python alone
        fastmath=fastmath,
        **more,
    )(function)


def machine_code(
    function: Callable[..., Any], signature: str, fastmath: Any
) -> tuple[bytes, bytes]:
    """Compile a function to object code, and an entry to it.

    Args:
        function: what numba can compile; functions it calls are numba's dispatchers.
        signature: numba's types.
        fastmath: as of :func:`vitruvian.compute.kernel`.

    Raises:
        UnfitError: it cannot run without numba.
    """
    from numba.core import sigutils

    made = dispatcher(function, fastmath, no_cpython_wrapper=True)
    made.compile(signature)
    types, _ = sigutils.normalize_signature(signature)
    compiled = made.overloads[types]
    library = compiled.library
    if library.has_dynamic_globals or compiled.environment.consts or compiled.lifted:
        raise UnfitError("it holds addresses of this process")
    code = library.serialize_using_object_code()[2][0]
    module = _entry_module(compiled, with_memory=b"NRT_MemInfo_" in code)
    return code, target_machine().emit_object(module)


def _entry_module(compiled: Any, with_memory: bool) -> Any:
    """``int32 entry(slots, results)``: not 0 where the function failed."""
    from llvmlite import binding, ir

    context, description = compiled.target_context, compiled.fndesc
    module = context.create_module(ENTRY)
    if with_memory:
        _add_memory(module)
    callee = ir.Function(
        module,
        context.call_conv.get_function_type(description.restype, description.argtypes),
        description.llvm_func_name,
    )
    slot = ir.IntType(64)
    entry = ir.Function(module, ir.FunctionType(ir.IntType(32), [slot.as_pointer()] * 2), ENTRY)
    builder = ir.IRBuilder(entry.append_basic_block())
    slots = _Slots(builder, entry.args[0])
    arguments = [_argument(context, builder, slots, kind) for kind in description.argtypes]
    status, result = context.call_conv.call_function(
        builder, callee, description.restype, description.argtypes, arguments
    )
    with builder.if_then(status.is_ok):
        _store(builder, entry.args[1], result, description.restype)
    builder.ret(builder.zext(status.is_error, ir.IntType(32)))
    parsed = binding.parse_assembly(str(module))
    parsed.verify()
    return parsed


class _Slots:
    """Reads slots, one after the other."""

    def __init__(self, builder: Any, place: Any) -> None:
        self._builder, self._place, self._at = builder, place, 0

    def next(self) -> Any:
        """The next slot, as an integer of 64 bits."""
        from llvmlite import ir

        place = self._builder.gep(self._place, [ir.Constant(ir.IntType(64), self._at)])
        self._at += 1
        return self._builder.load(place)


def _argument(context: Any, builder: Any, slots: _Slots, kind: Any) -> Any:
    """The value that numba's function takes, from its slots."""
    from llvmlite import ir
    from numba.core import types
    from numba.np import arrayobj

    if isinstance(kind, types.Array):
        item = context.get_data_type(kind.dtype)
        size = context.get_abi_sizeof(item)
        data = builder.inttoptr(slots.next(), item.as_pointer())
        shape = [slots.next() for _ in range(kind.ndim)]
        if kind.layout == "C":
            strides = [ir.Constant(ir.IntType(64), size)]
            for length in reversed(shape[1:]):
                strides.insert(0, builder.mul(strides[0], length))
        else:
            strides = [slots.next() for _ in range(kind.ndim)]
        array = arrayobj.make_array(kind)(context, builder)
        arrayobj.populate_array(array, data, shape, strides, size, meminfo=None)
        return array._getvalue()
    value = slots.next()
    wanted = context.get_value_type(kind)
    if isinstance(kind, types.Boolean):
        return builder.icmp_unsigned("!=", value, ir.Constant(value.type, 0))
    if isinstance(kind, types.Integer):
        return value if wanted == value.type else builder.trunc(value, wanted)
    if isinstance(kind, types.Float):
        number = builder.bitcast(value, ir.DoubleType())
        return number if wanted == number.type else builder.fptrunc(number, wanted)
    raise UnfitError(f"it takes {kind}")


def _store(builder: Any, place: Any, result: Any, kind: Any) -> None:
    """Put the results into their slots."""
    from llvmlite import ir
    from numba.core import types as numbas

    types: Any = numbas

    if isinstance(kind, types.NoneType):
        return
    kinds, values = [kind], [result]
    if isinstance(kind, types.BaseTuple):
        kinds = list(kind.types)
        values = [builder.extract_value(result, at) for at in range(len(kinds))]
    for at, (one, value) in enumerate(zip(kinds, values, strict=True)):
        slot = ir.IntType(64)
        if isinstance(one, types.Float):
            if value.type != ir.DoubleType():
                value = builder.fpext(value, ir.DoubleType())
            value = builder.bitcast(value, slot)
        elif isinstance(one, types.Integer | types.Boolean):
            if value.type != slot:
                signed = isinstance(one, types.Integer) and one.signed
                value = (builder.sext if signed else builder.zext)(value, slot)
        else:
            raise UnfitError(f"it returns {one}")
        builder.store(value, builder.gep(place, [ir.Constant(slot, at)]))


def _add_memory(module: Any) -> None:
    """What numba's arrays need of its runtime: memory behind a header, and its end.

    The header counts the references and knows the data; code that numba made reads and counts.
    """
    from llvmlite import ir
    from numba.core.runtime import nrtdynmod

    word, number, pointer = ir.IntType(64), ir.IntType(32), ir.IntType(8).as_pointer()
    header = nrtdynmod._meminfo_struct_type
    if [str(one) for one in header.elements] != [str(word), *[str(pointer)] * 3, str(word)]:
        raise UnfitError("numba's arrays look another way")
    room = 64  # for the header, with what lies behind it on the C side

    malloc = ir.Function(module, ir.FunctionType(pointer, [word]), "malloc")
    free = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer]), "free")

    make = ir.Function(
        module, ir.FunctionType(pointer, [word, number]), "NRT_MemInfo_alloc_aligned"
    )
    builder = ir.IRBuilder(make.append_basic_block())
    size, align = make.args[0], builder.zext(make.args[1], word)
    made = builder.call(malloc, [builder.add(builder.add(size, align), word(room))])
    with builder.if_then(builder.icmp_unsigned("==", made, ir.Constant(pointer, None))):
        builder.ret(made)
    end = builder.add(builder.ptrtoint(made, word), builder.add(align, word(room - 1)))
    data = builder.sub(end, builder.urem(end, align))
    fields = [word(1), pointer(None), pointer(None), builder.inttoptr(data, pointer), size]
    place = builder.bitcast(made, header.as_pointer())
    for at, value in enumerate(fields):
        builder.store(value, builder.gep(place, [number(0), number(at)]))
    builder.ret(made)

    end_ = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer]), "NRT_MemInfo_call_dtor")
    builder = ir.IRBuilder(end_.append_basic_block())
    builder.call(free, [end_.args[0]])
    builder.ret_void()
