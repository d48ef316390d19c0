"""The protocol every engine keeps: what goes in, what comes out, and when something worth timing happened.

An engine never reads a clock. It calls `mark(name)` at the moments that matter ("first_token",
"first_audio"), and whoever measures decides what that means; `mark(PART, text)` hands on what is there already.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from voiceperf.audio import Samples
from voiceperf.conversation import Message
from voiceperf.errors import ParameterError
from voiceperf.params import EngineParams


class Mark(Protocol):
    """Told of the moments that matter, and of each part of a text as it is made.

    `done` is the share of the work that is through with a part, where an engine knows it.
    """

    def __call__(self, name: str, part: str = "", done: float = 0.0) -> None: ...


FIRST_TOKEN, FIRST_AUDIO, PART = "first_token", "first_audio", "part"
LIBRARY_DEFAULT = -1  # a number that means: what the library picks by itself
IDLE_SPINS = (
    "rounds that an idle OpenMP thread spins before it sleeps; few of them leave the cores to others; -1: default"
)


@dataclass(frozen=True)
class Utterance:
    """Speech to transcribe: mono float32 at 16 kHz, shape (n,). Without a `language` it is in the engine's own."""

    audio: Samples
    language: str = ""


def require_text(*texts: str) -> None:
    """Refuse what no tokeniser can read: halves of characters, as from bytes in another encoding.

    Raises:
        ParameterError: shows the text with the halves escaped.
    """
    for text in texts:
        try:
            text.encode()
        except UnicodeEncodeError:
            shown = text.encode(errors="backslashreplace").decode()[:60]
            raise ParameterError(f"{shown!r} is not UTF-8; convert it, as in: iconv -f latin1 -t utf-8") from None


@dataclass(frozen=True)
class Prompt:
    """A conversation to answer. With `n_tokens` the answer has exactly that length, else it ends by itself.

    A conversation that does not end with the caller's words is only read, ahead of them. A `cold` one finds nothing of
    it read, as the first turn of a call does. With a `script` every token is computed and sampled as ever, but the
    script's is taken: settings whose own answers differ then say the same, each at its own pace.
    """

    messages: tuple[Message, ...]
    n_tokens: int | None = None
    cold: bool = False
    script: str = ""

    def __post_init__(self) -> None:
        require_text(self.script, *(message["content"] for message in self.messages))

    @property
    def is_ahead(self) -> bool:
        return self.messages[-1]["role"] != "user"


@dataclass(frozen=True)
class Passage:
    """Text whose every next token is to be scored, at most one context long."""

    text: str

    def __post_init__(self) -> None:
        require_text(self.text)


@dataclass(frozen=True)
class Recital:
    """Speech, mono float32 at 16 kHz, shape (n,), and what was said in it: how likely is that, to who hears it?

    Without a `language` it is in the engine's own.
    """

    audio: Samples
    text: str
    language: str = ""

    def __post_init__(self) -> None:
        require_text(self.text)


@dataclass(frozen=True)
class Answered:
    """A conversation that ends with the caller's words, and an answer: how likely is that, to who thinks?"""

    messages: tuple[Message, ...]
    text: str

    def __post_init__(self) -> None:
        require_text(self.text, *(message["content"] for message in self.messages))


@dataclass(frozen=True)
class Line:
    """Text to speak, in the engine's own voice unless another one of the catalogue is named."""

    text: str
    voice: str = ""

    def __post_init__(self) -> None:
        require_text(self.text, self.voice)


Request = Utterance | Recital | Prompt | Passage | Answered | Line


@dataclass(frozen=True)
class Transcript:
    """What was heard. `probability` is the geometric mean over the tokens, or None without tokens."""

    text: str
    tokens: int
    probability: float | None
    audio_s: float


@dataclass(frozen=True)
class Reply:
    """What was answered; `prompt_tokens` counts what had to be read beyond the warm prefix.

    `dropped` counts the oldest messages that did not fit the context any more; `counted` the tokens, where an engine
    does not say which they were.
    """

    text: str
    token_ids: tuple[int, ...]
    prompt_tokens: int
    dropped: int = 0
    counted: int = 0

    @property
    def tokens(self) -> int:
        return len(self.token_ids) or self.counted


@dataclass(frozen=True)
class Scores:
    """Natural log probabilities of every token at every place of a passage, shape (n - 1, vocabulary)."""

    token_ids: tuple[int, ...]
    log_probs: NDArray[np.float32]


@dataclass(frozen=True)
class Recited:
    """Natural log probabilities of what was said, token by token, and of its end."""

    log_probs: tuple[float, ...]


@dataclass(frozen=True)
class Piece:
    """A text that was synthesised by itself, and the samples that it became."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Speech:
    """What was spoken, shape (n,). `audio_s` counts the silence that was made at both ends, `heard_s` does not."""

    audio: Samples
    rate_hz: int
    audio_s: float
    heard_s: float
    pieces: tuple[Piece, ...] = ()  # none from a voiceperf that did not tell


Output = Transcript | Recited | Reply | Scores | Speech


def same_output(a: Output, b: Output) -> bool:
    """Bit for bit the same text or sound."""
    if isinstance(a, Speech) and isinstance(b, Speech):
        return bool(np.array_equal(a.audio, b.audio))
    return a == b


class Engine(Protocol):
    """One loaded engine. Not thread-safe; one process holds one engine."""

    Params: ClassVar[type[EngineParams]]

    def prepare(self, request: Request) -> None:
        """Bring the engine into the state a run starts from (a warm prefix); outside the timing."""

    def run(self, request: Request, mark: Mark) -> Output:
        """Do the work once.

        Raises:
            EngineError: the native library failed.
            ParameterError: a request this engine does not take.
        """

    def close(self) -> None:
        """Free native memory."""


@runtime_checkable
class Forgetful(Protocol):
    """An engine that keeps whole results, and answers the same request from them."""

    def forget(self) -> None:
        """Drop them, so that a request that is timed again is done again."""


@runtime_checkable
class Stoppable(Protocol):
    """An engine whose run can be ended from outside, though it makes no part for long."""

    def stop(self) -> None:
        """End the run that is under way, from another thread: it soon fails, and the next one is whole."""


@dataclass(frozen=True)
class KernelCount:
    """How often an operation was computed by voiceperf's own kernels, and how often by the engine's library."""

    operation: str
    ours: int
    theirs: int

    def __str__(self) -> str:
        return f"{self.operation} {self.ours:,} of {self.ours + self.theirs:,}"


@runtime_checkable
class Counting(Protocol):
    """An engine some of whose operations voiceperf's own kernels may compute."""

    def kernels(self) -> tuple[KernelCount, ...]:
        """Since the process began."""


@dataclass(frozen=True)
class Capability:
    """One thing this installation of an engine can or cannot do, for `voiceperf doctor`."""

    name: str
    available: bool
    remedy: str = ""


def refuse(params: EngineParams, missing: Mapping[str, str]) -> None:
    """Raise ParameterError for the first parameter whose means are missing here, with the reason."""
    for name, reason in missing.items():
        raise ParameterError(f"{params.engine}.{name} = {getattr(params, name)!r}: {reason}")


def idle_environment(spins: int) -> dict[str, str]:
    """How libgomp, the GNU compiler's OpenMP, is told how long its idle threads spin."""
    return {} if spins == LIBRARY_DEFAULT else {"GOMP_SPINCOUNT": str(spins)}


def installed_version(distribution: str) -> str | None:
    """The version of an installed package, or None."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def wrong_request(engine: str, request: Any) -> str:
    """The message for a request that belongs to another engine."""
    return f"the {engine} engine does not take a {type(request).__name__}"
