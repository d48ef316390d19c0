"""Runs and calibrations that were saved under names of former times, under today's."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from voiceperf.judge.criteria import BARS, Bar

FORMAT = 2  # of what is saved now; 1, which is not written there, had the shipped profile under another name


@cache
def _formerly() -> dict[str, dict[str, str]]:
    """By kind, the name of today by the former one."""
    return tomllib.loads(resources.files(__package__).joinpath("formerly.toml").read_text(encoding="utf-8"))


def workload_of(name: str) -> str:
    """What a workload, or a role, is called now."""
    return _formerly()["workloads"].get(name, name)


def bar_of(name: str) -> Bar | None:
    """The criterion that a run calls so: by its key, or in older runs by a title."""
    return BARS.get(_formerly()["criteria"].get(name, name))


def profile_of(name: str, saved: Mapping[str, Any]) -> str:
    """What a profile is called now that something saved, a run's record or a calibration, calls so."""
    return name if saved.get("format") == FORMAT else _formerly()["profiles"].get(name, name)


def renamed_record(record: Mapping[str, Any]) -> dict[str, Any]:
    """A run's record under today's names."""
    found = dict(record)
    for what in ("heard", "examples"):
        if what in record:
            found[what] = {workload_of(role): one for role, one in record[what].items()}
    if "candidate" in record:
        found["candidate"] = profile_of(record["candidate"], record)
    for what in ("stages_ms", "examples"):
        if what in record:
            found[what] = _profiles_renamed(found[what], record)
    return found


def _profiles_renamed(values: Any, record: Mapping[str, Any]) -> Any:
    """Tables in tables, some of which are by profile."""
    if not isinstance(values, Mapping):
        return values
    return {profile_of(key, record): _profiles_renamed(value, record) for key, value in values.items()}


def renamed_extra(extra: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    """What a benchmark has beside its times, under today's names."""
    sides = {what: profile_of(extra[what], record) for what in ("profile", "partner") if what in extra}
    workload = {"workload": workload_of(extra["workload"])} if "workload" in extra else {}
    return {**extra, **sides, **workload}


def renamed_test(name: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """A benchmark's name where what stands beside its times has other names now."""
    for what, form in (("profile", "-{}-"), ("workload", "-{}]")):
        if what in before:
            name = name.replace(form.format(before[what]), form.format(now[what]))
    return name


def renamed_series(name: str, saved: Mapping[str, Any]) -> str:
    """A series, as in `thinking: fair / control`, under today's names."""
    workload, colon, sides = name.partition(": ")
    return f"{workload_of(workload)}{colon}{' / '.join(profile_of(side, saved) for side in sides.split(' / '))}"
