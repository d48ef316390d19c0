"""Our operators in a Kokoro model's graph: what they compute beside ONNX Runtime's own nodes, without a model."""

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from voiceperf.engines.kokoro_graph import OPERATORS, put_operators

CHANNELS, EPSILON = 12, 1e-5


@pytest.fixture(scope="module", autouse=True)
def operators():
    if reason := OPERATORS.unavailable():
        pytest.skip(reason)


def constants(**values):
    return [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]


def model(nodes, tensors, channels):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, channels, "time"])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "graph", [x], [y], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def convolution(weights, dilation=1, bias=True, stride=1, name="conv"):
    """The nodes that ONNX Runtime's quantisation makes of one convolution, from x to y, and their constants."""
    rows, _, taps = weights.shape
    pad = dilation * (taps - 1) // 2
    attributes = {"dilations": [dilation], "pads": [pad, pad], "strides": [stride], "group": 1}
    node = helper.make_node
    nodes = [
        node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"]),
        node("ConvInteger", ["q", "w", "zero", "w_zero"], ["sums"], name, **attributes),
        node("Mul", ["scale", "w_scale"], ["scales"]),
    ]
    if bias:
        nodes += [
            node("Div", ["bias", "scales"], ["b1"]),
            node("Floor", ["b1"], ["b2"]),
            node("Cast", ["b2"], ["b3"], to=TensorProto.INT32),
            node("Reshape", ["b3", "b_shape"], ["b4"]),
            node("Add", ["sums", "b4"], ["biased"]),
        ]
    nodes += [
        node("Cast", ["biased" if bias else "sums"], ["real"], to=TensorProto.FLOAT),
        node("Mul", ["real", "scales"], ["y"]),
    ]
    shift = np.linspace(-1, 1, rows, dtype=np.float32)
    known = {"w": weights, "w_zero": np.uint8(97), "w_scale": np.float32(0.013)}
    return nodes, constants(**known, **({"bias": shift, "b_shape": np.array([1, rows, 1])} if bias else {}))


def norm_and_snake(channels):
    """An instance norm, a factor and a shift, and the snake activation, from x to y."""
    node, rng = helper.make_node, np.random.default_rng(5)
    nodes = [
        node("ReduceMean", ["x", "axis"], ["mean"]),
        node("Sub", ["x", "mean"], ["centred"]),
        node("Mul", ["centred", "centred"], ["square"]),
        node("ReduceMean", ["square", "axis"], ["variance"]),
        node("Add", ["variance", "epsilon"], ["above"]),
        node("Sqrt", ["above"], ["deviation"]),
        node("Div", ["centred", "deviation"], ["normal"]),
        node("Mul", ["factor", "normal"], ["stretched"]),
        node("Add", ["stretched", "shift"], ["z"]),
        node("Mul", ["alpha", "z"], ["angle"]),
        node("Sin", ["angle"], ["sine"]),
        node("Pow", ["sine", "two"], ["power"]),
        node("Mul", ["inverse", "power"], ["bend"]),
        node("Add", ["z", "bend"], ["y"]),
    ]
    names = ("factor", "shift", "alpha", "inverse")
    columns = {name: rng.uniform(0.1, 9, (1, channels, 1)).astype(np.float32) for name in names}
    return nodes, constants(axis=np.array([2]), epsilon=np.float32(EPSILON), two=np.float32(2), **columns)


def defined(x, tensors):
    """The norm and the snake, as they are defined, in double precision."""
    known = {tensor.name: numpy_helper.to_array(tensor).astype(float) for tensor in tensors}
    centred = x.astype(float) - x.mean(axis=2, keepdims=True, dtype=float)
    normal = centred / np.sqrt((centred**2).mean(axis=2, keepdims=True) + known["epsilon"])
    z = known["factor"] * normal + known["shift"]
    return z + known["inverse"] * np.sin(known["alpha"] * z) ** 2


def outputs(made, x, folder, threads=2):
    """What a model gives as it is and with our operators, and how many of these are in it."""
    path, changed = folder / "model.onnx", folder / "changed.onnx"
    onnx.save(made, path)
    count = put_operators(path, changed)
    found = []
    for each in (path, changed):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.register_custom_ops_library(str(OPERATORS.path()))
        found.append(onnxruntime.InferenceSession(str(each), options).run(None, {"x": x})[0])
    return (*found, count)


