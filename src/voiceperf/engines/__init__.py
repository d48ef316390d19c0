"""The engines by name, as installed packages declare them in the entry-point group `voiceperf.engines`.

An engine's module is imported only when it is asked for, so none needs the others' libraries.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import sys
from functools import cache
from importlib.metadata import EntryPoint
from types import ModuleType

from voiceperf import gpu
from voiceperf.engines.base import Capability, Engine
from voiceperf.errors import EngineError, ParameterError
from voiceperf.params import EngineParams, known_default
from voiceperf.roles import ROLES

GROUP = "voiceperf.engines"


@cache
def _declared() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in importlib.metadata.entry_points(group=GROUP)}


def names() -> list[str]:
    """Every engine that an installed package declares."""
    return sorted(_declared())


def engine_class(name: str) -> type[Engine]:
    """The engine's class; its `Params` declare its role and what can be tuned.

    Raises:
        ParameterError: no such engine.
        EngineError: its library is not installed, with the command that installs it.
    """
    entry = _declared().get(name)
    if entry is None:
        raise ParameterError(f"no engine {name!r}; there are {', '.join(names())}")
    gpu.make_loadable(name)
    try:
        found: type[Engine] = entry.load()
    except ImportError as error:
        package = entry.dist.name if entry.dist else "voiceperf"
        extra = next(iter(entry.extras), name)
        raise EngineError(
            f"the {name} engine's library is missing ({error}); pip install '{package}[{extra}]'"
        ) from None
    return found


def params_class(name: str) -> type[EngineParams]:
    """The engine's parameter declarations."""
    return engine_class(name).Params


def role_named(name: str) -> str:
    """A role by its own name, or by the name of an engine that plays it.

    Raises:
        ParameterError: neither.
    """
    if name in ROLES:
        return name
    if name not in _declared():
        raise ParameterError(f"no role or engine {name!r}; roles: {', '.join(ROLES)}; engines: {', '.join(names())}")
    return params_class(name).role


def capabilities(name: str) -> list[Capability]:
    """What this installation of an engine can do, and what it would take to do the rest."""
    found: list[Capability] = getattr(_module(name), "capabilities", list)()
    return found


def missing(params: EngineParams) -> dict[str, str]:
    """The parameters that this build or machine has no means for, each with the reason."""
    lacking = getattr(_module(params.engine), "missing", None)
    return dict(lacking(params)) if lacking else {}


def without_missing(params: EngineParams) -> tuple[EngineParams, dict[str, str]]:
    """Parameters with the default for each that this build or machine has no means for, and these with the reason."""
    lacking = missing(params)
    defaults = {name: known_default(params, name) for name in lacking}
    return dataclasses.replace(params, **defaults), lacking


def load(params: EngineParams) -> Engine:
    """Load an engine with validated parameters."""
    make = engine_class(params.engine)
    return make(params)  # type: ignore[call-arg]  # a protocol cannot promise its constructor


def _module(name: str) -> ModuleType:
    return sys.modules[engine_class(name).__module__]
