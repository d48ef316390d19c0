"""How far an engine's process lets others go first."""

import os

import psutil
import pytest
from fake_engine import FakeParams

from voiceperf.engines.base import Line
from voiceperf.measure.contender import Contender
from voiceperf.measure.launch import launch
from voiceperf.measure.process import WorkerProcess


@pytest.mark.skipif(not hasattr(os, "nice"), reason="this system has no niceness")
@pytest.mark.parametrize("nice", [0, 7])
def test_a_worker_is_as_nice_as_its_engine_asks(nice):
    """The process and every thread that comes later stand back so far; whoever started it does not."""
    before = psutil.Process().nice()
    with WorkerProcess(Contender("x", FakeParams(nice=nice))) as worker:
        assert psutil.Process(worker.pid).nice() == before + nice
    assert psutil.Process().nice() == before


def test_two_engines_that_are_measured_alone_let_nobody_go_first():
    """With nobody to let go first, another program of this machine would stand before both sides."""
    one, here = Contender("x", FakeParams(nice=7), written={"nice": 7}), psutil.Process()
    with launch(one, one, {1: Line("one")}):
        engines = [process for process in here.children(recursive=True) if process.nice() != here.nice()]
    assert not engines
    assert one.alone().values() == {"nice": 0}
    assert Contender("x", FakeParams(), written={"work": 3}).alone().values() == {"work": 3}
