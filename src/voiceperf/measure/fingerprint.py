"""The fingerprint: what a run was measured on. Runs of different fingerprints are not to be compared silently."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from voiceperf import machine
from voiceperf.engines.base import installed_version
from voiceperf.measure.contender import Contender
from voiceperf.models.store import file_sha256, locate

_EVERYWHERE = ("numpy", "voiceperf")


def fingerprint(contenders: Iterable[Contender]) -> dict[str, Any]:
    """Processor, cores, flags, system, library versions and the weights' hashes, with an `id` over all but the kernel.

    `machine_id` covers only the hardware and the system: runs of one machine compare across libraries and kernels.
    """
    contenders = list(contenders)
    models = {str(contender.params.as_dict().get("model", "")) for contender in contenders} - {""}
    hardware = machine.hardware()
    software = {
        "libraries": {name: installed_version(name) for name in libraries(contenders)},
        "models_sha256": {model: file_sha256(locate(model)) for model in sorted(models)},
    }
    whole = machine.digest({"machine": machine.identity(hardware), **software})
    return {"id": whole, "machine_id": machine.identity(hardware), **hardware, **software}


def libraries(contenders: Iterable[Contender]) -> list[str]:
    """The packages that do the work of contenders, and of measuring."""
    return list(dict.fromkeys([*(name for one in contenders for name in one.params.distributions), *_EVERYWHERE]))


def machine_id() -> str:
    """The part of the fingerprint that stays while libraries and models change."""
    return str(machine.identity(machine.hardware()))
