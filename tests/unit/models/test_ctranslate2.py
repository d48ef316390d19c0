import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.errors import ModelError
from voiceperf.models.ctranslate2 import read

DTYPES = {np.dtype("<f4"): 0, np.dtype("<i1"): 1, np.dtype("<i2"): 2, np.dtype("<i4"): 3, np.dtype("<f2"): 4}


def string(text):
    data = text.encode() + b"\0"
    return struct.pack("<H", len(data)) + data


def encode(variables, aliases=(), spec="WhisperSpec", version=6):
    parts = [struct.pack("<I", version), string(spec), struct.pack("<2I", 3, len(variables))]
    for name, data in variables.items():
        parts += [string(name), struct.pack(f"<B{data.ndim}I", data.ndim, *data.shape)]
        parts += [struct.pack("<BI", DTYPES[data.dtype], data.nbytes), data.tobytes()]
    parts.append(struct.pack("<I", len(aliases)))
    return b"".join([*parts, *(string(text) for pair in aliases for text in pair)])


@given(st.lists(st.tuples(st.sampled_from(list(DTYPES)), st.lists(st.integers(0, 3), max_size=3)), max_size=5))
def test_every_variable_comes_back(tmp_path_factory, kinds):
    """Names, shapes, types and data survive, for every type and rank."""
    rng = np.random.default_rng(1)
    variables = {f"layer_{i}/w": rng.integers(0, 99, shape).astype(t) for i, (t, shape) in enumerate(kinds)}
    path = tmp_path_factory.mktemp("ct2") / "model.bin"
    path.write_bytes(encode(variables))
    model = read(path)
    assert model.spec == "WhisperSpec"
    for name, data in variables.items():
        assert model[name].dtype == data.dtype
        assert np.array_equal(model[name], data)


def test_alias_is_the_variable_it_names(tmp_path):
    """A shared weight is found under both names."""
    path = tmp_path / "model.bin"
    path.write_bytes(encode({"a": np.ones(3, "<f4")}, aliases=[("b", "a")]))
    model = read(path)
    assert model["b"] is model["a"]


@pytest.mark.parametrize("keep", [0, 3, 10, 40, -1])
def test_truncated_file_is_named(tmp_path, keep, one_line):
    """Wherever a file breaks off, one line names it and says what to do."""
    path = tmp_path / "model.bin"
    path.write_bytes(encode({"a": np.ones(30, "<f4")})[:keep])
    with pytest.raises(ModelError) as caught:
        read(path)
    one_line(caught.value, "model.bin", "pull it again|only 6")


def test_other_version_is_refused(tmp_path, one_line):
    """A file of another binary version is not guessed at."""
    path = tmp_path / "model.bin"
    path.write_bytes(encode({}, version=5))
    with pytest.raises(ModelError) as caught:
        read(path)
    one_line(caught.value, "version 5")


def test_layers_are_counted_without_the_norm(tmp_path):
    """`layer_norm` is no layer."""
    names = ["encoder/layer_0/w", "encoder/layer_1/w", "encoder/layer_10/w", "encoder/layer_norm/gamma"]
    path = tmp_path / "model.bin"
    path.write_bytes(encode({name: np.ones(1, "<f4") for name in names}))
    assert read(path).count("encoder/layer_") == 3
