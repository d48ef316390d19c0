"""A parameter is declared once, as a field of a frozen dataclass; all else derives from that declaration.

Validation, the profile key, the command line's help and the tuner's search space all read the `Tunable` that
stands in the field's metadata.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from voiceperf import machine
from voiceperf.errors import ParameterError
from voiceperf.log import Progress
from voiceperf.roles import DETERMINISTIC, LOCAL

_KEY = "tunable"
ALL_CORES = 0  # a thread count that means: this machine's performance cores, within a container's quota


@dataclass(frozen=True)
class Tunable:
    """What is known of one parameter beside its name, type and default."""

    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] | None = None
    unit: str = ""
    neutral: bool = False  # changes when a result comes, never what it is
    tries: tuple[Any, ...] = ()  # what the tuner tries; it leaves a parameter without any alone
    beside: bool = False  # judged only beside other engines, who want the same cores: on whole turns
    overlaps: bool = False  # decides which stages work at once: judged on whole turns too, though results change

    def refuse(self, value: Any) -> str | None:
        """Why `value` is out of bounds, or None."""
        if isinstance(value, float) and not math.isfinite(value):
            return "must be a number that is finite"
        if isinstance(value, tuple) and not all(isinstance(one, str) and one for one in value):
            return "must be a list of texts, none of them empty"
        if self.choices is not None and value not in self.choices:
            return f"must be one of {', '.join(map(str, self.choices))}"
        if self.low is not None and value < self.low:
            return f"must be at least {self.low:g} {self.unit}".rstrip()
        if self.high is not None and value > self.high:
            return f"must be at most {self.high:g} {self.unit}".rstrip()
        return None


def tunable(
    default: Any,
    help: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: Iterable[Any] | None = None,
    unit: str = "",
    neutral: bool = False,
    tries: Iterable[Any] = (),
    beside: bool = False,
    overlaps: bool = False,
) -> Any:
    """Declare a parameter: a dataclass field with its default, bounds or choices, unit and help.

    `neutral` parameters change when a result comes, never what it is: threads, spinning, memory mapping. `tries` are
    the values that the tuner searches among: on each engine alone, then, where they are neutral or decide which stages
    work at once (`overlaps`), on whole turns; what can be judged only `beside` other engines, because what it gains
    alone it may cost them, on whole turns alone.
    """
    only = None if choices is None else tuple(choices)
    known = Tunable(help, low, high, only, unit, neutral, tuple(tries), beside, overlaps)
    return field(default=default, metadata={_KEY: known})


@dataclass(frozen=True)
class Delivery:
    """How a service hands texts to an engine that speaks."""

    lang: str = "en-us"
    by_sentence: bool = True  # each sentence by itself, so that the first sounds while the others are computed
    filter_text: bool = True  # without what is not to be spoken: markup, emoji
    pause_s: float = 0.0  # between the pieces


@dataclass(frozen=True)
class EngineParams:
    """Base of each engine's parameters: built from any mapping, never half valid."""

    engine: ClassVar[str]
    role: ClassVar[str]  # which it plays (`voiceperf.roles`)
    can: ClassVar[frozenset[str]] = frozenset({DETERMINISTIC, LOCAL})  # of `roles.ABILITIES`
    title: ClassVar[str] = ""  # what people call the engine
    home: ClassVar[str] = ""  # where it comes from
    thread_names: ClassVar[tuple[str, ...]] = ()  # the parameters that count threads
    distributions: ClassVar[tuple[str, ...]] = ()  # the packages that do its work

    def __post_init__(self) -> None:
        for name, known in self.tunables().items():
            value = getattr(self, name)
            reason = _wrong_type(value, type(known_default(self, name))) or known.refuse(value)
            if reason:
                raise ParameterError(f"{self.engine}.{name} = {value!r}: {reason}")
        self.check()

    def check(self) -> None:
        """Rules that span several parameters; engines override it."""

    def threads(self, name: str) -> int:
        """What a thread count comes to on this machine; the library's own choice stays what stands for it."""
        count: int = getattr(self, name)
        cores = machine.cores().performance
        return cores if count == ALL_CORES else count

    def safer(self) -> list[dict[str, Any]]:
        """Steps back from these values where they do not hold, each further than the last; engines override it."""
        return []

    def other_weights(self, making: Progress | None = None) -> list[str]:
        """Files that hold the user's own model in other types of weights; engines override it.

        Args:
            making: makes those that are missing, and is called before each.
        """
        return []

    def languages(self) -> list[str]:
        """Which an engine that hears takes; engines override it."""
        return ["en"]

    def expects(self) -> str:
        """The language that an engine that hears is set to, by its code; empty where it finds out."""
        found = str(getattr(self, "language", ""))
        return "" if found == "auto" else found

    def files(self) -> list[str]:
        """What may name a file that decides what comes of the engine: catalogue names, and paths."""
        return [value for value in self.as_dict().values() if isinstance(value, str)]

    def voices(self) -> list[str]:
        """The names that a line may ask an engine that speaks for, beside its own; engines override it."""
        return []

    def speaker(self) -> tuple[Any, ...]:
        """Whose voice it is: only of one voice are pace and sound compared; engines that speak override it."""
        return (self.engine,)

    def delivery(self) -> Delivery:
        """How an engine that speaks wants its texts; engines override it."""
        return Delivery()

    def niceness(self) -> int:
        """How far the engine's process lets others go first, as Unix counts it; engines override it."""
        return 0

    def alone(self) -> dict[str, Any]:
        """What is set otherwise where the engine works by itself, with nobody to let go first; engines override it."""
        return {}

    def wording(self) -> tuple[Any, ...]:
        """What decides an answer's words beside the model's scores, as how they are sampled; engines override it."""
        return ()

    def patience_s(self) -> float:
        """How much longer than usual a request may take before the engine counts as hung; engines override it."""
        return 0.0

    def environment(self) -> dict[str, str]:
        """Environment variables that the engine's process must be started with; engines override it."""
        return {}

    def exports(self) -> Mapping[str, Callable[[], Any]]:
        """By the name of another program, its words for these values (`engines.exported`); engines override it."""
        return {}

    def says(self) -> dict[str, Any]:
        """What an engine that is elsewhere says of itself: its program, its models; engines override it."""
        return {}

    @classmethod
    def tunables(cls) -> dict[str, Tunable]:
        """Every parameter's declaration, by name, in the order of the class."""
        return {f.name: f.metadata[_KEY] for f in dataclasses.fields(cls)}

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Build from a profile's table.

        Raises:
            ParameterError: an unknown name (with the nearest known one), a wrong type, or a value out of bounds.
        """
        known = cls.tunables()
        for name in values:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
                raise ParameterError(f"{cls.engine} has no parameter {name!r}; {hint}")
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})

    @classmethod
    def parse_changes(cls, changes: Iterable[str]) -> dict[str, Any]:
        """Values that are spelled as on the command line, `name=value` each.

        Raises:
            ParameterError: one that is spelled otherwise, or that no parameter takes.
        """
        values = {}
        for change in changes:
            name, equals, text = change.partition("=")
            if not equals:
                raise ParameterError(f"{change}: write it as name=value")
            values[name] = cls.parse_text(name, text)
        return values

    @classmethod
    def parse_text(cls, name: str, text: str) -> Any:
        """Read the command line's spelling of one parameter's value."""
        defaults = declared_defaults(cls)
        if name not in defaults:
            cls.parse({name: text})  # raises with the hint
        return _from_text(f"{cls.engine}.{name}", text, type(defaults[name]))

    def outcome(self) -> tuple[tuple[str, Any], ...]:
        """What decides the output: two settings with the same outcome hear, think and speak alike."""
        known = self.tunables()
        return tuple((name, value) for name, value in dataclasses.asdict(self).items() if not known[name].neutral)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a profile, a history or another process."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in dataclasses.asdict(self).items()}


def known_default(params: EngineParams, name: str) -> Any:
    """The declared default, which also declares the type."""
    return declared_defaults(type(params))[name]


def declared_defaults(known: type[EngineParams]) -> dict[str, Any]:
    """Every parameter's default, by name."""
    return {f.name: f.default for f in dataclasses.fields(known)}


def _wrong_type(value: Any, wanted: type) -> str | None:
    texts = value if isinstance(value, list | tuple) else [value]
    if any("\ud800" <= character <= "\udfff" for text in texts for character in str(text)):
        return "is not UTF-8; convert it, as in: iconv -f latin1 -t utf-8"
    if wanted is float and type(value) is int:
        return None
    return None if type(value) is wanted else f"must be of type {wanted.__name__}"


def _from_text(name: str, text: str, wanted: type) -> Any:
    if wanted is bool:
        words = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
        if text.lower() not in words:
            raise ParameterError(f"{name} = {text!r}: must be true or false")
        return words[text.lower()]
    if wanted is tuple:
        return tuple(part for part in text.split(",") if part)
    try:
        return wanted(text)
    except ValueError:
        raise ParameterError(f"{name} = {text!r}: must be of type {wanted.__name__}") from None
