"""`python -m voiceperf.measure.worker FD`: the process in which one contender lives."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import Any, Self

from voiceperf import engines, machine
from voiceperf.engines.base import Counting, Engine, Forgetful, Output, Request, Stoppable
from voiceperf.errors import StoppedError, VoicePerfError
from voiceperf.log import log_timing
from voiceperf.measure.clock import SystemClock, Timing, timed_run
from voiceperf.measure.protocol import (
    Account,
    Answer,
    Done,
    Failure,
    Fetch,
    Load,
    Part,
    Ready,
    Run,
    Start,
    Stop,
    Stream,
)
from voiceperf.measure.resources import own_resources

_AGAIN_S = 0.05


class Worker:
    """Obeys one message after another; a failure is an answer, not the end."""

    def __init__(self, start: Start, connection: Connection[Any, Any]) -> None:
        machine.cores()  # counted before a native library may bind this thread to one of them
        params = engines.params_class(start.engine).parse(start.values)
        if params.niceness():
            os.nice(params.niceness())  # before there are other threads, which inherit it
        self.engine: Engine = engines.load(params)
        self.name, self._connection = start.engine, connection
        self.requests: dict[str, Request] = {}
        self.output: Output | None = None
        self._end_of_interest = _EndOfInterest(connection, self.engine)

    def obey(self, message: Any) -> Answer:
        match message:
            case Load(key, request):
                self.requests[key] = request
                return Ready()
            case Run(key):
                return self._run(key)
            case Stream(request):
                return self._stream(request)
            case Fetch():
                return self.output if self.output is not None else Failure("WorkerError", "nothing has run yet")
            case Account():
                kernels = self.engine.kernels() if isinstance(self.engine, Counting) else ()
                return replace(own_resources(), kernels=kernels)
        return Failure("WorkerError", f"unknown message {message!r}")

    def _stream(self, request: Request) -> Done:
        """One run whose parts are sent as they are made; it ends early where nobody waits for it any more."""
        with self._end_of_interest as ended:
            try:
                return Done(*timed_run(self.engine, request, SystemClock(), self._hand_on))
            except Exception as error:
                raise (StoppedError("nobody waits for the answer any more") if ended.is_seen else error) from None

    def _hand_on(self, part: str, done: float) -> None:
        self._connection.send(Part(part, done))
        if self._end_of_interest.is_seen:
            raise StoppedError("nobody waits for the rest")

    def _run(self, key: str) -> Timing:
        """One timed run; what a run of the same input before has left does not make it faster."""
        if isinstance(self.engine, Forgetful):
            self.engine.forget()
        timing, self.output = timed_run(self.engine, self.requests[key], SystemClock())
        log_timing(self.name, key, timing.as_record())
        return timing


class _EndOfInterest:
    """Sees, while a stream is under way, that nobody waits for it any more, and has the engine end it where that can.

    In a thread of its own: native code does not keep it from that. Use as a context manager around each stream.
    """

    def __init__(self, connection: Connection[Any, Any], engine: Engine) -> None:
        self.is_seen = False
        self._connection, self._engine = connection, engine
        self._over, self._end = socket.socketpair()

    def _watch(self) -> None:
        try:
            while self._over not in wait([self._connection, self._over]):
                if self._is_lost():
                    self.is_seen = True
                    self._have_it_end()
                    return
        finally:
            self._over.recv(1)  # the next stream's watch waits for an end of its own

    def _is_lost(self) -> bool:
        """Whether the message that has come says that nobody waits, or whoever did is gone."""
        try:
            return isinstance(self._connection.recv(), Stop)
        except (EOFError, OSError):
            return True

    def _have_it_end(self) -> None:
        """Again and again: the first time, the run may not have begun, and an engine may not be ready for it."""
        while True:
            if isinstance(self._engine, Stoppable):
                with contextlib.suppress(Exception):
                    self._engine.stop()
            if wait([self._over], _AGAIN_S):
                return

    def __enter__(self) -> Self:
        self.is_seen = False
        self._watching = threading.Thread(target=self._watch, daemon=True)
        self._watching.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.send(b".")
        self._watching.join()


def failure(error: Exception) -> Failure:
    """An error as an answer: our own as they are, foreign ones with their class."""
    reason = str(error) if isinstance(error, VoicePerfError) else f"{type(error).__name__}: {error}"
    return Failure(type(error).__name__, reason)


def serve(connection: Connection[Any, Any]) -> None:
    """Answer messages until the parent hangs up."""
    try:
        worker = Worker(connection.recv(), connection)
    except Exception as error:
        connection.send(failure(error))
        return
    connection.send(Ready())
    while True:
        try:
            message = connection.recv()
        except (EOFError, ConnectionResetError):
            worker.engine.close()
            return
        if isinstance(message, Stop):  # it came when the stream had ended already
            continue
        try:
            answer = worker.obey(message)
        except Exception as error:
            answer = failure(error)
        connection.send(answer)


def main() -> None:
    """Take over the socket whose number is the only argument; whatever native code prints goes to stderr.

    The end is the parent's to tell: Ctrl-C and systemd's stop reach a whole group, and a service answers what it has
    begun.
    """
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.SIG_IGN)
    parent = socket.socket(fileno=int(sys.argv[1]))
    os.dup2(2, 1)
    serve(Connection(parent.detach()))


if __name__ == "__main__":
    main()
