"""A Kokoro model's graph with voiceperf's own operators in it: fewer nodes, each with more of the work.

What an operator computes is described where it is written, in `native/speech_kernels.cpp`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from voiceperf.engines.compiled import Compiled

OPERATORS = Compiled("vnni_kernels", "speech_kernels.cpp", ("avx512f", "avx512bw", "avx512vl", "avx512_vnni"))

_DOMAIN = "voiceperf"
_TIME_AXIS = 2


class _OtherwiseBuiltError(Exception):
    """These nodes are not what an operator of ours stands for."""


class _Graph:
    """Who makes each tensor and who uses it, and the nodes that replace others."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.nodes = list(graph.node)
        self.constants = {tensor.name: tensor for tensor in graph.initializer}
        self.maker = {name: node for node in graph.node for name in node.output}
        self.users: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        for node in graph.node:
            for name in node.input:
                self.users[name].append(node)
        self.ours: dict[str, onnx.NodeProto] = {}  # by the tensor that it makes

    def made_by(self, name: str, kind: str) -> onnx.NodeProto:
        """The node of that kind that makes a tensor."""
        return _wanted(self.maker.get(name), kind)

    def used_by(self, name: str, kind: str) -> onnx.NodeProto:
        """The node of that kind that alone uses a tensor."""
        users = self.users[name]
        return _wanted(users[0] if len(users) == 1 else None, kind)

    def chain(self, name: str, *kinds: str) -> list[onnx.NodeProto]:
        """The nodes that one after the other make a tensor, from the last one back, through their first inputs."""
        found: list[onnx.NodeProto] = []
        for kind in kinds:
            found.append(self.made_by(found[-1].input[0] if found else name, kind))
        return found

    def value(self, name: str) -> np.ndarray:
        """A constant tensor."""
        if name not in self.constants:
            raise _OtherwiseBuiltError
        return numpy_helper.to_array(self.constants[name])

    def replace(self, output: str, operator: str, inputs: list[str], **attributes: Any) -> None:
        """Let an operator of ours make a tensor."""
        name = f"{operator}/{output}"
        self.ours[output] = helper.make_node(operator, inputs, [output], name, domain=_DOMAIN, **attributes)

    def needed(self, outputs: list[str]) -> Iterator[onnx.NodeProto]:
        """The nodes that outputs depend on, each after those it depends on."""
        maker, seen = self.maker | self.ours, set[str]()
        stack = [(name, False) for name in reversed(outputs)]
        while stack:
            name, inputs_done = stack.pop()
            node = maker.get(name)
            if inputs_done and node:
                yield node
            elif node and node.output[0] not in seen:
                seen.add(node.output[0])
                stack.append((node.output[0], True))
                stack += [(needed, False) for needed in node.input]


def _wanted(node: onnx.NodeProto | None, kind: str) -> onnx.NodeProto:
    if node is None or node.op_type != kind:
        raise _OtherwiseBuiltError
    return node


def _other_input(node: onnx.NodeProto, name: str) -> str:
    return str(next(given for given in node.input if given != name))


def put_operators(path: Path, target: Path) -> int:
    """Write a model with our operators wherever they fit; how many of them there are now."""
    model = onnx.load(path)
    graph = _Graph(model.graph)
    for node in graph.nodes:
        if node.op_type in _REPLACED:
            try:
                _REPLACED[node.op_type](graph, node)
            except _OtherwiseBuiltError:
                continue
    nodes = list(graph.needed([output.name for output in model.graph.output]))
    used = {name for node in nodes for name in node.input}
    constants = [tensor for name, tensor in graph.constants.items() if name in used]
    for field, kept in ((model.graph.node, nodes), (model.graph.initializer, constants), (model.graph.value_info, [])):
        del field[:]
        field.extend(kept)
    model.opset_import.append(helper.make_opsetid(_DOMAIN, 1))
    onnx.save(model, target)
    return sum(node.domain == _DOMAIN for node in nodes)


def _convolution(graph: _Graph, node: onnx.NodeProto) -> None:
    """Quantise, multiply integers, add the bias, scale."""
    x, weights, _, weights_zero = node.input
    quantise = graph.made_by(x, "DynamicQuantizeLinear")
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    (dilation,), (rows, _, taps) = attributes["dilations"], graph.value(weights).shape
    keeps_length = attributes["pads"] == [dilation * (taps - 1) // 2] * 2 and attributes["strides"] == [1]
    if not keeps_length or taps % 2 == 0 or attributes["group"] != 1:
        raise _OtherwiseBuiltError
    last = node
    bias = f"{node.name}/no_bias"
    if graph.users[node.output[0]][0].op_type == "Add":
        last = graph.used_by(node.output[0], "Add")
        *_, divide = graph.chain(_other_input(last, node.output[0]), "Reshape", "Cast", "Floor", "Div")
        bias = divide.input[0]
    else:
        graph.constants[bias] = numpy_helper.from_array(np.zeros(rows, np.float32), bias)
    cast = graph.used_by(last.output[0], "Cast")
    scaled = graph.used_by(cast.output[0], "Mul")
    scales = graph.made_by(_other_input(scaled, cast.output[0]), "Mul")
    weights_scale = _other_input(scales, quantise.output[1])
    if graph.value(weights_scale).size != 1 or graph.value(weights_zero).size != 1:
        raise _OtherwiseBuiltError
    inputs = [quantise.input[0], weights, weights_zero, weights_scale, bias]
    graph.replace(scaled.output[0], "QuantisedConv", inputs, dilations=[dilation])


def _norm(graph: _Graph, node: onnx.NodeProto) -> None:
    """(x - mean) / sqrt(mean of squares + epsilon), along the time."""
    _, variance, mean_square, square = graph.chain(node.input[1], "Sqrt", "Add", "ReduceMean", "Mul")
    centred = graph.made_by(node.input[0], "Sub")
    mean = graph.made_by(centred.input[1], "ReduceMean")
    if list(square.input) != [centred.output[0]] * 2 or mean.input[0] != centred.input[0]:
        raise _OtherwiseBuiltError
    if any(list(graph.value(reduced.input[1])) != [_TIME_AXIS] for reduced in (mean, mean_square)):
        raise _OtherwiseBuiltError
    graph.replace(node.output[0], "InstanceNorm", [centred.input[0], variance.input[1]])


def _snake(graph: _Graph, node: onnx.NodeProto) -> None:
    """Y = x * factor + shift, then y + inverse * sin(alpha * y)^2."""
    times_alpha = graph.made_by(node.input[0], "Mul")
    squared = graph.used_by(node.output[0], "Pow")
    weighted = graph.used_by(squared.output[0], "Mul")
    total = graph.used_by(weighted.output[0], "Add")
    y = _other_input(total, weighted.output[0])
    shifted = graph.made_by(y, "Add")
    stretched = graph.made_by(shifted.input[0], "Mul")
    if len(graph.users[y]) != 2 or y not in times_alpha.input or graph.value(squared.input[1]) != 2:
        raise _OtherwiseBuiltError
    x = next((name for name in stretched.input if name in graph.ours), None)
    if x is None:
        raise _OtherwiseBuiltError
    factor, alpha = _other_input(stretched, x), _other_input(times_alpha, y)
    inverse = _other_input(weighted, squared.output[0])
    graph.replace(total.output[0], "Snake", [x, factor, shifted.input[1], alpha, inverse])


# what to look for beside a node of each kind
_REPLACED: dict[str, Callable[[_Graph, onnx.NodeProto], None]] = {
    "ConvInteger": _convolution,
    "Div": _norm,
    "Sin": _snake,
}
