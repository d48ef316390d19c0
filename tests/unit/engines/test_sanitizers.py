"""Our C++ under the sanitizers: its tests run again, and every access to memory and every operation is watched.

In the tests' process a compiler that adds the sanitizers stands before the real one. The sanitizers' own libraries are
loaded before everything else.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from voiceperf.engines import compiled
from voiceperf.engines.kokoro_graph import OPERATORS
from voiceperf.engines.preload import ENCODER_KERNELS, MATRIX_KERNELS, STATIC_SPLIT

# -O1, because with -O3 the compiler takes three times as long
FLAGS = "-fsanitize=address,undefined -fno-sanitize-recover=all -g -O1"

TESTS = [
    ("test_preload.py", [STATIC_SPLIT, MATRIX_KERNELS]),
    ("test_kokoro_graph.py", [OPERATORS]),
    pytest.param("test_layer_kernels.py", [ENCODER_KERNELS], marks=pytest.mark.slow),  # 20 s
]


@pytest.fixture
def watched(monkeypatch, tmp_path):
    """The environment in which libraries are compiled anew, and run, with the sanitizers."""
    monkeypatch.setenv("VOICEPERF_CACHE", str(tmp_path))
    compiler = compiled.compiler()
    if compiler is None:
        pytest.skip("there is no C++ compiler")
    asked = [[compiler, f"-print-file-name={name}"] for name in ("libasan.so", "libubsan.so")]
    found = [subprocess.run(one, capture_output=True, text=True, check=True).stdout.strip() for one in asked]
    if not all(os.path.isabs(path) for path in found):
        pytest.skip("this compiler comes without libasan or libubsan")
    before = tmp_path / "c++"
    before.write_text(f'#!/bin/sh\nLD_PRELOAD= exec "{compiler}" "$@" {FLAGS}\n')
    before.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "LD_PRELOAD": ":".join(found), "ASAN_OPTIONS": "detect_leaks=0"}


@pytest.mark.parametrize(("tests", "libraries"), TESTS, ids=["products", "operators", "layers"])
def test_the_sanitizers_find_nothing(watched, tmp_path, tests, libraries):
    """Whatever the tests of a library let it compute, no access to memory is wrong and no behaviour undefined."""
    if reasons := [reason for library in libraries if (reason := library.unavailable())]:
        pytest.skip(reasons[0])
    options = ["-q", "-s", "-p", "no:cacheprovider"]  # -s: a sanitizer speaks as it ends the process
    command = [sys.executable, "-m", "pytest", *options, str(Path(__file__).with_name(tests))]
    done = subprocess.run(command, env=watched, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    built = {path.name.partition("-")[0]: path.read_bytes() for path in tmp_path.rglob("*.so")}
    assert built.keys() == {Path(library.source).stem for library in libraries}
    assert all(b"__asan_init" in content for content in built.values())