@st.composite
def convolved(draw):
    """A signal, and a convolution of any shape that our operator takes."""
    channels, rows, times = draw(st.integers(1, 70)), draw(st.integers(1, 70)), draw(st.integers(1, 300))
    taps, dilation = draw(st.sampled_from([1, 3, 5, 11])), draw(st.sampled_from([1, 3, 5]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    weights = rng.integers(0, 256, (rows, channels, taps), dtype=np.uint8)
    x = (rng.normal(size=(1, channels, times)) + draw(st.floats(-3, 3))).astype(np.float32)
    return x, model(*convolution(weights, dilation, bias=draw(st.booleans())), channels)


@given(convolved())
@settings(max_examples=40, deadline=None)
def test_a_convolution_is_the_same_bit_for_bit(tmp_path_factory, convolved):
    """Whatever its shape, and wherever the signal lies, our convolution gives what the nodes it replaces give."""
    theirs, ours, count = outputs(convolved[1], convolved[0], tmp_path_factory.mktemp("conv"))
    assert count == 1
    np.testing.assert_array_equal(ours, theirs)


def test_silence_is_convolved_like_any_signal(tmp_path):
    """A signal of nothing but zeros, which has no range to quantise, gives the bias."""
    weights = np.random.default_rng(0).integers(0, 256, (9, CHANNELS, 3), dtype=np.uint8)
    theirs, ours, _ = outputs(model(*convolution(weights), CHANNELS), np.zeros((1, CHANNELS, 50), np.float32), tmp_path)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("times", [1, 15, 16, 1000, 27721])
@pytest.mark.parametrize("size", [1, 1e-3, 300])
def test_norm_and_snake_are_as_exact_as_onnx_runtime(tmp_path, times, size):
    """Of any length and loudness, they are no further from their definition than the nodes that they replace."""
    x = (np.random.default_rng(times).normal(size=(1, CHANNELS, times)) * size + 0.3).astype(np.float32)
    nodes, tensors = norm_and_snake(CHANNELS)
    theirs, ours, count = outputs(model(nodes, tensors, CHANNELS), x, tmp_path)
    assert count == 2
    exact = defined(x, tensors)
    assert np.abs(ours - exact).max() < 2 * np.abs(theirs - exact).max() + 1e-5


def test_threads_change_no_bit(tmp_path):
    """One thread and two give the same numbers."""
    x = np.random.default_rng(1).normal(size=(1, CHANNELS, 5000)).astype(np.float32)
    made = model(*norm_and_snake(CHANNELS), CHANNELS)
    _, one, _ = outputs(made, x, tmp_path, threads=1)
    _, two, _ = outputs(made, x, tmp_path, threads=2)
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("otherwise", [{"stride": 2}, {"taps": 4}])
def test_what_our_operators_do_not_do_stays(tmp_path, otherwise):
    """A convolution that shortens its signal is left to ONNX Runtime."""
    weights = np.full((4, CHANNELS, otherwise.pop("taps", 3)), 7, np.uint8)
    made = model(*convolution(weights, bias=False, **otherwise), CHANNELS)
    x = np.random.default_rng(2).normal(size=(1, CHANNELS, 64)).astype(np.float32)
    theirs, ours, count = outputs(made, x, tmp_path)
    assert count == 0
    np.testing.assert_array_equal(ours, theirs)


def test_a_result_that_something_else_needs_stays(tmp_path):
    """Where another node uses a sum in between, the nodes that make it are kept, and only unneeded ones go."""
    weights = np.full((4, CHANNELS, 3), 200, np.uint8)
    nodes, tensors = convolution(weights, bias=False)
    nodes[-1].output[0] = "product"
    nodes += [helper.make_node("Abs", ["real"], ["size"]), helper.make_node("Add", ["product", "size"], ["y"])]
    x = np.random.default_rng(3).normal(size=(1, CHANNELS, 40)).astype(np.float32)
    theirs, ours, count = outputs(model(nodes, tensors, CHANNELS), x, tmp_path)
    assert count == 0
    np.testing.assert_array_equal(ours, theirs)
