"""A reply under way: begun once the caller's words are known, or ahead of that, on a guess of what they are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from voiceperf.live.barge_in import Playback
from voiceperf.live.record import Since, TurnRecord

Answering = Callable[[str, Since, Playback], Awaitable[None]]
"""Have some words answered: the reply's moments go into the turn's record, its sound into the playback."""


@dataclass
class Reply:
    """What comes of the caller's words, or of a guess of them."""

    words: str
    since: Since
    playback: Playback
    work: asyncio.Task[None]  # what passes it on

    def sounding_ms(self, record: TurnRecord) -> float:
        """For how long it has sounded."""
        return self.since.ms() - (record.first_audio_ms or 0.0)

    def is_over(self, record: TurnRecord) -> bool:
        """Whether all of it has sounded."""
        return self.work.done() and self.sounding_ms(record) >= 1e3 * self.playback.audio_s


class Replying:
    """Has one turn answered. Use as an async context manager: what is under way at its end is given up.

    Args:
        answer: does it.
        give_up: tells the services that nobody wants what they are at.
        record: of the turn.
    """

    def __init__(self, answer: Answering, give_up: Callable[[], Awaitable[None]], record: TurnRecord) -> None:
        self._answer, self._give_up, self._record = answer, give_up, record
        self._reply: Reply | None = None

    async def ahead(self, words: str, since: Since) -> None:
        """Answer what the caller has said if they have finished; nothing of it is heard yet."""
        if words and not (self._reply and self._reply.words == words):
            await self.take_back()
            self._begin(words, since)

    async def take_back(self) -> None:
        """They had not finished."""
        if self._reply is not None:
            await self._end()
            self._record.forget_reply()
            await self._give_up()

    async def to(self, words: str, since: Since) -> Reply:
        """The reply to what they have said: the one that is under way if its guess was right and it has not failed.

        What of it was ready is heard from now on.
        """
        if self._reply is not None and not (self._reply.words == words and _is_well(self._reply.work)):
            await self.take_back()
        if self._reply is None:
            return self._begin(words, since)
        self._record.hold_back(since.ms())
        return self._reply

    def _begin(self, words: str, since: Since) -> Reply:
        playback = Playback()
        work = asyncio.ensure_future(self._answer(words, since, playback))
        self._reply = Reply(words, since, playback, work)
        return self._reply

    async def _end(self) -> None:
        reply, self._reply = self._reply, None
        if reply is not None:
            reply.work.cancel()
            await asyncio.gather(reply.work, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()


async def both(*work: Coroutine[Any, Any, None]) -> None:
    """Both at once; where one fails, the other is given up."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for failure in ended:
        if isinstance(failure, Exception):
            raise failure


def _is_well(work: asyncio.Task[None]) -> bool:
    """Whether it goes on, or has come to its end."""
    return not work.done() or (not work.cancelled() and work.exception() is None)
