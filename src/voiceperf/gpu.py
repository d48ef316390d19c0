"""NVIDIA's GPUs: which there are, what they have used, and which engines are built for them.

Source: NVIDIA's management library (NVML), which comes with the driver, through its own Python binding. Where one of
both is missing, there are no GPUs here.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CUDA = "cuda"  # the section of a profile that counts where an engine is built for a GPU that is here
BINDING = "nvidia-ml-py"
BUILT_FOR = "voiceperf.cuda"  # entry points: by engine's name, who says whether its installed build has code for CUDA
_VISIBLE = "CUDA_VISIBLE_DEVICES"
_DRIVER = Path("/proc/driver/nvidia/version")


@dataclass(frozen=True)
class Gpu:
    """One GPU; `capability` is CUDA's number of what it can compute, as in 9.0."""

    name: str
    memory_bytes: int
    capability: str
    driver: str


@cache
def gpus() -> tuple[Gpu, ...]:
    """Those that this process may use."""
    nvml = _nvml()
    return tuple(_described(nvml, handle) for handle in _handles()) if nvml else ()


def remedy() -> str | None:
    """What to do where a driver is here and none of its GPUs can be seen, or None."""
    if gpus() or not _DRIVER.exists():
        return None
    return f"{_VISIBLE} hides them" if _nvml() else f"pip install {BINDING}"


def used_bytes() -> int | None:
    """Memory in use on all of them, by whomever; None without one."""
    nvml = _nvml() if gpus() else None
    return sum(int(nvml.nvmlDeviceGetMemoryInfo(handle).used) for handle in _handles()) if nvml else None


def energy_j() -> float | None:
    """What all of them have consumed since their driver was loaded, by whomever; None where that is not counted."""
    nvml = _nvml() if gpus() else None
    if nvml is None:
        return None
    try:
        return sum(float(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) for handle in _handles()) / 1000
    except nvml.NVMLError:  # older than Volta
        return None


def files_of(package: str, pattern: str) -> list[Path]:
    """What of an installed package's folder fits a pattern; nothing of the package is run."""
    spec = importlib.util.find_spec(package)
    return sorted(Path(spec.origin).parent.glob(pattern)) if spec and spec.origin else []


@cache
def is_built_for(engine: str) -> bool:
    """Whether the installed build of an engine computes on a GPU that is here."""
    if not gpus():
        return False
    entries = importlib.metadata.entry_points(group=BUILT_FOR, name=engine)
    return any(entry.load()() for entry in entries)


@cache
def _nvml() -> Any:
    """The binding, begun; None where it or the driver is missing."""
    if importlib.util.find_spec("pynvml") is None:
        return None
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml


@cache
def _handles() -> list[Any]:
    """Of the GPUs that CUDA would show this process: all, or those that the environment names by number."""
    nvml = _nvml()
    every = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
    if _VISIBLE not in os.environ:
        return every
    named = os.environ[_VISIBLE].split(",")
    if all(one.strip().startswith(("GPU-", "MIG-")) for one in named):
        return every
    numbers = [int(one) for one in named if one.strip().isdigit()]
    return [every[number] for number in numbers if number < len(every)]


def _described(nvml: Any, handle: Any) -> Gpu:
    return Gpu(
        str(nvml.nvmlDeviceGetName(handle)),
        int(nvml.nvmlDeviceGetMemoryInfo(handle).total),
        "{}.{}".format(*nvml.nvmlDeviceGetCudaComputeCapability(handle)),
        str(nvml.nvmlSystemGetDriverVersion()),
    )
