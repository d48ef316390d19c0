"""A library's own ggml, asked for single operations: what its functions make of given numbers."""

from __future__ import annotations

import ctypes
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

F32, F16, Q4_1, Q8_0 = 0, 1, 3, 8
TYPES = {0: "f32", 1: "f16", 2: "q4_0", 3: "q4_1", 6: "q5_0", 7: "q5_1", 8: "q8_0", 10: "q2_k", 11: "q3_k", 12: "q4_k",
         13: "q5_k", 14: "q6_k", 20: "iq4_nl", 23: "iq4_xs", 30: "bf16"}  # fmt: skip
"""ggml's numbers of its types, and the names of those that models are made of (ggml.h)."""
_PLAIN = {np.dtype("<f4"): F32, np.dtype("<f2"): F16}
_POINTER, _INT64, _FLOAT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_float
Tensor = int  # where ggml keeps it


class _InitParams(ctypes.Structure):
    _fields_ = (("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool))


class Ggml:
    """The ggml inside a shared library that is loaded already. Use as a context manager.

    Args:
        library: the path of the shared library, or of one that depends on it.
        memory_bytes: for all tensors and results together.
        threads: that compute.

    Raises:
        AttributeError: the library exports no such function.
    """

    def __init__(self, library: str, memory_bytes: int = 2**24, threads: int = 1) -> None:
        self._library = ctypes.CDLL(library)
        self._threads = threads
        self._context = self.call("ggml_init", _InitParams(memory_bytes, None, False))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.call("ggml_free", _POINTER(self._context))

    def has(self, name: str) -> bool:
        """Whether the library has a function of this name itself."""
        return hasattr(self._library, name)

    def call(self, name: str, *arguments: Any) -> Tensor:
        """One of its functions, of ctypes' values; what it returns as a place in memory."""
        function = getattr(self._library, name)
        function.restype, function.argtypes = _POINTER, [type(argument) for argument in arguments]
        return function(*arguments) or 0

    def of_context(self, name: str, *operands: Tensor | None, also: tuple[Any, ...] = ()) -> Tensor:
        """An operation on tensors, to be computed later; `also` has what it takes behind them."""
        return self.call(name, _POINTER(self._context), *(_POINTER(operand) for operand in operands), *also)

    def tensor(self, numbers: NDArray[Any]) -> Tensor:
        """Of float32 or float16 numbers of up to three dimensions; ggml names the fastest first."""
        made = self._new(_PLAIN[numbers.dtype], numbers.shape)
        ctypes.memmove(self._data(made), np.ascontiguousarray(numbers).ctypes.data, numbers.nbytes)
        return made

    def quantised(self, numbers: NDArray[np.float32], kind: int) -> Tensor:
        """The same of float32 numbers, shape (rows, columns), stored as one of ggml's types by ggml itself."""
        made = self._new(kind, numbers.shape)
        rows, columns = numbers.shape
        source = np.ascontiguousarray(numbers)
        sizes = (_INT64(0), _INT64(rows), _INT64(columns))
        places = (_POINTER(source.ctypes.data), _POINTER(self._data(made)))
        self.call("ggml_quantize_chunk", ctypes.c_int(kind), *places, *sizes, _POINTER(None))
        return made

    def computed(self, result: Tensor, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Run what leads to a float32 result, and its numbers."""
        graph = self.of_context("ggml_new_graph")
        self.call("ggml_build_forward_expand", _POINTER(graph), _POINTER(result))
        self.of_context("ggml_graph_compute_with_ctx", graph, also=(ctypes.c_int(self._threads),))
        data = ctypes.cast(self._data(result), ctypes.POINTER(_FLOAT))
        return np.ctypeslib.as_array(data, shape).copy()

    def product(self, weights: Tensor, activations: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
        """Of a matrix of `rows` rows and activations (n, columns): shape (n, rows)."""
        result = self.of_context("ggml_mul_mat", weights, self.tensor(activations))
        return self.computed(result, (len(activations), rows))

    def attention(
        self, queries: NDArray[np.float32], keys: NDArray[np.float16], values: NDArray[np.float16],
        mask: NDArray[np.float16] | None = None,
    ) -> NDArray[np.float32]:  # fmt: skip
        """Flash attention of heads, each of shape (heads, rows, size): shape (heads, queries, size)."""
        heads, rows, size = queries.shape
        parts = [self.tensor(one) for one in (queries, keys, values)]
        scale = (_FLOAT(size**-0.5), _FLOAT(0), _FLOAT(0))
        masked = None if mask is None else self.tensor(mask)
        result = self.of_context("ggml_flash_attn_ext", *parts, masked, also=scale)
        return self.computed(result, (rows, heads, size)).transpose(1, 0, 2)

    def gelu(self, numbers: NDArray[np.float32]) -> NDArray[np.float32]:
        """The activation of each number, by its tangent."""
        return self.computed(self.of_context("ggml_gelu", self.tensor(numbers)), numbers.shape)

    def _new(self, kind: int, shape: tuple[int, ...]) -> Tensor:
        sizes = (*reversed(shape), 1, 1, 1)[:3]
        return self.of_context("ggml_new_tensor_3d", also=(ctypes.c_int(kind), *(_INT64(size) for size in sizes)))

    def _data(self, tensor: Tensor) -> int:
        return self.call("ggml_get_data", _POINTER(tensor))
