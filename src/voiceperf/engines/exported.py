"""A setting in the words of another program: code or flags, and what of it only voiceperf has."""

from __future__ import annotations

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
