"""Named sets of parameters for the engines of the three roles, in TOML: the ones that ship, or a user's own file.

```toml
summary = "what it is for"
[whisper]
n_threads = 4
[whisper.env]              # environment variables of the engine's process
OMP_WAIT_POLICY = "passive"
[whisper.linux]            # only on this system: linux, darwin or win32
n_threads = 2
[whisper.linux.avx512_vnni]  # and only on a processor with this feature, by the system's name for it
vnni_kernels = true
[whisper.linux.cuda]       # and only where its build computes on an NVIDIA GPU that is here
use_gpu = true
[roles]                    # who plays a role, where it is not whisper, llama or kokoro
hearing = "another_engine"
[origin]                   # where it comes from, for readers; nothing is set by it
date = 2026-11-23
```
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import tomli_w

from voiceperf import gpu, machine
from voiceperf.errors import InputError
from voiceperf.files import read_toml, shown, write_text
from voiceperf.log import say
from voiceperf.roles import HEARING, ROLES, SPEAKING, THINKING

DEFAULT = "shipped"  # what commands use, and the suite judges, where nothing else is named
FORMERLY = {"tuned": DEFAULT}
PLAYERS = {HEARING: "whisper", THINKING: "llama", SPEAKING: "kokoro"}  # where a profile names no other engine
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SYSTEMS = ("linux", "darwin", "win32")  # as `sys.platform` calls them


@dataclass(frozen=True)
class Setting:
    """One engine's part of a profile: parameter values as written, and environment variables of its process.

    `sections` says in which table of the file each value was found; `overridden` has what another table sets in vain.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    sections: Mapping[str, str] = field(default_factory=dict, compare=False)
    overridden: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Profile:
    """A named set of settings, by engine. Values are checked by the engine's own declaration, not here.

    `players` says which engine plays a role, where it is not the usual one.
    """

    name: str
    summary: str
    engines: Mapping[str, Setting]
    origin: Mapping[str, Any] = field(default_factory=dict)
    players: Mapping[str, str] = field(default_factory=dict)

    def engine_of(self, what: str) -> str:
        """The engine that plays a role; an engine's own name stays."""
        return self.players.get(what) or PLAYERS.get(what, what)

    def __getitem__(self, what: str) -> Setting:
        """The setting of a role's engine, or of an engine by name."""
        return self.engines.get(self.engine_of(what), Setting())

    def having(self, what: str, setting: Setting) -> Profile:
        """The same profile with another setting of one engine, or of a role's."""
        return replace(self, engines={**self.engines, self.engine_of(what): setting})

    def playing(self, role: str, other: Profile) -> Profile:
        """The same profile with a role played as another profile has it."""
        engine = other.engine_of(role)
        engines = {**self.engines, engine: other[role]}
        return replace(self, engines=engines, players={**self.players, role: engine})


def shipped() -> list[str]:
    """The names of the profiles in the package."""
    files = resources.files(__name__).iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def load(name_or_path: str, source: str | None = None) -> Profile:
    """A shipped profile by name, or a user's own by the path of its TOML file.

    Args:
        name_or_path: of the profile.
        source: a folder that holds another voiceperf, whose shipped profiles are meant.

    Raises:
        InputError: no such profile, or a file that is not one.
    """
    if name_or_path in FORMERLY and not Path(name_or_path).exists():
        say(f"profile {name_or_path!r} is called {FORMERLY[name_or_path]!r} now")
        name_or_path = FORMERLY[name_or_path]
    folder = Path(source, *__name__.split(".")) if source else resources.files(__name__)
    if name_or_path in shipped():
        names = [name_or_path, *(old for old, new in FORMERLY.items() if new == name_or_path)]
        files = [file for name in names if (file := folder.joinpath(f"{name}.toml")).is_file()]
        if not files:
            raise InputError(f"profile {name_or_path!r}: the other voiceperf ships none of that name; name a file")
        return _profile(name_or_path, name_or_path, tomllib.loads(files[0].read_text(encoding="utf-8")))
    path = Path(name_or_path)
    if not path.exists():
        raise InputError(f"no profile {shown(name_or_path)!r}: neither a file nor one of {', '.join(shipped())}")
    found = _profile(path.stem, shown(path), read_toml(path, "profile"))
    for engine, setting in found.engines.items():
        for name, written in setting.overridden.items():
            _say_overridden(f"{shown(path)}: {engine}.{name} = {written!r}", setting.sections[name])
    return found


