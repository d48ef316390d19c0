"""A quantised Kokoro model's graph in floating point: for GPUs, which have no operators for its integers.

Weights keep the values that they were rounded to; activations are no longer rounded at all.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_ONE = "voiceperf/one"  # stands for the scale of an activation that is not quantised
_LSTM = "DynamicQuantizeLSTM"
_IN_FLOATS = {"MatMulInteger": "MatMul", "ConvInteger": "Conv"}


def in_floating_point(path: Path) -> bytes | None:
    """The model of an ONNX file with every product of integers as one of floats; None where it has none.

    DynamicQuantizeLinear makes of `x` integers, their scale and their zero. A product of integers follows, and its
    result is multiplied with that scale and the weights' own. Here the integers are `x` itself and the scale is 1.
    """
    model = onnx.load(path)
    if not any(node.op_type in (*_IN_FLOATS, _LSTM) for node in model.graph.node):
        return None
    graph = _Graph(model.graph)
    nodes = [node for node in model.graph.node if not graph.changed(node)]
    for node in nodes:
        node.input[:] = [graph.renamed.get(name, name) for name in node.input]
    used = {name for node in nodes for name in node.input}
    constants = [tensor for tensor in graph.constants.values() if tensor.name in used]
    for field, kept in ((model.graph.node, nodes), (model.graph.initializer, constants), (model.graph.value_info, [])):
        del field[:]
        field.extend(kept)
    written: bytes = model.SerializeToString()
    return written


class _Graph:
    """Constants by name, who makes each tensor, and what a tensor is called instead."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.constants = {tensor.name: tensor for tensor in graph.initializer}
        self.constants[_ONE] = numpy_helper.from_array(np.array(1, np.float32), _ONE)
        self.maker = {name: node for node in graph.node for name in node.output}
        self.renamed: dict[str, str] = {}

    def changed(self, node: onnx.NodeProto) -> bool:
        """Whether the node is gone; what stays of another kind is changed in place."""
        if node.op_type == "DynamicQuantizeLinear":
            quantised, scale, _ = node.output
            self.renamed |= {quantised: node.input[0], scale: _ONE}
            return True
        if node.op_type in _IN_FLOATS:
            x, weights, *zeros = node.input
            is_convolution = node.op_type == "ConvInteger"  # has its rows first, a product has them last
            node.op_type = _IN_FLOATS[node.op_type]
            rows = (-1, 1, 1) if is_convolution else (-1,)
            node.input[:] = [x, self._floats(weights, rows, zeros[1] if len(zeros) > 1 else "")]
        elif node.op_type == _LSTM:
            self._lstm(node)
        elif node.op_type == "Cast" and self._is_bias(node):
            self.maker[node.input[0]].op_type = "Identity"
            node.CopyFrom(helper.make_node("Cast", node.input, node.output, node.name, to=TensorProto.FLOAT))
        return False

    def _value(self, name: str) -> np.ndarray:
        return numpy_helper.to_array(self.constants[name]).astype(np.float32)

    def _floats(self, weights: str, rows: tuple[int, ...], zero: str, scale: str = "", *, turned: bool = False) -> str:
        """The name of a constant with these weights less their zero, and times their scale; nodes may share it.

        Zero and scale may be one for each row; `rows` is their shape then.
        """
        name = f"{weights}/in_floats"
        if name not in self.constants:
            zeros, scales = (self._value(one) if one else np.float32(given) for one, given in ((zero, 0), (scale, 1)))
            found = (self._value(weights) - zeros.reshape(rows)) * scales.reshape(rows)
            turn = np.ascontiguousarray(found.transpose(0, 2, 1)) if turned else found
            self.constants[name] = numpy_helper.from_array(turn, name)
        return name

    def _lstm(self, node: onnx.NodeProto) -> None:
        """Quantised weights have shape (directions, inputs, gates), ONNX's own (directions, gates, inputs)."""
        x, weights, recurrence, *others, scale, zero, recurrence_scale, recurrence_zero = node.input
        by_direction = (self._value(weights).shape[0], 1, -1)
        given = self._floats(weights, by_direction, zero, scale, turned=True)
        recurring = self._floats(recurrence, by_direction, recurrence_zero, recurrence_scale, turned=True)
        node.op_type, node.domain = "LSTM", ""
        node.input[:] = [x, given, recurring, *others]

    def _is_bias(self, cast: onnx.NodeProto) -> bool:
        """Whether it makes a convolution's bias an integer: a cast of what was divided by the scales, rounded down."""
        floor = self.maker.get(cast.input[0])
        divided = self.maker.get(floor.input[0]) if floor is not None and floor.op_type == "Floor" else None
        (to,) = [attribute.i for attribute in cast.attribute if attribute.name == "to"]
        return divided is not None and divided.op_type == "Div" and to == TensorProto.INT32
