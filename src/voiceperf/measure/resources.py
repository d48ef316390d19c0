"""What a process has used of memory and processors, and what the machine's host has taken away meanwhile."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from voiceperf import gpu
from voiceperf.engines.base import KernelCount


@dataclass(frozen=True)
class Resources:
    """A process's account so far.

    `machine_s` and `steal_s` are the whole machine's, and None where the kernel does not tell what its host took.
    What concerns GPUs is everybody's use of those that are here, because a container's driver tells no processes apart;
    None without one.
    """

    rss_bytes: int
    peak_rss_bytes: int
    cpu_s: float
    involuntary_switches: int
    machine_s: float | None = None
    steal_s: float | None = None
    # class attributes too, so that an older voiceperf's account has them
    kernels: tuple[KernelCount, ...] = ()
    gpu_bytes: int | None = None
    gpu_energy_j: float | None = None


@dataclass(frozen=True)
class Usage:
    """What was used between two moments; `steal` is the share of the machine's time that its host kept."""

    cpu_s: float
    peak_rss_bytes: int
    involuntary_switches: int
    steal: float | None
    kernels: tuple[KernelCount, ...] = ()
    gpu_bytes: int | None = None
    gpu_energy_j: float | None = None

    def as_record(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None or name == "steal"}


def own_resources() -> Resources:
    """The account of the process that asks."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    # the kernels disagree on the unit
    peak_bytes = usage.ru_maxrss if sys.platform == "darwin" else usage.ru_maxrss * 1024
    machine_s, steal_s = _machine()
    return Resources(
        rss_bytes=psutil.Process().memory_info().rss,
        peak_rss_bytes=_peak_rss_bytes("self") or peak_bytes,
        cpu_s=usage.ru_utime + usage.ru_stime,
        involuntary_switches=usage.ru_nivcsw,
        machine_s=machine_s,
        steal_s=steal_s,
        gpu_bytes=gpu.used_bytes(),
        gpu_energy_j=gpu.energy_j(),
    )


def resources_of(pids: Iterable[int]) -> Resources:
    """The account of other processes with all their children, together; a peak only where the kernel tells it."""
    return together([_of_one(process) for process in family(pids)])


def family(pids: Iterable[int]) -> list[psutil.Process]:
    """Processes and all their children."""
    roots = [psutil.Process(pid) for pid in pids]
    return [process for root in roots for process in (root, *root.children(recursive=True))]


def _of_one(process: psutil.Process) -> Resources:
    rss_bytes, times = process.memory_info().rss, process.cpu_times()
    return Resources(
        rss_bytes,
        _peak_rss_bytes(process.pid) or rss_bytes,
        times.user + times.system,
        process.num_ctx_switches().involuntary,
        *_machine(),
        gpu_bytes=gpu.used_bytes(),
        gpu_energy_j=gpu.energy_j(),
    )


def _machine() -> tuple[float | None, float | None]:
    """All processors' time so far, and what the host took of it."""
    times = psutil.cpu_times()
    steal_s: float | None = getattr(times, "steal", None)
    return None if steal_s is None else sum(times), steal_s


def _peak_rss_bytes(process: int | str) -> int | None:
    """A process's own peak: Linux hands a parent's `ru_maxrss` down to what it starts, but not its VmHWM."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def together(accounts: Sequence[Resources]) -> Resources:
    """Several processes of one machine as one account."""
    return Resources(
        rss_bytes=sum(account.rss_bytes for account in accounts),
        peak_rss_bytes=sum(account.peak_rss_bytes for account in accounts),
        cpu_s=sum(account.cpu_s for account in accounts),
        involuntary_switches=sum(account.involuntary_switches for account in accounts),
        machine_s=accounts[-1].machine_s,
        steal_s=accounts[-1].steal_s,
        gpu_bytes=accounts[-1].gpu_bytes,
        gpu_energy_j=accounts[-1].gpu_energy_j,
    )


def usage_between(before: Resources, after: Resources) -> Usage:
    """The difference of two accounts of one process."""
    steal = None
    if None not in (before.steal_s, before.machine_s, after.steal_s, after.machine_s):
        passed_s = after.machine_s - before.machine_s  # type: ignore[operator]  # none is None
        steal = (after.steal_s - before.steal_s) / passed_s if passed_s > 0 else 0.0  # type: ignore[operator]
    return Usage(
        cpu_s=after.cpu_s - before.cpu_s,
        peak_rss_bytes=after.peak_rss_bytes,
        involuntary_switches=after.involuntary_switches - before.involuntary_switches,
        steal=steal,
        kernels=tuple(_counted_between(before.kernels, after.kernels)),
        gpu_bytes=after.gpu_bytes,
        gpu_energy_j=_between(before.gpu_energy_j, after.gpu_energy_j),
    )


def _between(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _counted_between(before: Iterable[KernelCount], after: Iterable[KernelCount]) -> Iterator[KernelCount]:
    known = {one.operation: one for one in before}
    for one in after:
        was = known.get(one.operation, KernelCount(one.operation, 0, 0))
        if one != was:
            yield KernelCount(one.operation, one.ours - was.ours, one.theirs - was.theirs)


def counted(accounts: Iterable[Iterable[KernelCount]]) -> dict[str, KernelCount]:
    """Several accounts as one, by operation."""
    found: dict[str, KernelCount] = {}
    for one in (one for account in accounts for one in account):
        was = found.get(one.operation, KernelCount(one.operation, 0, 0))
        found[one.operation] = KernelCount(one.operation, was.ours + one.ours, was.theirs + one.theirs)
    return found
