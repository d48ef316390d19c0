"""`python -m voiceperf.measure.worker FD`: the process in which one contender lives."""

from __future__ import annotations

import os
import socket
import sys
from multiprocessing.connection import Connection
from typing import Any

from voiceperf import engines, machine
from voiceperf.engines.base import Engine, Output, Request
from voiceperf.errors import VoicePerfError
from voiceperf.log import log_timing
from voiceperf.measure.clock import SystemClock, Timing, timed_run
from voiceperf.measure.protocol import Account, Answer, Failure, Fetch, Load, Ready, Run, Start
from voiceperf.measure.resources import own_resources


class Worker:
    """Obeys one message after another; a failure is an answer, not the end."""

    def __init__(self, start: Start) -> None:
        machine.cores()  # counted before a native library may bind this thread to one of them
        self.engine: Engine = engines.load(engines.params_class(start.engine).parse(start.values))
        self.name = start.engine
        self.requests: dict[str, Request] = {}
        self.output: Output | None = None

    def obey(self, message: Any) -> Answer:
        match message:
            case Load(key, request):
                self.requests[key] = request
                return Ready()
            case Run(key):
                return self._run(key)
            case Fetch():
                return self.output if self.output is not None else Failure("WorkerError", "nothing has run yet")
            case Account():
                return own_resources()
        return Failure("WorkerError", f"unknown message {message!r}")

    def _run(self, key: str) -> Timing:
        timing, self.output = timed_run(self.engine, self.requests[key], SystemClock())
        log_timing(self.name, key, timing.as_record())
        return timing


def failure(error: Exception) -> Failure:
    """An error as an answer: our own as they are, foreign ones with their class."""
    reason = str(error) if isinstance(error, VoicePerfError) else f"{type(error).__name__}: {error}"
    return Failure(type(error).__name__, reason)


def serve(connection: Connection[Any, Any]) -> None:
    """Answer messages until the parent hangs up."""
    try:
        worker = Worker(connection.recv())
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
        try:
            answer = worker.obey(message)
        except Exception as error:
            answer = failure(error)
        connection.send(answer)


def main() -> None:
    """Take over the socket whose number is the only argument; whatever native code prints goes to stderr."""
    parent = socket.socket(fileno=int(sys.argv[1]))
    os.dup2(2, 1)
    serve(Connection(parent.detach()))


if __name__ == "__main__":
    main()
