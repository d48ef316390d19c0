"""What Prometheus is told of a request."""

import pytest

from voiceperf.engines.base import FIRST_TOKEN
from voiceperf.live.metrics import Metrics
from voiceperf.measure.clock import Timing


def test_the_first_token_comes_after_the_conversation_is_read():
    """What had to be read before is part of the wait for the first token, as of the whole."""
    metrics = Metrics("llama")
    timing = Timing(400_000_000, 0, {FIRST_TOKEN: 100_000_000}, tokens=4, prepare_ns=500_000_000)
    metrics.observe(timing, queue_ns=20_000_000)
    sums = {name: metrics.registry.get_sample_value(f"voiceperf_llama_{name}_seconds_sum") for name in (
        "first", "engine", "queue")}  # fmt: skip
    assert sums == pytest.approx({"first": 0.6, "engine": 0.9, "queue": 0.02})
