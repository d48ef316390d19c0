"""Who is served when, and by which worker."""

import asyncio

import pytest
from fake_engine import FakeParams

from voiceperf.engines.base import Line
from voiceperf.errors import ServiceError
from voiceperf.live.metrics import Metrics
from voiceperf.live.params import ServiceParams
from voiceperf.live.queue import EngineQueue
from voiceperf.measure.contender import Contender


@pytest.fixture
def asked():
    """Run a test's coroutine with a queue before some workers of the fake engine."""

    def run(test, **limits):
        async def both():
            contender = Contender("test", FakeParams())
            queue = EngineQueue(contender, ServiceParams(**limits), Metrics("fake"))
            try:
                return await test(queue)
            finally:
                queue.close()

        return asyncio.run(both())

    return run


def test_nobody_is_overtaken(asked):
    """Who asks again as soon as there is an answer waits behind those who have come meanwhile."""
    order = []

    async def test(queue):
        async def ask(name, times):
            for _ in range(times):
                await queue.ask(Line(name))
                order.append(name)

        async with asyncio.TaskGroup() as asking:
            asking.create_task(ask("long", 4))
            asking.create_task(ask("one", 1))
            asking.create_task(ask("two", 1))

    asked(test)
    assert order == ["long", "one", "two", "long", "long", "long"]


def test_what_has_begun_is_not_refused(asked):
    """Where no more may wait, a new request is refused, but the next piece of a reply that has begun waits its turn."""

    async def test(queue):
        first = asyncio.create_task(queue.ask(Line("first")))
        await asyncio.sleep(0)
        with pytest.raises(ServiceError, match="wait already"):
            await queue.ask(Line("new"))
        answer = await queue.ask(Line("next piece"), is_begun=True)
        await first
        return answer.output.text

    assert asked(test, max_waiting=0).startswith("next piece")


def test_who_is_alone_always_has_the_same_worker(asked):
    """Of several workers the one used last is taken: what it has read of a conversation is still warm."""

    async def test(queue):
        return [(await queue.ask(Line("x"))).output.prompt_tokens for _ in range(3)]

    assert asked(test, workers=2) == [1, 2, 3]  # the fake engine counts its own requests


def test_memory_is_that_of_every_worker_once(asked):
    """Two workers hold more than one, and nothing is told while one of them is at work."""

    async def test(queue):
        asking = asyncio.create_task(queue.ask(Line("x")))
        await asyncio.sleep(0)
        during = await queue.rss_bytes()
        await asking
        return during, await queue.rss_bytes()

    busy, one = asked(test)
    assert busy is None
    assert asked(test, workers=2)[1] > 1.5 * one
