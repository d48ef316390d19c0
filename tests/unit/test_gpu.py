"""What is known of GPUs, from a management library that says what a test has planned."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from voiceperf import gpu, machine

CACHED = (gpu.gpus, gpu.usable, gpu.has_code, gpu._nvml, gpu._handles)


class NVMLError(Exception):
    """As the binding has it."""


def binding(count=2, **changes):
    def named(name):
        if name != "GPU-one":
            raise NVMLError
        return 1

    found = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: count,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetHandleByUUID=named,
        nvmlDeviceGetName=lambda index: f"NVIDIA {index}",
        nvmlDeviceGetMemoryInfo=lambda index: SimpleNamespace(total=80 * 2**30, used=(index + 1) * 2**30),
        nvmlDeviceGetCudaComputeCapability=lambda _: (9, 0),
        nvmlDeviceGetTotalEnergyConsumption=lambda _: 1500,
        nvmlSystemGetDriverVersion=lambda: "580.1",
    )
    vars(found).update(changes)
    return found


@pytest.fixture
def nvml(monkeypatch):
    """Puts a binding in, and takes care that nothing of it is remembered."""

    def put(found):
        monkeypatch.setitem(sys.modules, "pynvml", found)
        monkeypatch.setattr(gpu.importlib.util, "find_spec", lambda name: name)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        forget()

    def forget():
        for one in CACHED:
            one.cache_clear()

    yield put
    monkeypatch.undo()
    forget()


def test_a_gpu_is_described(nvml):
    """By name, memory, what it can compute and its driver; memory and energy are those of all together."""
    nvml(binding())
    first, second = gpu.gpus()
    assert (first.name, first.memory_bytes, first.capability, first.driver) == ("NVIDIA 0", 80 * 2**30, "9.0", "580.1")
    assert second.name == "NVIDIA 1"
    assert gpu.used_bytes() == 3 * 2**30
    assert gpu.energy_j() == 3.0


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        ("", []),
        ("-1", []),
        ("1", [1]),
        ("1, 0", [1, 0]),
        ("7", []),
        ("0,-1,1", [0]),
        ("1,9,0", [1]),
        ("0,0,1", [0]),
        ("GPU-one,0", [1, 0]),
        ("GPU-two,0", []),
        ("MIG-one", []),
    ],
)
def test_only_what_cuda_shows_this_process_counts(nvml, monkeypatch, visible, names):
    """What CUDA_VISIBLE_DEVICES hides from the engines is hidden here; CUDA reads it up to the first that is none."""
    nvml(binding())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [one.name for one in gpu.gpus()] == [f"NVIDIA {number}" for number in names]


def refusing():
    raise NVMLError


@pytest.mark.parametrize("found", [None, binding(nvmlInit=refusing), binding(count=0)])
def test_without_binding_driver_or_device_there_is_none(nvml, found):
    """And no memory, no energy, and no build that could use one."""
    nvml(found or binding())
    if found is None:
        gpu.importlib.util.find_spec = lambda _: None
    assert gpu.gpus() == ()
    assert (gpu.used_bytes(), gpu.energy_j(), gpu.is_built_for("llama")) == (None, None, False)


def test_energy_that_is_not_counted_is_none(nvml):
    """GPUs older than Volta count none."""
    nvml(binding(nvmlDeviceGetTotalEnergyConsumption=lambda _: refusing()))
    assert gpu.energy_j() is None


def test_a_gpu_without_memory_of_its_own_is_described(nvml):
    """One that shares the processor's memory refuses the question; it is there all the same."""
    nvml(binding(nvmlDeviceGetMemoryInfo=lambda _: refusing()))
    assert [one.memory_bytes for one in gpu.gpus()] == [None, None]
    assert gpu.used_bytes() is None


def test_a_gpu_that_answers_nothing_is_left_out(nvml):
    """One that has fallen off the bus, or is another's, ends no command."""
    nvml(binding(nvmlDeviceGetName=lambda _: refusing()))
    assert gpu.gpus() == ()


BUILDS = {
    "whisper": ("_pywhispercpp.so", b"needs libcublas.so.13"),
    "llama": ("llama_cpp/lib/libggml-cuda.so", b""),
    "kokoro": ("onnxruntime/capi/libonnxruntime_providers_cuda.so", b""),
}


