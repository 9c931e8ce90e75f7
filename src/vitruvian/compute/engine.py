"""From the bytes of machine code to a function, by llvmlite alone: numba takes ten times as long.

Every kernel is linked as a library of its own. What cannot be found at that moment is an error
there, never a crash later.
"""

from __future__ import annotations

import ctypes
import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

from vitruvian.compute.signature import Signature

ENTRY = "vitruvian_entry"

_Entry = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_char_p, ctypes.c_void_p)
_lock = threading.Lock()
_numbers = itertools.count()
_jit: Any = None


def target_machine() -> Any:
    """What llvmlite knows of this processor."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple().create_target_machine(jit=True)


def link(name: str, images: Sequence[bytes], signature: Signature) -> Callable[..., Any]:
    """A function of Python that runs machine code, without the interpreter's lock.

    Args:
        name: of the kernel, for errors.
        images: object code; one of them defines ``ENTRY``, as ``vitruvian.compute.build`` makes it.
        signature: what the function takes and returns.

    Raises:
        RuntimeError: the code cannot be linked in this process.
    """
    from llvmlite.binding import JITLibraryBuilder, create_lljit_compiler

    global _jit
    with _lock:
        if _jit is None:
            _jit = create_lljit_compiler(target_machine(), suppress_errors=True)
        library = JITLibraryBuilder().add_current_process().export_symbol(ENTRY)
        for image in images:
            library.add_object_img(image)
        linked = library.link(_jit, f"{name}-{next(_numbers)}")
    entry = _Entry(linked[ENTRY])
    pack, result = signature.pack, signature.result
    size, only = result.size, len(signature.results) == 1 and not signature.in_tuple

    def call(*arguments: Any) -> Any:
        try:
            slots = pack(arguments)
        except TypeError as error:
            raise TypeError(f"{name}: {error}") from None
        place = ctypes.create_string_buffer(size) if size else None
        if entry(slots, place):
            raise MemoryError(f"{name} had no memory for its arrays.")
        if place is None:
            return None
        values = result.unpack(place)
        return values[0] if only else values

    call.library = linked  # type: ignore[attr-defined]  # which the code goes with
    return call
