"""A quantised graph in floating point, on small graphs that ONNX Runtime itself quantises."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from voiceperf.engines.kokoro_float import in_floating_point

RNG = np.random.default_rng(0)


def constant(name, *shape):
    return numpy_helper.from_array(RNG.normal(0, 0.5, shape).astype(np.float32), name)


def written(path, nodes, constants, shape):
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        constants,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def convolution(path):
    weights = [constant("w", 6, 4, 3), constant("b", 6)]
    written(path, [helper.make_node("Conv", ["x", "w", "b"], ["y"], "conv", pads=[1, 1])], weights, [1, 4, 20])


def product(path):
    nodes = [helper.make_node("MatMul", ["x", "w"], ["z"], "one"), helper.make_node("MatMul", ["z", "v"], ["y"], "two")]
    written(path, nodes, [constant("w", 8, 16), constant("v", 16, 8)], [1, 5, 8])


def recurrence(path):
    weights = [constant("w", 2, 12, 4), constant("r", 2, 12, 3), constant("b", 2, 24)]
    node = helper.make_node("LSTM", ["x", "w", "r", "b"], ["y"], "lstm", hidden_size=3, direction="bidirectional")
    written(path, [node], weights, [7, 1, 4])


def run(model, x):
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize(("make", "shape"), [(convolution, (1, 4, 20)), (product, (1, 5, 8)), (recurrence, (7, 1, 4))])
def test_a_graph_in_floats_is_the_original_but_for_its_weights_rounding(tmp_path, make, shape, per_channel):
    """Nothing of it is computed in integers, whether its weights have one scale or one for each channel."""
    make(tmp_path / "floats.onnx")
    quantize_dynamic(
        tmp_path / "floats.onnx", tmp_path / "quantised.onnx", weight_type=QuantType.QInt8, per_channel=per_channel
    )
    x = RNG.normal(0, 1, shape).astype(np.float32)
    model = in_floating_point(tmp_path / "quantised.onnx")
    kinds = {node.op_type for node in onnx.load_from_string(model).graph.node}
    assert not {kind for kind in kinds if "Integer" in kind or "Quantize" in kind}
    np.testing.assert_allclose(run(model, x), run(str(tmp_path / "floats.onnx"), x), atol=0.1)


def test_a_convolution_has_a_zero_for_each_row(tmp_path):
    """Rows come first in its weights; as many taps as rows must not be taken for them."""
    weights = RNG.integers(-9, 9, (3, 4, 3)).astype(np.int8)
    zeros = np.array([-3, 0, 5], np.int8)
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["xq", "xs", "xz"]),
        helper.make_node("ConvInteger", ["xq", "w", "xz", "z"], ["c"], "conv", pads=[1, 1]),
        helper.make_node("Cast", ["c"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["f", "xs"], ["y"]),
    ]
    written(tmp_path / "rows.onnx", nodes, [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(zeros, "z")],
            [1, 4, 20])  # fmt: skip
    x = RNG.normal(0, 1, (1, 4, 20)).astype(np.float32)
    padded = np.pad(x[0], ((0, 0), (1, 1)))
    apart = np.stack([padded[:, at : at + 3] for at in range(20)])
    expected = np.einsum("trk,ork->ot", apart, weights - zeros[:, None, None].astype(float))
    np.testing.assert_allclose(run(in_floating_point(tmp_path / "rows.onnx"), x)[0], expected, atol=1e-3)


def test_a_graph_without_integers_is_none(tmp_path):
    """There is nothing to compute otherwise."""
    product(tmp_path / "floats.onnx")
    assert in_floating_point(tmp_path / "floats.onnx") is None
