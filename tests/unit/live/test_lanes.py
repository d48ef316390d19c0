"""Who is next."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from voiceperf.live.lanes import Lanes


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.integers(1, 3))
def test_the_most_urgent_is_next_and_equals_are_in_order(dues, lanes):
    """Of those who wait, the earliest due is served, and of equals whoever came first."""

    async def scene():
        queue = Lanes(range(lanes))
        taken = [await queue.take(0) for _ in range(lanes)]
        served = []

        async def wait(number, due):
            lane = await queue.take(due)
            served.append((due, number))
            queue.give_back(lane)

        waiting = [asyncio.create_task(wait(number, due)) for number, due in enumerate(dues)]
        await asyncio.sleep(0)
        for lane in taken[:1]:
            queue.give_back(lane)
        await asyncio.gather(*waiting)
        return served

    assert asyncio.run(scene()) == sorted((due, number) for number, due in enumerate(dues))


@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_whoever_leaves_keeps_nothing(leaves):
    """Cancelled while waiting, or at the very moment it is given, one has no lane; the others are served."""

    async def scene():
        queue = Lanes(["only"])
        held = await queue.take(0)
        served = []

        async def wait(number):
            lane = await queue.take(number)
            served.append(number)
            queue.give_back(lane)

        waiting = [asyncio.create_task(wait(number)) for number in range(len(leaves))]
        await asyncio.sleep(0)
        queue.give_back(held)  # the first now has it, and does not know yet
        for task, leave in zip(waiting, leaves, strict=True):
            if leave:
                task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert queue.all_free
        return served

    assert asyncio.run(scene()) == [number for number, leave in enumerate(leaves) if not leave]