@cache
def _say_overridden(what: str, section: str) -> None:
    """Once, however often the profile is read."""
    say(f"{what} has no effect on this machine, because [{section}] sets it too")


def save(profile: Profile, path: Path) -> None:
    """Write a profile as it is on this machine; what stood there before stays whole until the new file is."""
    tables = {
        engine: {**setting.values, **({"env": setting.env} if setting.env else {})}
        for engine, setting in profile.engines.items()
    }
    players = {"roles": profile.players} if profile.players else {}
    write_text(path, tomli_w.dumps({"summary": profile.summary, **players, **tables, "origin": profile.origin}))


def _profile(name: str, where: str, document: dict[str, Any]) -> Profile:
    summary, origin = document.pop("summary", ""), document.pop("origin", {})
    if not isinstance(summary, str) or not isinstance(origin, dict):
        raise InputError(f"{where}: summary must be a text and [origin] a table")
    players = document.pop("roles", {})
    if not isinstance(players, dict) or not all(isinstance(engine, str) for engine in players.values()):
        raise InputError(f'{where}: [roles] must name engines, as in hearing = "{PLAYERS[HEARING]}"')
    if unknown := set(players) - set(ROLES):
        raise InputError(f"{where}: no role {', '.join(sorted(unknown))} in [roles]; there are {', '.join(ROLES)}")
    engines = {engine: _setting(where, engine, table) for engine, table in document.items()}
    return Profile(name, summary, engines, origin, players)


def _setting(where: str, engine: str, table: Any) -> Setting:
    if not isinstance(table, dict):
        raise InputError(f"{where}: {engine!r} must be a table of one engine's parameters")
    env = table.pop("env", {})
    systems = {system: table.pop(system, {}) for system in _SYSTEMS}
    if not all(isinstance(values, dict) for values in systems.values()):
        raise InputError(f"{where}: [{engine}.linux] and the like must be tables of parameters")
    if not isinstance(env, dict) or not all(isinstance(value, str) and "\0" not in value for value in env.values()):
        raise InputError(f"{where}: [{engine}.env] must hold texts without a null character")
    if (wrong := next((name for name in env if not _VARIABLE.fullmatch(name)), None)) is not None:
        raise InputError(f"{where}: [{engine}.env] {wrong!r} is no name of an environment variable")
    sections = {engine: table, **_for_this_machine(engine, systems.get(sys.platform, {}))}
    values: dict[str, Any] = {}
    found: dict[str, str] = {}
    overridden: dict[str, Any] = {}
    for section, more in sections.items():  # the later one counts
        overridden |= {name: values[name] for name in more if name in values and values[name] != more[name]}
        values |= more
        found |= dict.fromkeys(more, section)
    return Setting(values, env, found, overridden)


def _for_this_machine(engine: str, table: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By section a system's values, and after them those of what its processor and the engine's build can do."""
    section = f"{engine}.{sys.platform}"
    values = {name: value for name, value in table.items() if not isinstance(value, dict)}
    features = {name: value for name, value in table.items() if isinstance(value, dict)}
    on_gpu = features.pop(gpu.CUDA, None)
    present = machine.processor()[1] if features else ()
    found = {section: values} | {f"{section}.{name}": more for name, more in features.items() if name in present}
    if on_gpu is not None and gpu.is_built_for(engine):  # over the processor's, wherever it stands in the file
        found[f"{section}.{gpu.CUDA}"] = on_gpu
    return found
