"""What can be tried on this machine: each parameter's values, less those that build or machine has no means for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from voiceperf import machine
from voiceperf.engines import missing
from voiceperf.errors import ModelError, ParameterError
from voiceperf.log import Progress
from voiceperf.models.store import locate
from voiceperf.params import EngineParams

_THREADS = (1, 2, 4, 6, 8, 10)


@dataclass(frozen=True)
class Space:
    """One engine's search space around a starting point, whose values stand first."""

    start: EngineParams
    values: Mapping[str, tuple[Any, ...]]
    left_out: Mapping[str, str]  # the reason, by "name = value"
    beside: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)  # what can be judged only beside others

    @property
    def engine(self) -> str:
        return self.start.engine

    @property
    def role(self) -> str:
        return self.start.role

    def single_changes(self) -> Iterator[dict[str, Any]]:
        """Every value that differs from the starting point, alone."""
        for name, values in self.values.items():
            yield from ({name: value} for value in values[1:])

    def beside_as(self, other: EngineParams) -> dict[str, Any]:
        """What can be judged only beside other engines, as another setting has it, where this machine has the means."""
        wanted = {name: getattr(other, name) for name in self.beside}
        return {name: value for name, value in wanted.items() if value in self.beside[name]}

    def choices_of(self, params: EngineParams) -> dict[str, Any]:
        """What parameters choose of the space's dimensions."""
        return {name: getattr(params, name) for name in self.values}

    def changed(self, choices: Mapping[str, Any]) -> dict[str, Any]:
        """What is chosen otherwise than at the starting point."""
        return {name: value for name, value in choices.items() if value != self.values[name][0]}

    def in_words(self, choices: Mapping[str, Any]) -> str:
        """The same for people."""
        return ", ".join(f"{name} = {value}" for name, value in self.changed(choices).items()) or "nothing changed"

    def at(self, choices: Mapping[str, Any]) -> EngineParams | None:
        """The starting point with some values chosen otherwise; None where these exclude one another."""
        try:
            return replace(self.start, **choices)
        except ParameterError:
            return None


def space_around(start: EngineParams, making: Progress | None = None) -> Space:
    """The values that are declared worth trying, thread counts as this machine's cores allow.

    Of a user's own model these are its own weights in other types, never another model.

    Args:
        start: whose values stand first.
        making: makes such files where they are missing, and is called before each.
    """
    values: dict[str, tuple[Any, ...]] = {}
    beside: dict[str, tuple[Any, ...]] = {}
    left_out: dict[str, str] = {}
    for name, known in start.tunables().items():
        own = getattr(start, name)
        tries: tuple[Any, ...]
        if name in start.thread_names:
            tries = thread_counts(machine.cores().performance, start.threads(name))
        elif name == "model" and own not in known.tries:
            tries = tuple(start.other_weights(making))
        else:
            tries = tuple(value for value in known.tries if value != own)
        able = []
        for value in tries:
            if reason := _why_not(start, name, value):
                left_out[f"{name} = {value}"] = reason
            else:
                able.append(value)
        if able:
            (beside if known.beside else values)[name] = (own, *able)
    return Space(start, values, left_out, beside)


def thread_counts(performance_cores: int, own: int) -> tuple[int, ...]:
    """How many threads are worth trying beside one's own number: never more than there are performance cores.

    Efficiency cores are left out, because in work divided evenly every thread waits for the slowest.
    """
    counts = {count for count in (*_THREADS, performance_cores) if count <= performance_cores}
    return tuple(sorted(counts - {own}))


def _why_not(start: EngineParams, name: str, value: Any) -> str | None:
    """What a value lacks here. That it excludes another parameter's value is no reason: both may change."""
    try:
        changed = replace(start, **{name: value})
    except ParameterError:
        return None
    if name == "model":
        try:
            locate(value)
        except ModelError as error:
            return str(error)
    return missing(changed).get(name)
