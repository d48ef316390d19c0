"""The parent's end of a worker: start it, send it work, and turn its death into a reason."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self

from voiceperf import errors
from voiceperf.audio import SPEECH_RATE_HZ
from voiceperf.engines.base import Answered, Line, Output, Passage, Prompt, Recital, Request, Utterance
from voiceperf.errors import EngineError, VoicePerfError, WorkerError
from voiceperf.measure.clock import HandOn, Timing
from voiceperf.measure.contender import Contender
from voiceperf.measure.protocol import Account, Done, Failure, Fetch, Load, Part, Run, Start, Stop, Stream
from voiceperf.measure.resources import Resources

LOAD_LIMIT_S = 120.0  # the slowest load seen here takes 3 s; a cold disk may take thirty times that
RUN_LIMIT_S = 60.0  # the longest run of the suite takes 3 s
_PER_SECOND_S = 4.0  # more for each second of speech that is to be heard
_PER_CHARACTER_S = 0.25  # and for each character that is to be read or spoken: some eight minutes for a page
LISTS = ("LD_PRELOAD", "GLIBC_TUNABLES")  # variables to which an engine's setting adds


class Stopper:
    """By which one thread ends what another one streams: at its next part, or sooner where the engine can."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_stopped = False
        self._end: Callable[[], None] | None = None

    def stop(self) -> None:
        """End the stream, or one that is about to begin."""
        with self._lock:
            self._is_stopped = True
            if self._end is not None:
                self._end()

    @contextlib.contextmanager
    def ends_by(self, end: Callable[[], None]) -> Iterator[None]:
        """While a stream is under way, what ends it."""
        with self._lock:
            self._end = end
            if self._is_stopped:
                end()
        try:
            yield
        finally:
            with self._lock:
                self._end = None


class WorkerProcess:
    """One contender, alive in a process of its own. Use as a context manager.

    Raises (on entering and on every call):
        WorkerError: the process died or hung; says by which signal and what it last wrote.
        VoicePerfError: whatever the engine refused, as its own class.
    """

    def __init__(self, contender: Contender, run_limit_s: float = RUN_LIMIT_S) -> None:
        self.contender = contender
        self._run_limit_s = run_limit_s
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the worker
        ours, theirs = socket.socketpair()
        command = [contender.python, "-P", "-m", "voiceperf.measure.worker", str(theirs.fileno())]
        environment = _joined(os.environ, contender.params.environment(), contender.env)
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=None if os.environ.get("VOICEPERF_LOG") else self._stderr,
                pass_fds=[theirs.fileno()],
                env=environment,
            )
        except OSError as error:
            ours.close()
            raise WorkerError(f"cannot start {contender.python} ({error.strerror})") from None
        finally:
            theirs.close()
        self._limits_s: dict[str, float] = {}  # by the key of what was handed over
        self._connection: Connection[Any, Any] = Connection(ours.detach())
        try:
            self._ask(Start(contender.engine, contender.values()), LOAD_LIMIT_S)
        except VoicePerfError:
            self.close()
            raise

    def load(self, key: str, request: Request) -> None:
        """Hand over an input, ahead of the runs that use it."""
        self._limits_s[key] = self._limit_s(request)
        self._ask(Load(key, request), self._run_limit_s)

    def run(self, key: str) -> Timing:
        """Run an input once; the timing is taken inside the worker."""
        timing = self._ask(Run(key), self._limits_s.get(key, self._run_limit_s))
        assert isinstance(timing, Timing)
        return timing

    def output(self) -> Output:
        """The output of the last run."""
        output: Output = self._ask(Fetch(), self._run_limit_s)
        return output

    def once(self, request: Request) -> tuple[Timing, Output]:
        """Load, run and fetch in one go, for work that is not compared."""
        self.load("once", request)
        return self.run("once"), self.output()

    def ask(self, request: Request) -> Output:
        """What the engine makes of it."""
        return self.once(request)[1]

    def stream(self, request: Request, hand_on: HandOn, stopper: Stopper | None = None) -> tuple[Timing, Output]:
        """Run a request at once, handing on each part of its output as it is made.

        Args:
            request: what to do.
            hand_on: takes the parts.
            stopper: by which another thread ends it.

        Raises:
            StoppedError: it was stopped.
        """
        limit_s = self._limit_s(request)
        self._send(Stream(request))
        with (stopper or Stopper()).ends_by(partial(self._send, Stop())):
            while isinstance(answer := self._answer(limit_s), Part):
                hand_on(answer.text, answer.done)
        assert isinstance(answer, Done)
        return answer.timing, answer.output

    def _limit_s(self, request: Request) -> float:
        """How long a request may take: the least, and more for more work."""
        least_s = self._run_limit_s + self.contender.params.patience_s()
        match request:
            case Utterance() | Recital():
                return least_s + _PER_SECOND_S * len(request.audio) / SPEECH_RATE_HZ
            case Prompt() | Answered():
                characters = sum(len(message["content"]) for message in request.messages)
            case Passage() | Line():
                characters = len(request.text)
        return least_s + _PER_CHARACTER_S * characters

    def resources(self) -> Resources:
        """The worker's memory and CPU time so far."""
        usage = self._ask(Account(), self._run_limit_s)
        assert isinstance(usage, Resources)
        return usage

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def _ask(self, message: Any, limit_s: float) -> Any:
        self._send(message)
        return self._answer(limit_s)

    def _send(self, message: Any) -> None:
        with contextlib.suppress(OSError):  # the answer tells how it died
            self._connection.send(message)

    def _answer(self, limit_s: float) -> Any:
        try:
            if not self._connection.poll(limit_s):
                self._kill()
                raise WorkerError(f"{self._title} did not answer within {limit_s:g} s and was stopped")
            answer = self._connection.recv()
        except (EOFError, OSError):
            raise WorkerError(f"{self._title} {self._how_it_died()}") from None
        except (AttributeError, ImportError, pickle.UnpicklingError) as error:
            raise WorkerError(f"{self._title} answers as another version of voiceperf does ({error})") from None
        if isinstance(answer, Failure):
            raise _error_of(answer)
        return answer

    @property
    def _title(self) -> str:
        return f"the {self.contender.engine} worker ({self.contender.name})"

    def _how_it_died(self) -> str:
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._kill()
            return "hung up without ending and was stopped"
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._stderr.seek(0)
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return f"{how}; it last wrote: {lines[-1]}" if lines else how

    def close(self) -> None:
        """End the process, whatever state it is in."""
        self._connection.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._kill()
        self._stderr.close()

    def _kill(self) -> None:
        """At once, and until it is gone: so that nobody takes it for alive."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _joined(*environments: Mapping[str, str]) -> dict[str, str]:
    """One environment: later values win, but what is a list keeps what is in it already."""
    found: dict[str, str] = {}
    for environment in environments:
        for name, value in environment.items():
            parts = [*found.get(name, "").replace(" ", ":").split(":"), *value.replace(" ", ":").split(":")]
            found[name] = ":".join(dict.fromkeys(filter(None, parts))) if name in LISTS else value
    return found


def _error_of(answer: Failure) -> VoicePerfError:
    """The worker's error under its own class where we know it."""
    kind = getattr(errors, answer.kind, EngineError)
    known = isinstance(kind, type) and issubclass(kind, VoicePerfError)
    return (kind if known else EngineError)(answer.reason)
