"""Kernels prove themselves at load: on the real libraries, right and planted wrong, without a model."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from voiceperf.engines import compiled, proof
from voiceperf.engines.llama_params import LlamaParams
from voiceperf.engines.preload import ENCODER_KERNELS, MATRIX_KERNELS, STATIC_SPLIT, Preloaded

pytestmark = pytest.mark.skipif(ENCODER_KERNELS.unavailable() is not None, reason=str(ENCODER_KERNELS.unavailable()))

ASK = """
import json, sys
from pathlib import Path
from voiceperf.engines import compiled
compiled.NATIVE = Path(sys.argv[1])
exec(sys.argv[3])
from voiceperf.engines.proof import unproven
if sys.argv[2] == "llama":
    import llama_cpp
    from voiceperf.engines.llama import LlamaParams, PRELOADED
    found = unproven(LlamaParams(vnni_kernels=True, static_split=True), PRELOADED, llama_cpp.llama_cpp._lib._name)
else:
    import _pywhispercpp
    from voiceperf.engines.whisper import WhisperParams, PRELOADED
    found = unproven(WhisperParams(vnni_kernels=True), PRELOADED, _pywhispercpp.__file__)
print(json.dumps(found))
"""
LIBRARIES = {"llama": (STATIC_SPLIT, MATRIX_KERNELS), "whisper": (ENCODER_KERNELS,)}
MATRICES, LAYERS, SPLIT = "matrix_products.hpp", "layer_kernels.cpp", "static_split.cpp"


@pytest.fixture
def proven(tmp_path, monkeypatch):
    """(engine, file, old, new) -> what a process that is started with the kernels so changed finds of them."""
    native = shutil.copytree(compiled.NATIVE, tmp_path / "native")
    monkeypatch.setattr(compiled, "NATIVE", native)
    monkeypatch.setenv("VOICEPERF_CACHE", str(tmp_path / "cache"))

    def ask(engine, file=MATRICES, old="", new="", *, first=""):
        text = (native / file).read_text()
        assert not old or text.count(old) == 1
        (native / file).write_text(text.replace(old, new) if old else text)
        libraries = ":".join(str(library.path()) for library in LIBRARIES[engine])
        done = subprocess.run(
            [sys.executable, "-c", ASK, str(native), engine, first],
            env={**os.environ, "LD_PRELOAD": libraries}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "affinity" not in done.stderr  # which ggml would change where it takes a machine for several
        return json.loads(done.stdout.splitlines()[-1])

    return ask


@pytest.mark.parametrize("engine", LIBRARIES)
def test_our_kernels_are_proven_beside_the_installed_libraries(proven, engine):
    """Both libraries come to them, and each result is what ggml's own numbers stand for."""
    assert proven(engine) == {}


@pytest.mark.parametrize(
    ("engine", "change", "said"),
    [
        ("llama", (MATRICES, "sum = _mm512_fmadd_ps(w.least, c.sum, sum);", ""), "product of q4_1 is another"),
        ("llama", ("ggml.hpp", "TYPE_Q8_0 = 8", "TYPE_Q8_0 = 38"), "does not come to voiceperf's product of q8_0"),
        ("llama", (SPLIT, "ggml_is_numa", "ggml_was_numa"), "LD_PRELOAD"),
        ("whisper", (MATRICES, "llamafile_sgemm(const Share", "other_sgemm(const Share"), "product of q8_0"),
        ("whisper", (LAYERS, "void *buffer;\n", "void *buffer, *more;\n"), "does not come to voiceperf's attention"),
        ("whisper", (LAYERS, "parameters + place", "parameters + place + 1"), "attention is"),
        ("whisper", (LAYERS, "0.044715f", "0.0457f"), "activation is"),
    ],
)
def test_kernels_that_are_wrong_or_idle_are_refused(proven, engine, change, said):
    """A term that is lost, a moved field, a type that has another number, a function of another name: one line each."""
    (reason,) = proven(engine, *change).values()
    assert said in reason


def test_a_build_that_offers_no_products_has_the_rest(proven):
    """The wheel of pywhispercpp comes without llamafile's: attention and activation are proven, products are not."""
    without = "from voiceperf.engines.ggml import Ggml; Ggml.has = lambda ggml, name: False"
    renamed = (MATRICES, "llamafile_sgemm(const Share", "other_sgemm(const Share")
    assert proven("whisper", *renamed, first=without) == {}


@pytest.mark.parametrize(("bounds", "is_refused"), [(">=0.1,<0.2", True), (">=0.3.30", False)])
def test_a_version_that_was_not_tested_is_refused(monkeypatch, bounds, is_refused):
    """The bounds are those of the package's own requirements."""
    monkeypatch.setattr(Preloaded, "is_loaded", lambda self: True)
    monkeypatch.setattr(proof, "_wrong", lambda library, beside: None)
    monkeypatch.setattr(proof.importlib.metadata, "requires", lambda name: [f"llama-cpp-python{bounds}; extra == 'x'"])
    found = proof.unproven(LlamaParams(vnni_kernels=True), [MATRIX_KERNELS], "")
    assert ("was not tested" in found.get("vnni_kernels", "")) == is_refused
