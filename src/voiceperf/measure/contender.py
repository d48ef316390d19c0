"""A contender: what is to be measured, whole. An interpreter, an engine, its parameters and its environment."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from voiceperf.engines import params_class, role_named
from voiceperf.errors import ParameterError
from voiceperf.params import EngineParams
from voiceperf.profiles import Profile
from voiceperf.roles import ROLES

SOURCE_PATH = "PYTHONPATH"  # where an interpreter looks for voiceperf before its own site-packages


@dataclass(frozen=True)
class Contender:
    """One engine under one setting, ready to be started in a process of its own.

    `written` are the values that its profile names; a process fills in the others from its own voiceperf's defaults.
    """

    name: str
    params: EngineParams
    env: Mapping[str, str] = field(default_factory=dict)
    python: str = sys.executable
    written: Mapping[str, Any] | None = None

    @property
    def engine(self) -> str:
        return self.params.engine

    @property
    def role(self) -> str:
        return self.params.role

    def lacks(self, needed: Iterable[str]) -> str:
        """What of some abilities its engine has not, in words; empty where it has all."""
        lacking = sorted(set(needed) - self.params.can)
        return f"{self.engine} ({self.name}) cannot do this: {', '.join(lacking)}" if lacking else ""

    def outcome(self) -> tuple[object, ...]:
        """What decides its outputs: contenders of one outcome hear, think and speak alike."""
        return (self.python, *sorted(self.env.items()), *self.params.outcome())

    def alone(self) -> Contender:
        """As it is measured by itself: what lets other engines go first would let any other program here go first."""
        changes = self.params.alone()
        written = self.written and {name: changes.get(name, value) for name, value in self.written.items()}
        return replace(self, params=replace(self.params, **changes), written=written)

    def values(self) -> dict[str, Any]:
        """What its process is told to set."""
        return self.params.as_dict() if self.written is None else dict(self.written)


def of_profile(profile: Profile, what: str, changes: Mapping[str, Any] | None = None) -> Contender:
    """A profile's setting of the engine that plays a role, or of an engine by name, with single values changed.

    Raises:
        ParameterError: a value that the engine does not take, or an engine that plays another role.
    """
    setting, engine = profile[what], profile.engine_of(what)
    written = {**setting.values, **(changes or {})}
    known = params_class(engine)
    if what in ROLES and known.role != what:
        raise ParameterError(f"profile {profile.name}: {engine} plays {known.role}, not {what}; see [roles]")
    return Contender(profile.name, known.parse(written), setting.env, written=written)


def changed(profile: Profile, changes: Iterable[str], roles: Iterable[str] = ROLES) -> tuple[Profile, list[str]]:
    """A profile with single values changed, and the roles whose engines they are of.

    Args:
        profile: what is changed.
        changes: `name=value`, or `role.name=value`, where more than one engine has a parameter of that name.
        roles: whose engines may be meant.

    Raises:
        ParameterError: no engine has such a parameter, or several have; or it does not take the value.
    """
    touched: list[str] = []
    wanted = list(roles)
    for change in changes:
        name, equals, text = change.partition("=")
        place, _, name = name.rpartition(".")
        known = {role: params_class(profile.engine_of(role)) for role in ([role_named(place)] if place else wanted)}
        found = [role for role, one in known.items() if name in one.tunables()]
        if len(found) > 1:
            others = " and ".join(known[role].engine for role in found)
            raise ParameterError(f"{name} is a parameter of {others}; write {found[0]}.{name}={text}")
        if not found and len(known) > 1:
            engines = ", ".join(one.engine for one in known.values())
            raise ParameterError(f"none of {engines} has a parameter {name!r}; see: voiceperf parameters")
        (role,) = found or known
        setting = profile[role]
        values = known[role].parse_changes([f"{name}{equals}{text}"])
        profile = profile.having(role, replace(setting, values={**setting.values, **values}))
        touched += [role] if role not in touched else []
    return profile, touched


@dataclass(frozen=True)
class Side:
    """All engines of one profile in one environment: an interpreter, and whose voiceperf it runs."""

    name: str
    profile: Profile
    python: str = sys.executable
    source: str | None = None  # a folder that holds another voiceperf

    @property
    def env(self) -> Mapping[str, str]:
        """What its processes' environment has, beside what an engine's setting asks for."""
        foreign = self.python != sys.executable  # its voiceperf is its own, whatever this process was told
        source = "" if foreign and self.source is None else self.source
        return {} if source is None else {SOURCE_PATH: source}

    def contender(self, what: str) -> Contender:
        """The engine that plays a role, or an engine by name."""
        found = of_profile(self.profile, what)
        return replace(found, name=self.name, env={**found.env, **self.env}, python=self.python)
