"""What a queue gains where several processes of one thread each share it, beside one process with all threads."""

import asyncio

import numpy as np
import pytest

from voiceperf import call, machine, places, profiles
from voiceperf.engines.base import Speech, Transcript
from voiceperf.judge.statistics import ratio_interval
from voiceperf.live.metrics import Metrics
from voiceperf.live.params import ServiceParams
from voiceperf.live.queue import EngineQueue
from voiceperf.measure.blocks import Blocks, pairs_of
from voiceperf.measure.clock import SystemClock, Timing
from voiceperf.measure.contender import of_profile
from voiceperf.suite.workloads import requests

pytestmark = [pytest.mark.models, pytest.mark.slow]

ROUNDS = 4
CALL = call.load(places.fixtures_dir() / "calls" / "call61.toml")
SHIPPED = profiles.load("shipped")
WAITING = {"hearing": CALL.turns[:4], "speaking": CALL.turns}  # by role, the turns that are asked for at once
THREADS = {"hearing": "n_threads", "speaking": "intra_op_threads"}


class Burst:
    """Requests that come at once, and the queue that answers them."""

    def __init__(self, loop, role, changes, **service):
        self._loop, self._clock, self.outputs = loop, SystemClock(), []
        self._requests = [requests(CALL, role, turn)[role] for turn in WAITING[role]]
        self._queue = EngineQueue(of_profile(SHIPPED, role, changes), ServiceParams(**service), Metrics(role))

    def run(self):
        return self._loop.run_until_complete(self._all())

    async def _all(self):
        begun_ns = self._clock.wall_ns()
        answers = await asyncio.gather(*(self._queue.ask(request) for request in self._requests))
        self.outputs = [answer.output for answer in answers]
        return Timing(self._clock.wall_ns() - begun_ns, 0)

    def close(self):
        self._queue.close()


def said(output):
    """What must not differ."""
    match output:
        case Transcript():
            return output.text
        case Speech():
            return output.audio.tobytes()


@pytest.mark.parametrize("role", WAITING)
def test_burst(role):
    """A process for each core is not surely slower in all with what waits at once, and its results are the same."""
    loop = asyncio.new_event_loop()
    one_by_one = Burst(loop, role, {})
    side_by_side = Burst(loop, role, {THREADS[role]: 1}, workers=machine.cores().performance)
    try:
        blocks = Blocks({"side by side": side_by_side.run, "one by one": one_by_one.run})
        blocks.warm_up()
        for _ in range(ROUNDS):
            blocks.one_more()
        assert list(map(said, side_by_side.outputs)) == list(map(said, one_by_one.outputs))
    finally:
        for burst in (one_by_one, side_by_side):
            burst.close()
        loop.close()
    times = pairs_of(blocks.taken, "one by one", "side by side")
    interval = ratio_interval({0: times})
    one_by_one_ms, side_by_side_ms = (float(np.median(side)) / 1e6 for side in zip(*times, strict=True))
    print(f"{role}: {one_by_one_ms:.0f} -> {side_by_side_ms:.0f} ms, [{interval.low:.3f}, {interval.high:.3f}]")
    assert interval.low < 1
