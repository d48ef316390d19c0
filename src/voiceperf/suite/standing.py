"""The profile in force on this machine: what was found to hold here, kept in a file, else the shipped one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from voiceperf import machine, profiles
from voiceperf.errors import ModelError, ParameterError, VoicePerfError
from voiceperf.judge.verdict import Verdict
from voiceperf.measure.contender import of_profile
from voiceperf.measure.fingerprint import fingerprint, machine_id
from voiceperf.places import data_dir
from voiceperf.profiles import Profile
from voiceperf.roles import ROLES
from voiceperf.suite.settle import Settled, Settlement
from voiceperf.suite.under_load import Say


def path() -> Path:
    """Where this machine's own profile is kept; one that an older version named by the kernel too stays there."""
    folder = data_dir() / "profiles"
    own = folder / f"{machine_id()}.toml"
    if own.is_file():
        return own
    return next((other for other in sorted(folder.glob("*.toml")) if _is_of_this_machine(other)), own)


def _is_of_this_machine(path: Path) -> bool:
    try:
        facts = profiles.load(str(path)).origin.get("fingerprint")
    except VoicePerfError:
        return False
    return isinstance(facts, dict) and machine.identity(facts) == machine_id()


def keep(profile: Profile, found: Mapping[str, Any]) -> Path:
    """Put a profile in force, with what was found of it; it is left again where models or libraries change."""
    date = datetime.now(UTC).isoformat(timespec="seconds")
    origin = {"date": date, "from": profile.name, **found, "fingerprint": _fingerprint(profile)}
    profiles.save(replace(profile, origin=origin), path())
    return path()


def settle_here(settlement: Settlement, profile: Profile, say: Say) -> Settled:
    """Let a profile step back until it holds on this machine, and put the result in force."""
    found = settlement.settle(profile, say, last_good())
    if found.load.verdict is Verdict.FAIL:
        say(f"nothing is changed: with as few threads as can be, load is not borne ({found.load.reason})")
        return found
    kept = keep(found.profile, {"retreats": [str(retreat) for retreat in found.retreats]})
    say(f"in force on this machine from now on: {kept}")
    return found


def leave() -> bool:
    """Return to the shipped profile; whether there was another."""
    there = path().is_file()
    while path().is_file():  # one under an older name too
        path().unlink()
    return there


def in_force() -> tuple[Profile, str]:
    """The profile that commands use where none is named, and what there is to say about it."""
    if not path().is_file():
        return profiles.load(profiles.DEFAULT), ""
    profile = profiles.load(str(path()))
    if changes := changes_since(profile):
        remark = f"{path()} is not used: {'; '.join(changes)}; run: voiceperf settle"
        return profiles.load(profiles.DEFAULT), remark
    return profile, ""


def last_good() -> Profile | None:
    """What held here before, where it was found on these libraries and models."""
    profile, _ = in_force()
    return profile if profile.origin else None


def changes_since(profile: Profile) -> list[str]:
    """What differs now from what a profile was found on: libraries and models, in words."""
    then = profile.origin.get("fingerprint", {})
    try:
        now = _fingerprint(profile)
    except (ModelError, ParameterError) as error:
        return [str(error)]
    return [
        f"{name} was {before} and is {after}"
        for part in ("libraries", "models_sha256")
        for name, before, after in _differences(then.get(part, {}), now[part])
    ]


def _differences(then: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str, str]]:
    names = sorted({*then, *now})
    return [
        (name, then.get(name, "missing")[:12], now.get(name, "missing")[:12])
        for name in names
        if then.get(name) != now.get(name)
    ]


def _fingerprint(profile: Profile) -> dict[str, Any]:
    """As it can be written: TOML knows no null."""
    facts = fingerprint(of_profile(profile, role) for role in ROLES)
    return {**facts, "libraries": {name: version for name, version in facts["libraries"].items() if version}}
