"""The fingerprint: what a run was measured on. Runs of different fingerprints are not to be compared silently."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from voiceperf import machine
from voiceperf.engines.base import installed_version
from voiceperf.measure.contender import Contender
from voiceperf.models.store import file_sha256, locate

LIBRARIES = ("pywhispercpp", "llama-cpp-python", "kokoro-onnx", "onnxruntime", "numpy", "voiceperf")
# what engines choose their kernels by; the full list would tell machines apart that run the same code
_KERNEL_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "asimd", "sve", "i8mm")


def fingerprint(contenders: Iterable[Contender]) -> dict[str, Any]:
    """Processor, cores, flags, system, library versions and the weights' hashes, with an `id` over all of it.

    `machine_id` covers only the hardware and the system: runs of one machine compare across library versions.
    """
    models = {str(contender.params.as_dict().get("model", "")) for contender in contenders} - {""}
    hardware = _hardware()
    software = {
        "libraries": {name: installed_version(name) for name in LIBRARIES},
        "models_sha256": {model: file_sha256(locate(model)) for model in sorted(models)},
    }
    facts = {**hardware, **software}
    return {"id": _digest(facts), "machine_id": _digest(hardware), **facts}


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def machine_id() -> str:
    """The part of the fingerprint that stays while libraries and models change."""
    return _digest(_hardware())


def _hardware() -> dict[str, Any]:
    brand, flags = machine.processor()
    cores = machine.cores()
    return {
        "cpu": brand,
        "cpu_flags": [flag for flag in _KERNEL_FLAGS if flag in flags],
        "performance_cores": cores.performance,
        "efficiency_cores": cores.efficiency,
        "system": machine.operating_system(),
    }
