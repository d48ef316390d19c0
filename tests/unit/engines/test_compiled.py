"""Our own C++: where it can be had, and what is said where it cannot."""

import ctypes
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from voiceperf.engines import compiled
from voiceperf.engines.compiled import Compiled
from voiceperf.engines.kokoro_graph import OPERATORS
from voiceperf.engines.preload import ENCODER_KERNELS, MATRIX_KERNELS, STATIC_SPLIT
from voiceperf.errors import ParameterError

LIBRARIES = {library.source: library for library in (STATIC_SPLIT, MATRIX_KERNELS, ENCODER_KERNELS, OPERATORS)}


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """A Linux machine with nothing in its cache, a compiler, and a processor that has everything."""
    monkeypatch.setenv("VOICEPERF_CACHE", str(tmp_path))
    monkeypatch.setattr(compiled.sys, "platform", "linux")
    monkeypatch.setattr(compiled.shutil, "which", lambda name: "/usr/bin/c++")
    monkeypatch.setattr(compiled.machine, "processor", lambda: ("any", MATRIX_KERNELS.features))
    return monkeypatch


@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
def test_library_off_linux_is_refused(elsewhere, library, one_line):
    """Away from Linux the parameter is refused by name."""
    elsewhere.setattr(compiled.sys, "platform", "darwin")
    with pytest.raises(ParameterError) as caught:
        library.path()
    one_line(caught.value, library.parameter, "made for Linux", "leave it off")


def test_kernels_without_their_instructions_are_refused(elsewhere, one_line):
    """The features that the processor lacks are named, and they alone."""
    elsewhere.setattr(compiled.machine, "processor", lambda: ("old", ("f16c", "avx512f", "avx512bw", "avx512vl")))
    with pytest.raises(ParameterError) as caught:
        MATRIX_KERNELS.path()
    one_line(caught.value, "this processor has no avx512_vnni,")
    assert STATIC_SPLIT.unavailable() is None


def test_library_without_a_compiler_is_refused(elsewhere, one_line):
    """Without a compiler the remedy is named."""
    elsewhere.setattr(compiled.shutil, "which", lambda name: None)
    with pytest.raises(ParameterError) as caught:
        STATIC_SPLIT.path()
    one_line(caught.value, r"C\+\+ compiler", "apt-get install")


def test_failed_compilation_leaves_nothing(elsewhere, tmp_path, one_line):
    """A compiler that fails is quoted, and no half-made library stays in the cache."""
    elsewhere.setattr(compiled.shutil, "which", lambda name: "/bin/false")
    with pytest.raises(ParameterError) as caught:
        STATIC_SPLIT.path()
    one_line(caught.value, r"the C\+\+ compiler failed")
    assert list(tmp_path.rglob("*.so")) == []


def test_a_cache_that_cannot_be_written_is_a_reason(elsewhere, one_line):
    """Where a library cannot be kept, the folder and the variable that moves it are named; nothing is compiled."""
    elsewhere.setenv("VOICEPERF_CACHE", "/proc/nowhere")
    with pytest.raises(ParameterError) as caught:
        STATIC_SPLIT.path()
    one_line(caught.value, "/proc/nowhere/native", "VOICEPERF_CACHE", "leave it off")
    assert "kept" in (OPERATORS.unavailable() or "")


@pytest.mark.parametrize("path", sorted(compiled.NATIVE.glob("*.?pp")), ids=lambda path: path.name)
def test_each_native_file_compiles_alone_without_a_warning(monkeypatch, tmp_path, path):
    """A library's file, or a header by itself, includes what it needs, and the compiler has nothing to remark."""
    monkeypatch.setenv("VOICEPERF_CACHE", str(tmp_path))
    library = LIBRARIES.get(path.name, ENCODER_KERNELS)  # for a header the one with the most features
    if reason := library.unavailable():
        pytest.skip(reason)
    strict = ["-Wall", "-Wextra", "-Werror", "-x", "c++", str(path), "-o", str(tmp_path / "library.so")]
    command = [compiled.compiler(), *library.flags(), *strict]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_changed_header_makes_another_library(monkeypatch, tmp_path):
    """When a file that a library includes has changed, the library is compiled again."""
    monkeypatch.setenv("VOICEPERF_CACHE", str(tmp_path / "cache"))
    if reason := STATIC_SPLIT.unavailable():
        pytest.skip(reason)
    native = tmp_path / "native"
    native.mkdir()
    monkeypatch.setattr(compiled, "NATIVE", native)
    (native / "library.cpp").write_text(
        '#include "header.hpp"\nextern "C" __attribute__((visibility("default"))) int answer() { return ANSWER; }\n'
    )
    answers = []
    for answer in (1, 2, 2):
        (native / "header.hpp").write_text(f"#define ANSWER {answer}\n")
        answers.append(ctypes.CDLL(str(Compiled("any", "library.cpp").path())).answer())
    assert answers == [1, 2, 2]
    assert len(list(tmp_path.rglob("*.so"))) == 2


def test_a_cache_that_runs_no_code_is_named(monkeypatch, tmp_path):
    """On a file system mounted noexec nothing can be loaded: the folder, the reason and the remedy are said."""
    monkeypatch.setenv("VOICEPERF_CACHE", str(tmp_path / "cache"))
    if reason := STATIC_SPLIT.unavailable():
        pytest.skip(reason)
    monkeypatch.setattr(compiled.os, "statvfs", lambda folder: SimpleNamespace(f_flag=os.ST_NOEXEC))
    for _ in range(2):  # before it is compiled, and where it lies there already
        said = STATIC_SPLIT.unavailable()
        assert "noexec" in said
        assert "VOICEPERF_CACHE" in said
        STATIC_SPLIT._target().touch()


def test_two_that_compile_at_once_do_not_meet(monkeypatch, tmp_path):
    """Containers that share a cache may have processes of the same number: each writes in a folder of its own."""
    monkeypatch.setenv("VOICEPERF_CACHE", str(tmp_path / "cache"))
    if reason := STATIC_SPLIT.unavailable():
        pytest.skip(reason)
    with ThreadPoolExecutor(2) as both:
        paths = list(both.map(lambda _: STATIC_SPLIT.path(), range(2)))
    assert paths[0] == paths[1]
    assert [path.name for path in paths[0].parent.iterdir()] == [paths[0].name]
    assert ctypes.CDLL(str(paths[0])).ggml_is_numa
