"""What is known of GPUs, from a management library that says what a test has planned."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from voiceperf import gpu, machine

CACHED = (gpu.gpus, gpu.is_built_for, gpu._nvml, gpu._handles)


class NVMLError(Exception):
    """As the binding has it."""


def binding(count=2, **changes):
    def handle(index):
        return index

    found = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: count,
        nvmlDeviceGetHandleByIndex=handle,
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
    [("", []), ("-1", []), ("1", ["NVIDIA 1"]), ("1,0", ["NVIDIA 1", "NVIDIA 0"]), ("7", []), ("GPU-8f", None)],
)
def test_only_what_cuda_shows_this_process_counts(nvml, monkeypatch, visible, names):
    """CUDA_VISIBLE_DEVICES hides GPUs from the engines, so it hides them here; names of its own are not resolved."""
    nvml(binding())
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [one.name for one in gpu.gpus()] == (["NVIDIA 0", "NVIDIA 1"] if names is None else names)


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


@pytest.mark.parametrize("engine", ["whisper", "llama", "kokoro", "unknown"])
def test_builds_for_processors_are_not_for_cuda(nvml, monkeypatch, engine):
    """The engines as set-up builds them have no code for it, though a GPU is here."""
    nvml(binding())
    monkeypatch.undo()
    monkeypatch.setattr(gpu, "gpus", lambda: ("one",))
    assert not gpu.is_built_for(engine)


def test_a_build_for_cuda_is_known_by_its_files(tmp_path, monkeypatch):
    """Nothing of the package is imported for that."""
    folder = tmp_path / "some_engine" / "lib"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise SystemExit")
    (folder / "libggml-cuda.so").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert [path.name for path in gpu.files_of("some_engine", "lib/*ggml-cuda*")] == ["libggml-cuda.so"]
    assert gpu.files_of("no_such_engine", "*") == []


def test_a_hidden_gpu_has_a_remedy(nvml, monkeypatch, tmp_path):
    """Where the driver is here, what is missing is said; without a driver nothing is."""
    driver = tmp_path / "version"
    nvml(binding())
    monkeypatch.setattr(gpu, "_DRIVER", driver)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpu.remedy() is None
    driver.touch()
    assert gpu.remedy() == "CUDA_VISIBLE_DEVICES hides them"


def test_a_machine_is_another_with_a_gpu(nvml):
    """Its name has the GPUs, and stays what it was where there are none."""
    nvml(binding(count=0))
    without = machine.hardware()
    nvml(binding(count=1))
    assert machine.hardware() == {**without, "gpus": ["NVIDIA 0"]}
    assert machine.identity(machine.hardware()) != machine.identity(without)


def test_what_native_code_says_can_be_kept_quiet():
    """Also what does not pass through Python's standard error, and only for the time."""
    imports = "import os; from voiceperf.engines.base import quiet"
    script = f"{imports}\nwith quiet(): os.write(2, b'banner')\nos.write(2, b'error')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "error"
