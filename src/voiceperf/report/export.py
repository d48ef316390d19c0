"""Histories in the formats that other programs collect: Bencher's metrics, and OpenMetrics."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.openmetrics.exposition import generate_latest

from voiceperf.errors import InputError
from voiceperf.history.trend import Point, Trend

_LABELS = ("benchmark", "machine")


def bencher(trends: Sequence[Trend]) -> str:
    """The latest run of each trend as Bencher Metric Format, for `bencher run --adapter json`.

    `latency` is in nanoseconds, as it is built in there.
    """
    several = len({trend.machine_id for trend in trends}) > 1
    found = {}
    for trend in trends:
        name = f"{trend.benchmark} on {trend.machine_id}" if several else trend.benchmark
        latest = trend.points[-1]
        found[name] = {"latency": {"value": latest.median_s * 1e9}}
        if latest.normalised is not None:
            found[name]["time-over-control"] = {"value": latest.normalised}
    return json.dumps(found, indent=2)


def openmetrics(trends: Sequence[Trend]) -> str:
    """Every run of each trend with its time, for `promtool tsdb create-blocks-from openmetrics`.

    Raises:
        InputError: a run does not say when it was.
    """
    registry = CollectorRegistry()
    registry.register(_Collected(trends))
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text.decode()


class _Collected:
    """The trends, as prometheus_client asks for them."""

    def __init__(self, trends: Sequence[Trend]) -> None:
        self._trends = trends

    def collect(self) -> Iterator[Metric]:
        yield self._family("voiceperf_time_seconds", "Time of the work.", lambda point: point.median_s)
        yield self._family(
            "voiceperf_time_over_control_ratio", "Its time over the control's.", lambda point: point.normalised
        )

    def _family(self, name: str, what: str, value_of: Callable[[Point], float | None]) -> Metric:
        family = GaugeMetricFamily(name, what, labels=_LABELS)
        for trend in self._trends:
            by_time = {_seconds(point): value for point in trend.points if (value := value_of(point)) is not None}
            for time_s, value in sorted(by_time.items()):
                family.add_metric((trend.benchmark, trend.machine_id or ""), value, timestamp=time_s)
        return family


def _seconds(point: Point) -> float:
    try:
        date = datetime.fromisoformat(point.run.date)
    except ValueError:
        raise InputError(f"{point.run.source}: {point.run.date!r} is no date") from None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


EXPORTS: dict[str, Callable[[Sequence[Trend]], str]] = {"bencher": bencher, "openmetrics": openmetrics}
