"""What engines behind a URL have in common: an address, the name of a variable that holds a key, and time limits.

Such an engine is a contender like any other. What it computes with is elsewhere, so its memory and processor time
cannot be seen from here; nor whether it will say the same again.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote, urlsplit

from voiceperf.errors import EngineError, ParameterError, StoppedError
from voiceperf.params import EngineParams, tunable

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_HIDDEN = "(key)"
_MISSHAPEN = (AttributeError, TypeError, KeyError, IndexError, EOFError)
"""What reading an answer raises that is JSON, or an event, and not the one that was asked for."""


@dataclass(frozen=True)
class ServerParams(EngineParams):
    """Of every engine behind a URL."""

    can: ClassVar[frozenset[str]] = frozenset()
    schemes: ClassVar[tuple[str, ...]]
    example: ClassVar[str]

    url: str = tunable("", "address of the server")
    timeout_s: float = tunable(60.0, "a server that says nothing for so long has failed", low=0.1, high=3600, unit="s")

    def patience_s(self) -> float:
        return self.timeout_s

    def check(self) -> None:
        """The address, without showing one that may hold a password."""
        try:
            parts = urlsplit(self.url)
            is_address = parts.scheme in self.schemes and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            is_address = False
        if not is_address:
            raise ParameterError(f"{self.engine}.url: is no address of a server, as {self.example} is")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ParameterError(f"{self.engine}.url: may hold no user, password or query; keys come by key_env")


@dataclass(frozen=True)
class Keyed:
    """What a server may be shown, and nobody else: read where it is used, and blotted out of every message."""

    variable: str

    def check(self, engine: str) -> None:
        """Only the name of a variable is taken; what is none may be the key itself, and is not repeated.

        Raises:
            ParameterError: it is no such name.
        """
        if self.variable and not _VARIABLE.fullmatch(self.variable):
            raise ParameterError(
                f"{engine}.key_env: must be the name of an environment variable in capitals, never the key itself"
            )

    def read(self, engine: str) -> str:
        """The key; empty where none is needed.

        Raises:
            ParameterError: the variable is not set.
        """
        if self.variable and not os.environ.get(self.variable):
            raise ParameterError(f"{engine}.key_env = {self.variable!r}: no such variable is set; export it first")
        return os.environ.get(self.variable, "")

    def without(self, text: str) -> str:
        """A text in which the key is blotted out, however it is quoted there."""
        key = os.environ.get(self.variable, "") if self.variable else ""
        for form in {key, repr(key)[1:-1], json.dumps(key)[1:-1], quote(key, safe="")} - {""}:
            text = text.replace(form, _HIDDEN)
        return text


@contextmanager
def failures(
    url: str,
    kinds: tuple[type[Exception], ...],
    in_words: Callable[[Exception], str] = str,
    keyed: Keyed | None = None,
) -> Iterator[None]:
    """What a client library raises, and what an answer of another form does, as one line that names the server.

    What is ours passes.
    """
    try:
        yield
    except (StoppedError, EngineError, ParameterError):
        raise
    except TimeoutError:
        raise EngineError(f"{url}: gave no answer in time") from None
    except _MISSHAPEN as error:
        raise EngineError(f"{url}: its answer is not of the form that was asked for ({type(error).__name__})") from None
    except kinds as error:
        words = in_words(error)
        reason = " ".join((keyed.without(words) if keyed else words).split())[:300] or type(error).__name__
        raise EngineError(f"{url}: {reason}") from None
