"""The engines' native libraries beside one another."""

import subprocess
import sys
from itertools import permutations

import pytest

LIBRARIES = ("_pywhispercpp", "llama_cpp", "onnxruntime")


@pytest.mark.parametrize("order", list(permutations(LIBRARIES)), ids=">".join)
def test_libraries_load_into_one_process_in_any_order(order):
    """Each brings what it needs: none finds functions of another's ggml, or misses its own."""
    imports = "; ".join(f"import {name}" for name in order)
    told = "; print(_pywhispercpp.whisper_print_system_info(), llama_cpp.llama_print_system_info())"
    done = subprocess.run([sys.executable, "-c", imports + told], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("told", ["_pywhispercpp.whisper_print_system_info()", "llama_cpp.llama_print_system_info()"])
def test_libraries_are_built_without_amx(told):
    """On a processor with AMX the engines run at all: ggml's own code for it crashes as compilers build it."""
    command = [sys.executable, "-c", f"import _pywhispercpp, llama_cpp; print({told})"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "CPU" in done.stdout, done.stderr
    assert "AMX_INT8 = 1" not in done.stdout