@pytest.mark.parametrize("has_code", [True, False])
@pytest.mark.parametrize("engine", BUILDS)
def test_a_build_for_cuda_is_told_from_one_for_processors(nvml, monkeypatch, tmp_path, engine, has_code):
    """By what lies in the engine's package, here one that a test has made; nothing of it is run."""
    name, content = BUILDS[engine]
    path = tmp_path / (name if has_code else name.replace("cuda", "cpu"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if has_code else b"needs libstdc++.so.6")
    package = name.split("/")[0]
    origin = path if "/" not in name else tmp_path / package / "__init__.py"
    nvml(binding())
    monkeypatch.setattr(gpu.importlib.util, "find_spec", lambda name: SimpleNamespace(origin=str(origin)))
    assert gpu.has_code(engine) is has_code
    assert gpu.is_built_for(engine) is has_code


def test_an_engine_that_nobody_vouches_for_has_no_code_for_cuda():
    """As one of another package that declares nothing."""
    assert not gpu.has_code("unknown")


def test_the_cpp_runtime_is_put_in_front_of_a_build_for_cuda_alone(monkeypatch):
    """Into the global scope, before the engine's library is loaded; on Linux."""
    loaded = []
    monkeypatch.setattr(gpu.ctypes, "CDLL", lambda name, mode: loaded.append((name, mode)))
    for system, has_code in (("linux", False), ("win32", True), ("linux", True)):
        monkeypatch.setattr(gpu.sys, "platform", system)
        monkeypatch.setattr(gpu, "has_code", lambda _, has_code=has_code: has_code)
        gpu.make_loadable("llama")
    assert loaded == [("libstdc++.so.6", gpu.ctypes.RTLD_GLOBAL)]


def test_a_build_for_cuda_is_known_by_its_files(tmp_path, monkeypatch):
    """Nothing of the package is imported for that."""
    folder = tmp_path / "some_engine" / "lib"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise SystemExit")
    (folder / "libggml-cuda.so").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert [path.name for path in gpu.files_of("some_engine", "lib/*ggml-cuda*")] == ["libggml-cuda.so"]
    assert gpu.files_of("no_such_engine", "*") == []


def mismatched():
    raise NVMLError("Driver/library version mismatch")


@pytest.mark.parametrize(
    "case",
    [
        (binding(), None, None),
        (binding(), "", "CUDA_VISIBLE_DEVICES hides them"),
        (binding(count=0), None, "it knows of none that this process may use"),
        (binding(nvmlInit=mismatched), None, "Driver/library version mismatch"),
        (None, None, "pip install nvidia-ml-py"),
    ],
)
def test_why_a_driver_s_gpus_are_not_seen_is_said(nvml, monkeypatch, tmp_path, case):
    """What is missing, or hides them; without a driver nothing is said."""
    found, visible, said = case
    nvml(found or binding())
    if found is None:
        monkeypatch.setattr(gpu.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(gpu, "_DRIVER", tmp_path / "version")
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpu.remedy() is None
    (tmp_path / "version").touch()
    assert gpu.remedy() == said


def test_a_machine_is_another_with_a_gpu_that_an_engine_can_use(nvml, monkeypatch):
    """One that no engine is built for leaves the machine's name as it is: another program may have brought NVML."""
    monkeypatch.setattr(gpu, "has_code", lambda _: False)
    nvml(binding(count=1))
    without = machine.hardware()
    monkeypatch.setattr(gpu, "has_code", lambda _: True)
    gpu.usable.cache_clear()
    assert machine.hardware() == {**without, "gpus": ["NVIDIA 0"]}
    assert machine.identity(machine.hardware()) != machine.identity(without)


def test_what_native_code_says_can_be_kept_quiet():
    """Also what does not pass through Python's standard error, and only for the time."""
    imports = "import os; from voiceperf.log import quiet"
    script = f"{imports}\nwith quiet(): os.write(2, b'banner')\nos.write(2, b'error')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "error"


def test_a_closed_standard_error_stays_closed():
    """A service may have been started without one."""
    imports = "import os; from voiceperf.log import quiet; os.close(2)"
    script = f"{imports}\nwith quiet(): pass\ntry: os.fstat(2)\nexcept OSError: os._exit(7)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 7
