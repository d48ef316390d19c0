"""What can be set of a service: how it uses the network, and how much it lets anyone ask of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from voiceperf.params import EngineParams, tunable


@dataclass(frozen=True)
class ServiceParams(EngineParams):
    """A profile's [service] table. What exceeds a limit gets an error event that names it; the silent are let go."""

    engine: ClassVar[str] = "service"
    role: ClassVar[str] = ""  # of all of them

    nodelay: bool = tunable(
        True,
        "small packets leave at once (TCP_NODELAY) instead of waiting for the last one's receipt",
        neutral=True,
        tries=(False, True),
    )
    whole_events: bool = tunable(True, "an event goes to the socket in one write, not in two or three", neutral=True)
    audio_ms: int = tunable(
        1000, "longest chunk that speech is sent in", low=1, high=10_000, unit="ms", neutral=True, tries=(20, 100, 1000)
    )
    send_buffer_bytes: int = tunable(0, "the socket's; 0: the system's choice", low=0, high=2**26, neutral=True)
    receive_buffer_bytes: int = tunable(0, "the socket's; 0: the system's choice", low=0, high=2**26, neutral=True)

    workers: int = tunable(
        1, "engine processes, each with its own model, that take requests at once", low=1, high=64, neutral=True
    )
    end_of_turn_ms: float = tunable(
        0.0,
        "the service that hears ends an utterance by itself after so long a silence; 0: the client says where it ends",
        low=0.0,
        high=10_000.0,
        unit="ms",
        neutral=True,
    )
    finished_ms: float = tunable(
        0.0,
        "with guess_ms: the silence that ends words which read as a finished sentence; 0: end_of_turn_ms",
        low=0.0,
        high=10_000.0,
        unit="ms",
        neutral=True,
    )
    guess_ms: float = tunable(
        0.0,
        "with end_of_turn_ms: after so long a silence clients get the words so far, to work ahead; 0: never",
        low=0.0,
        high=10_000.0,
        unit="ms",
        neutral=True,
    )
    partial_ms: float = tunable(
        0.0,
        "while somebody speaks, clients get the words that are sure, looked at after so much more speech; 0: never",
        low=0.0,
        high=10_000.0,
        unit="ms",
        neutral=True,
    )
    max_clients: int = tunable(256, "connections at once", low=1, high=10_000, neutral=True)
    max_waiting: int = tunable(8, "requests that may wait for the engine", low=0, high=1000, neutral=True)
    max_event_bytes: int = tunable(2**20, "largest event", low=1024, high=2**28, unit="bytes", neutral=True)
    max_audio_s: float = tunable(30.0, "longest speech to transcribe", low=0.1, high=3600.0, unit="s", neutral=True)
    max_characters: int = tunable(4000, "longest text to answer or to speak", low=1, high=10**6, neutral=True)
    event_s: float = tunable(10.0, "an event that has begun must be whole by then", low=0.1, unit="s", neutral=True)
    idle_s: float = tunable(600.0, "a client that says nothing is let go", low=0.1, unit="s", neutral=True)
    send_s: float = tunable(10.0, "a client that does not take its answer is let go", low=0.1, unit="s", neutral=True)
