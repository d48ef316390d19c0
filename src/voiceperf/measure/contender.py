"""A contender: what is to be measured, whole. An interpreter, an engine, its parameters and its environment."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from voiceperf.engines import params_class
from voiceperf.params import EngineParams
from voiceperf.profiles import Profile


@dataclass(frozen=True)
class Contender:
    """One engine under one setting, ready to be started in a process of its own."""

    name: str
    params: EngineParams
    env: Mapping[str, str] = field(default_factory=dict)
    python: str = sys.executable

    @property
    def engine(self) -> str:
        return self.params.engine


def of_profile(profile: Profile, engine: str, changes: Mapping[str, Any] | None = None) -> Contender:
    """A profile's setting of one engine, with single values changed.

    Raises:
        ParameterError: a value that the engine does not take.
    """
    setting = profile[engine]
    params = params_class(engine).parse({**setting.values, **(changes or {})})
    return Contender(profile.name, params, setting.env)
