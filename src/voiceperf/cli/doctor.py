"""`voiceperf doctor`: what this machine is, what the installed engines can do, and what to do about the rest."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.table import Table

from voiceperf import __version__, engines, gpu, machine
from voiceperf.cli.app import Group, Json, app, print_json
from voiceperf.cli.material import recorded_call
from voiceperf.errors import EngineError, VoicePerfError
from voiceperf.measure.contender import of_profile
from voiceperf.measure.process import WorkerProcess
from voiceperf.measure.resources import usage_between
from voiceperf.models.catalogue import CATALOGUE
from voiceperf.models.store import locate, path_of
from voiceperf.report.tables import page
from voiceperf.roles import ROLES
from voiceperf.suite import standing
from voiceperf.suite.workloads import duel_requests


@app.command(rich_help_panel=Group.SET_UP)
def doctor(as_json: Json = False) -> None:
    """Show cores, CPU flags, what each engine supports here, the models, and what is missing.

    Each engine of the profile in force is asked once, for the shortest work of Call 61: whether it runs here, and how
    many of its operations voiceperf's own kernels compute.
    """
    facts = _facts()
    if as_json:
        print_json(facts)
        return
    table = Table(title=f"voiceperf {__version__}", title_justify="left", show_header=False)
    cores = facts["cores"]
    table.add_row("processor", facts["processor"])
    quota = "" if facts["cpu_quota"] is None else f"; a container's quota is {facts['cpu_quota']:g} processors"
    table.add_row("cores", f"{cores['performance']} performance, {cores['efficiency']} efficiency{quota}")
    table.add_row("vectors", ", ".join(facts["vector_flags"]) or "none that engines know")
    table.add_row("memory", f"{facts['memory_gib']:.0f} GiB")
    for one in facts["gpus"]:
        size = f"{one['memory_bytes'] / 2**30:.0f} GiB, " if one["memory_bytes"] else ""
        table.add_row("GPU", f"{one['name']}, {size}compute capability {one['capability']}, driver {one['driver']}")
    if facts["gpu_remedy"]:
        table.add_row("GPU", f"no  NVIDIA's driver is here  ({facts['gpu_remedy']})")
    table.add_row("system", facts["system"])
    table.add_row("profile", facts["profile"])
    for engine, able in facts["engines"].items():
        table.add_section()
        for row in able:
            table.add_row(engine, f"{'yes' if row['available'] else 'no '}  {row['name']}{_remedy(row)}")
    table.add_section()
    for role, row in facts["runs"].items():
        table.add_row(role, f"{'runs' if row['available'] else 'no  '}  {row['text']}")
    table.add_section()
    missing = [name for name, here in facts["models"].items() if not here]
    table.add_row("models", f"{len(facts['models']) - len(missing)} of {len(facts['models'])} here")
    if missing:
        table.add_row("missing", f"{', '.join(missing)}\nrun: voiceperf models pull")
    page().print(table)


def _remedy(row: dict[str, Any]) -> str:
    return "" if row["available"] or not row["remedy"] else f"  ({row['remedy']})"


def _facts() -> dict[str, Any]:
    brand, flags = machine.processor()
    cores = machine.cores()
    wide = ("avx", "amx", "neon", "asimd", "sve", "fma", "f16c", "bf16", "i8mm")
    return {
        "voiceperf": __version__,
        "processor": brand,
        "cores": {"performance": cores.performance, "efficiency": cores.efficiency},
        "cpu_quota": machine.cpu_quota(),
        "vector_flags": sorted(flag for flag in flags if flag.startswith(wide)),
        "memory_gib": machine.memory_bytes() / 2**30,
        "gpus": [asdict(one) for one in gpu.gpus()],
        "gpu_remedy": gpu.remedy(),
        "system": machine.operating_system(),
        "profile": _profile_in_force(),
        "engines": {engine: _capabilities(engine) for engine in engines.names()},
        "runs": {role: _tried(role) for role in ROLES},
        "models": {name: path_of(asset).is_file() for name, asset in CATALOGUE.items()},
    }


def _profile_in_force() -> str:
    profile, remark = standing.in_force()
    if not profile.origin:
        return remark or f"{profile.name}, as shipped"
    retreats = profile.origin.get("retreats", [])
    return "\n".join([f"{standing.path()}, found {profile.origin['date']}", *retreats])


def _tried(role: str) -> dict[str, Any]:
    """What comes of one small piece of work."""
    request = next(iter(duel_requests(recorded_call(None), role).values()))
    try:
        contender = of_profile(standing.in_force()[0], role)
        for name in set(contender.params.files()) & CATALOGUE.keys():
            locate(name)  # before kernels are compiled for a model that is not here
        with WorkerProcess(contender) as worker:
            before = worker.resources()
            timing, _ = worker.once(request)
            used = usage_between(before, worker.resources())
    except VoicePerfError as error:
        return {"available": False, "text": str(error)}
    shares = ", ".join(map(str, used.kernels))
    text = f"{contender.engine}, {timing.wall_ns / 1e6:.0f} ms the first time"
    return {"available": True, "text": text + (f"; voiceperf's kernels: {shares}" if shares else "")}


def _capabilities(engine: str) -> list[dict[str, Any]]:
    try:
        able = engines.capabilities(engine)
    except EngineError as error:
        return [{"name": "installed", "available": False, "remedy": str(error)}]
    return [{"name": c.name, "available": c.available, "remedy": c.remedy} for c in able]
