"""What this machine is: cores of each kind, processor, operating system. Read once, written nowhere."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cpuinfo
import psutil

_HYBRID_X86 = {"performance": "/sys/devices/cpu_core/cpus", "efficiency": "/sys/devices/cpu_atom/cpus"}
_APPLE = {"performance": "hw.perflevel0.physicalcpu", "efficiency": "hw.perflevel1.physicalcpu"}


@dataclass(frozen=True)
class Cores:
    """How many cores this process may use; engines want the performance ones."""

    performance: int
    efficiency: int

    @property
    def total(self) -> int:
        return self.performance + self.efficiency


@cache
def cores() -> Cores:
    """Physical cores open to this process, told apart on Apple silicon and on hybrid x86."""
    if platform.system() == "Darwin" and (performance := _sysctl(_APPLE["performance"])):
        return Cores(performance, _sysctl(_APPLE["efficiency"]))
    allowed = _allowed_cpus()
    if Path(_HYBRID_X86["efficiency"]).exists():
        performance_cpus = parse_cpu_list(Path(_HYBRID_X86["performance"]).read_text()) & allowed
        efficiency_cpus = parse_cpu_list(Path(_HYBRID_X86["efficiency"]).read_text()) & allowed
        return Cores(_physical(performance_cpus) or 1, len(efficiency_cpus))
    physical = psutil.cpu_count(logical=False) or 1
    return Cores(min(physical, len(allowed)), 0)


def parse_cpu_list(text: str) -> set[int]:
    """The kernel's list of processors, as in `0-3,8`."""
    found: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def _allowed_cpus() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def _physical(cpus: set[int]) -> int:
    """Count a pair of hardware threads once."""
    siblings = set()
    for cpu in cpus:
        path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        siblings.add(path.read_text().strip() if path.exists() else str(cpu))
    return len(siblings)


def _sysctl(name: str) -> int:
    answer = subprocess.run(["sysctl", "-n", name], capture_output=True, text=True, check=False)
    return int(answer.stdout) if answer.returncode == 0 and answer.stdout.strip().isdigit() else 0


@cache
def processor() -> tuple[str, tuple[str, ...]]:
    """The processor's model name and its feature flags."""
    info = cpuinfo.get_cpu_info()
    return info.get("brand_raw", platform.processor() or "unknown"), tuple(info.get("flags", ()))


def memory_bytes() -> int:
    """Physical memory of the machine."""
    return int(psutil.virtual_memory().total)


def operating_system() -> str:
    """Name, release and architecture."""
    return f"{platform.system()} {platform.release()} {platform.machine()}"
