"""What a service tells Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from voiceperf.errors import InputError
from voiceperf.files import reason_of
from voiceperf.measure.clock import Timing

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
_RTF = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 2.0)
_TOKENS_PER_S = (5, 10, 20, 40, 60, 80, 100, 150, 200, 300, 500)


class Metrics:
    """One service's figures, in a registry of their own."""

    def __init__(self, engine: str) -> None:
        self.registry = known = CollectorRegistry()
        name = f"voiceperf_{engine}"
        self._engine_s = Histogram(f"{name}_engine_seconds", "At one request", buckets=_SECONDS, registry=known)
        self._queue_s = Histogram(f"{name}_queue_seconds", "Waiting for the engine", buckets=_SECONDS, registry=known)
        self._first_s = Histogram(
            f"{name}_first_seconds", "To the first token or sound of a request", buckets=_SECONDS, registry=known
        )
        self.freed_s = Histogram(
            f"{name}_freed_seconds", "From a client's end to the engine's being free", buckets=_SECONDS, registry=known
        )
        self._rtf = Histogram(f"{name}_rtf", "Real-time factor", buckets=_RTF, registry=known)
        self._tokens_per_s = Histogram(f"{name}_tokens_per_second", "Decoding", buckets=_TOKENS_PER_S, registry=known)
        self.waiting = Gauge(f"{name}_requests", "Waiting and being served", registry=known)
        self.clients = Gauge(f"{name}_clients", "Connections", registry=known)
        self.refused = Counter(f"{name}_refused", "Requests refused as overload", registry=known)
        self.failed = Counter(f"{name}_failed", "Requests at which the engine failed", registry=known)
        self.malformed = Counter(f"{name}_malformed", "Connections closed for what they sent", registry=known)
        self.rss_bytes = Gauge(f"{name}_resident_bytes", "Memory of the engine's process", registry=known)

    def observe(self, timing: Timing, queue_ns: int) -> None:
        """One request that was answered."""
        prepare_s = timing.prepare_ns / 1e9  # a conversation that was not read ahead is read now
        self._engine_s.observe(prepare_s + timing.wall_ns / 1e9)
        self._queue_s.observe(queue_ns / 1e9)
        first_ms = timing.ttft_ms or timing.ttfa_ms
        if first_ms is not None:
            self._first_s.observe(prepare_s + first_ms / 1e3)
        if timing.rtf is not None:
            self._rtf.observe(timing.rtf)
        if timing.ms_per_token:
            self._tokens_per_s.observe(1e3 / timing.ms_per_token)

    def publish(self, host: str, port: int) -> None:
        """Serve them at /metrics.

        Raises:
            InputError: the port cannot be listened on.
        """
        try:
            start_http_server(port, host, registry=self.registry)
        except OSError as error:
            raise InputError(f"cannot serve metrics on {host}:{port} ({reason_of(error)}); name another port") from None
