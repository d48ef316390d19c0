"""NVIDIA's GPUs: which there are, what they have used, and which engines are built for them.

Source: NVIDIA's management library (NVML), which comes with the driver, through its own Python binding. Where one of
both is missing, there are no GPUs here.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

CUDA = "cuda"  # the section of a profile that counts where an engine is built for a GPU that is here
BINDING = "nvidia-ml-py"
BUILT_FOR = "voiceperf.cuda"  # entry points: by engine's name, who says whether its installed build has code for CUDA
_VISIBLE = "CUDA_VISIBLE_DEVICES"
_DRIVER = Path("/proc/driver/nvidia/version")
_CPP_RUNTIME = "libstdc++.so.6"

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Gpu:
    """One GPU; `capability` is CUDA's number of what it can compute, as in 9.0.

    `memory_bytes` is None where it has none of its own.
    """

    name: str
    memory_bytes: int | None
    capability: str
    driver: str


@cache
def gpus() -> tuple[Gpu, ...]:
    """Those that this process may use."""
    nvml, _ = _nvml()
    found = [_asked(lambda handle=handle: _described(nvml, handle)) for handle in _handles()]  # type: ignore[misc]
    return tuple(one for one in found if one)


@cache
def usable() -> tuple[Gpu, ...]:
    """The same, where an engine is built for them; a GPU that no engine can use makes no difference to any of them."""
    engines = {entry.name for entry in importlib.metadata.entry_points(group=BUILT_FOR)}
    return gpus() if any(map(has_code, engines)) else ()


def remedy() -> str | None:
    """What to do where a driver is here and none of its GPUs can be seen, or None."""
    if gpus() or not _DRIVER.exists():
        return None
    nvml, reason = _nvml()
    if nvml is None:
        return reason
    return f"{_VISIBLE} hides them" if _VISIBLE in os.environ else "it knows of none that this process may use"


def used_bytes() -> int | None:
    """Memory in use on all of them, by whomever; None where there is none, or none of their own."""
    nvml, _ = _nvml()
    return _asked(lambda: sum(int(nvml.nvmlDeviceGetMemoryInfo(one).used) for one in _handles())) if gpus() else None


def energy_j() -> float | None:
    """What all of them have consumed since their driver was loaded, by whomever; None where that is not counted."""
    nvml, _ = _nvml()
    if not gpus():
        return None
    return _asked(lambda: sum(float(nvml.nvmlDeviceGetTotalEnergyConsumption(one)) for one in _handles()) / 1000)


def files_of(package: str, pattern: str) -> list[Path]:
    """What of an installed package's folder fits a pattern; nothing of the package is run."""
    spec = importlib.util.find_spec(package)
    return sorted(Path(spec.origin).parent.glob(pattern)) if spec and spec.origin else []


@cache
def has_code(engine: str) -> bool:
    """Whether the installed build of an engine has code for CUDA."""
    return any(entry.load()() for entry in importlib.metadata.entry_points(group=BUILT_FOR, name=engine))


def is_built_for(engine: str) -> bool:
    """Whether the installed build of an engine computes on a GPU that is here."""
    return bool(gpus()) and has_code(engine)


def make_loadable(engine: str) -> None:
    """Put the C++ runtime in front of what is loaded from now on, for an engine that is built for CUDA.

    Without that such a build dies by SIGSEGV in a process that has loaded other modules before it, on the processor as
    on the GPU (docs/FINDINGS.md, NVIDIA GPUs).
    """
    if sys.platform.startswith("linux") and has_code(engine):
        ctypes.CDLL(_CPP_RUNTIME, mode=ctypes.RTLD_GLOBAL)


@cache
def _nvml() -> tuple[Any, str]:
    """The binding, begun; else None, and what to do."""
    if importlib.util.find_spec("pynvml") is None:
        return None, f"pip install {BINDING}"
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return None, str(error)
    return pynvml, ""


def _asked(question: Callable[[], Answer]) -> Answer | None:
    """NVML's answer; None where this driver, binding or GPU has none."""
    nvml, _ = _nvml()
    if nvml is None:
        return None
    try:
        return question()
    except (nvml.NVMLError, AttributeError):
        return None


@cache
def _handles() -> list[Any]:
    """Of the GPUs that CUDA shows this process: all, or those that the environment names, up to the first it cannot.

    By number or by name; a part of a GPU (MIG) ends the list.
    """
    nvml, _ = _nvml()
    count = _asked(lambda: int(nvml.nvmlDeviceGetCount())) or 0
    named = os.environ[_VISIBLE].split(",") if _VISIBLE in os.environ else list(map(str, range(count)))
    found: dict[str, Any] = {}
    for name in map(str.strip, named):
        handle = None if name in found else _asked(lambda name=name: _handle(nvml, name, count))  # type: ignore[misc]
        if handle is None:
            break
        found[name] = handle
    return list(found.values())


def _handle(nvml: Any, name: str, count: int) -> Any:
    if name.isdigit():
        return nvml.nvmlDeviceGetHandleByIndex(int(name)) if int(name) < count else None
    return nvml.nvmlDeviceGetHandleByUUID(name) if name.startswith("GPU-") else None


def _described(nvml: Any, handle: Any) -> Gpu:
    return Gpu(
        str(nvml.nvmlDeviceGetName(handle)),
        _asked(lambda: int(nvml.nvmlDeviceGetMemoryInfo(handle).total)),
        "{}.{}".format(*nvml.nvmlDeviceGetCudaComputeCapability(handle)),
        str(nvml.nvmlSystemGetDriverVersion()),
    )
