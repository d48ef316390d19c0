"""What this machine is: cores of each kind, a container's quota, processor, operating system. Read once."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import psutil

from voiceperf import gpu

_HYBRID_X86 = {"performance": "/sys/devices/cpu_core/cpus", "efficiency": "/sys/devices/cpu_atom/cpus"}
# what engines choose their kernels by; the full list would tell machines apart that run the same code
_KERNEL_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "asimd", "sve", "i8mm")
_IDENTITY = ("cpu", "cpu_flags", "performance_cores", "efficiency_cores", "cpu_quota", "gpus", "system")
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
    """Physical cores open to this process, told apart on Apple silicon and on hybrid x86.

    A container's quota counts as so many whole cores: threads beyond it only wait for each other to be let go on.
    """
    found, quota = _open_cores(), cpu_quota()
    if quota is None or quota >= found.total:
        return found
    whole = max(1, math.floor(quota))
    performance = max(1, min(found.performance, whole))
    return Cores(performance, min(found.efficiency, whole - performance))


def _open_cores() -> Cores:
    if platform.system() == "Darwin" and (performance := _sysctl(_APPLE["performance"])):
        return Cores(performance, _sysctl(_APPLE["efficiency"]))
    allowed = _allowed_cpus()
    if Path(_HYBRID_X86["efficiency"]).exists():
        performance_cpus = parse_cpu_list(Path(_HYBRID_X86["performance"]).read_text()) & allowed
        efficiency_cpus = parse_cpu_list(Path(_HYBRID_X86["efficiency"]).read_text()) & allowed
        return Cores(_physical(performance_cpus) or 1, len(efficiency_cpus))
    physical = psutil.cpu_count(logical=False) or 1
    return Cores(min(physical, len(allowed)), 0)


def cpu_quota(root: Path = Path("/")) -> float | None:
    """How many processors' time a container lets this process use, by cgroup v2 or v1; None where all of it.

    A quota holds for all groups within, so the least on the way from this process's group to the root counts.
    Source: the kernel's documentation of cgroup v2 (cpu.max) and of CFS bandwidth control (v1).
    """
    try:
        memberships = [line.split(":", 2) for line in (root / "proc/self/cgroup").read_text().splitlines()]
    except OSError:
        return None
    found = []
    for _, controllers, group in (membership for membership in memberships if len(membership) == 3):
        mounts = [root / "sys/fs/cgroup"] if not controllers else []
        if "cpu" in controllers.split(","):
            mounts = [root / "sys/fs/cgroup" / name for name in (controllers, "cpu")]
        path = PurePosixPath(group.lstrip("/"))
        for mount in mounts:
            found += [_quota_of(mount / above) for above in (path, *path.parents)]
    return min((quota for quota in found if quota is not None), default=None)


def _quota_of(group: Path) -> float | None:
    try:
        if (group / "cpu.max").is_file():
            quota, period = (group / "cpu.max").read_text().split()
        else:
            quota = (group / "cpu.cfs_quota_us").read_text().strip()
            period = (group / "cpu.cfs_period_us").read_text().strip()
        return None if quota == "max" or float(quota) <= 0 else float(quota) / float(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


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
    if told := _told_by_linux():
        return told
    import cpuinfo  # it asks other programs, for 0.15 s: too long for each process of an engine

    info = cpuinfo.get_cpu_info()
    return info.get("brand_raw", platform.processor() or "unknown"), tuple(info.get("flags", ()))


def _told_by_linux() -> tuple[str, tuple[str, ...]] | None:
    """The same of the first processor in /proc/cpuinfo, where that has both, as on x86."""
    try:
        first, _, _ = Path("/proc/cpuinfo").read_text().partition("\n\n")
    except OSError:
        return None
    facts = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in first.splitlines())}
    brand, flags = facts.get("model name"), facts.get("flags")
    return (brand, tuple(sorted(flags.split()))) if brand and flags else None


def memory_bytes() -> int:
    """Physical memory of the machine."""
    return int(psutil.virtual_memory().total)


def operating_system() -> str:
    """Name, release and architecture."""
    return f"{platform.system()} {platform.release()} {platform.machine()}"


def hardware() -> dict[str, Any]:
    """What makes this machine another one: where it differs, times do not compare. `kernel` is said, and is no part."""
    brand, flags = processor()
    found, quota = cores(), cpu_quota()
    gpus = [one.name for one in gpu.usable()]
    return {
        "cpu": brand,
        "cpu_flags": [flag for flag in _KERNEL_FLAGS if flag in flags],
        "performance_cores": found.performance,
        "efficiency_cores": found.efficiency,
        **({} if quota is None else {"cpu_quota": quota}),
        **({"gpus": gpus} if gpus else {}),
        "system": f"{platform.system()} {platform.machine()}",
        "kernel": platform.release(),
    }


def with_kernel_apart(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as `hardware` gives them; until version 0.1 the kernel's release was a part of `system`."""
    parts = str(facts.get("system", "")).split()
    if "kernel" in facts or len(parts) < 3:
        return dict(facts)
    return {**facts, "system": f"{parts[0]} {parts[-1]}", "kernel": " ".join(parts[1:-1])}


def identity(facts: Mapping[str, Any]) -> str | None:
    """The machine's name: of its hardware and system, whatever kernel or libraries it has; None of incomplete facts."""
    if not {"cpu", "cpu_flags", "performance_cores", "efficiency_cores", "system"} <= set(facts):
        return None
    whole = with_kernel_apart(facts)
    return digest({name: whole[name] for name in _IDENTITY if name in whole})


def digest(facts: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits of some facts."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]
