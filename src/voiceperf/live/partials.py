"""The words of an utterance that are sure while it is still being said: those that two transcripts in a row begin with.

Each transcript is of all that was said so far (local agreement: Liu et al. 2020, Macháček et al. 2023). Words that were
handed out are never taken back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import takewhile

from wyoming.asr import TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.event import Event

from voiceperf.audio import Samples
from voiceperf.engines.base import Transcript, Utterance
from voiceperf.errors import VoicePerfError
from voiceperf.live.queue import EngineQueue, unasked


class Partials:
    """Of one utterance.

    Args:
        queue: of the engine that hears; it is only asked while it has nothing else to do.
        send: to the client.
        every_s: of sound, it is asked once.
    """

    def __init__(self, queue: EngineQueue, send: Callable[[Event], Awaitable[None]], every_s: float) -> None:
        self._queue, self._send, self._every_s = queue, send, every_s
        self._since_s = 0.0  # it was asked
        self._heard: list[str] = []  # last
        self._told: list[str] = []
        self._work: asyncio.Task[None] | None = None

    def is_due(self, more_s: float) -> bool:
        """Whether to ask now that so much more sound has come."""
        self._since_s += more_s
        is_at_rest = self._queue.is_at_rest and (self._work is None or self._work.done())
        return self._since_s >= self._every_s and is_at_rest

    def ask(self, audio: Samples, language: str) -> None:
        """Have all that was said so far heard."""
        self._since_s = 0.0
        self._work = asyncio.create_task(self._hear(Utterance(audio, language)))
        self._work.add_done_callback(unasked)

    async def _hear(self, utterance: Utterance) -> None:
        try:
            answer = await self._queue.ask(utterance)
        except VoicePerfError:
            return  # the whole utterance will tell
        assert isinstance(answer.output, Transcript)
        await self.add(answer.output.text)

    async def add(self, transcript: str) -> None:
        """Hand out what is sure with one more transcript of what was said so far."""
        words = transcript.split()
        sure = _common(self._heard, words)
        self._heard = words
        told = len(self._told)
        if len(sure) > told and len(_common(self._told, sure)) == told:
            if not told:
                await self._send(TranscriptStart().event())
            await self._send(TranscriptChunk(f"{' ' if told else ''}{' '.join(sure[told:])}").event())
            self._told += sure[told:]

    def stop(self) -> None:
        """Ask no more: the utterance has ended."""
        if self._work is not None:
            self._work.cancel()

    async def stopped(self) -> None:
        """Wait until the engine is free of it."""
        if self._work is not None:
            await asyncio.gather(self._work, return_exceptions=True)

    async def end(self) -> None:
        """After the transcript of the whole: what was begun ends."""
        if self._told:
            self._told = []
            await self._send(TranscriptStop().event())


def _common(before: list[str], after: list[str]) -> list[str]:
    """The words of `after` that both begin with, whatever their capitals and stops."""
    pairs = takewhile(lambda pair: _folded(pair[0]) == _folded(pair[1]), zip(before, after, strict=False))
    return [word for _, word in pairs]


def _folded(word: str) -> str:
    return word.casefold().strip(".,;:!?\"'")
