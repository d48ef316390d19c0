"""How far an engine's process lets others go first."""

import os

import psutil
import pytest
from fake_engine import FakeParams

from voiceperf.measure.contender import Contender
from voiceperf.measure.process import WorkerProcess


@pytest.mark.skipif(not hasattr(os, "nice"), reason="this system has no niceness")
@pytest.mark.parametrize("nice", [0, 7])
def test_a_worker_is_as_nice_as_its_engine_asks(nice):
    """The process and every thread that comes later stand back so far; whoever started it does not."""
    before = psutil.Process().nice()
    with WorkerProcess(Contender("x", FakeParams(nice=nice))) as worker:
        assert psutil.Process(worker.pid).nice() == before + nice
    assert psutil.Process().nice() == before
