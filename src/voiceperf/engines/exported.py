"""A setting in the words of another program: code or flags, and what of it only voiceperf has."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from voiceperf.params import EngineParams, known_default


@dataclass(frozen=True)
class Exported:
    """What another program is given: its text, and the parameters that it cannot be told, as they are set."""

    text: str
    only_here: Mapping[str, Any]


Export = Callable[[], Exported]


def left_over(params: EngineParams, taken: Iterable[str]) -> dict[str, Any]:
    """What is set otherwise than by default, and not taken over."""
    values = params.as_dict()
    known = set(taken)
    return {
        name: value
        for name, value in values.items()
        if name not in known and getattr(params, name) != known_default(params, name)
    }


def arguments(values: Mapping[str, Any], indent: str = "    ") -> str:
    """Keyword arguments of a call in Python, one a line."""
    return "".join(f"{indent}{name}={value!r},\n" for name, value in values.items())


def command_line(program: str, flags: Mapping[str, Any], switches: Mapping[str, bool] | None = None) -> str:
    """A command for a shell, one flag a line: those with a value, then those of the switches that are on."""
    words = [f"{flag} {shlex.quote(str(value))}" for flag, value in flags.items()]
    words += [flag for flag, is_on in (switches or {}).items() if is_on]
    return " \\\n  ".join([program, *words]) + "\n"
