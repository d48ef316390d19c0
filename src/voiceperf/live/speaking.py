"""The service that speaks: text in, whole or as it is made; sound out, piece by piece."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import numpy as np
from wyoming.audio import AudioStart, AudioStop
from wyoming.event import Event
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

from voiceperf.audio import Samples
from voiceperf.engines.base import Line, Speech
from voiceperf.engines.pieces import PieceStream
from voiceperf.engines.spoken import Thoughts, spoken, unreadable
from voiceperf.errors import ServiceError, VoicePerfError
from voiceperf.live.info import PIECE
from voiceperf.live.session import Session
from voiceperf.live.sound import WIDTH_BYTES, chunks

_RATE_HZ = 24_000  # of a reply that has no sound

Pieces = asyncio.Queue[str | ServiceError | None]
"""What is to be spoken; None after the last, or why the rest is refused."""


class Speaking(Session):
    """Each piece goes through the queue by itself, so that nobody's first word waits for a long answer's end."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._voice = self.shared.engine.delivery()
        self._in_stream = False
        self._text: PieceStream | None = None  # None once it is whole, or refused
        self._thoughts = Thoughts()
        self._pieces: Pieces = asyncio.Queue()
        self._characters = 0

    async def on_event(self, event: Event) -> None:
        if Synthesize.is_type(event.type) and not self._in_stream:  # within a stream it repeats the text for others
            await self._begin(event, streamed=False)
            self._add(event.data.get("text"))
            self._end()
        elif SynthesizeStart.is_type(event.type):
            self._end()
            self._in_stream = True
            await self._begin(event, streamed=True)
        elif SynthesizeChunk.is_type(event.type):
            if not self._in_stream:
                raise ServiceError("synthesize-start must come first", "malformed")
            self._add(SynthesizeChunk.from_event(event).text)
        elif SynthesizeStop.is_type(event.type):
            self._end()
            self._in_stream = False

    async def _begin(self, event: Event, *, streamed: bool) -> None:
        """A reply, which ends as every other also where it is refused from the start."""
        pieces: Pieces = asyncio.Queue()
        try:
            voice, refusal = self._wanted(event.data.get("voice")), None
        except ServiceError as error:
            voice, refusal = "", error
            pieces.put_nowait(error)
        await self.start(partial(self._speak, pieces, voice, streamed))
        self._text = None if refusal else PieceStream(self._voice.lang, split=self._voice.by_sentence)
        self._thoughts = Thoughts()
        self._pieces, self._characters = pieces, 0

    def _wanted(self, data: Any) -> str:
        """The voice that a client names; empty, for the profile's own, where it names none.

        Raises:
            ServiceError: that is no voice, its name is no text, or its language is not the one spoken here.
        """
        if data is None:
            return ""
        try:
            asked = SynthesizeVoice.from_dict(data)
        except (AttributeError, KeyError, TypeError):
            raise ServiceError("a voice must be an object with a name or a language", "malformed") from None
        if not isinstance(asked.name, str | None) or not isinstance(asked.language, str | None):
            raise ServiceError("a voice's name and language must be texts", "malformed")
        if asked.language and _base(asked.language) != _base(self._voice.lang):
            raise ServiceError(f"no voice for {asked.language!r}: there is {self._voice.lang}", "unsupported")
        return asked.name or ""

    def _add(self, text: Any) -> None:
        if self._text is None:
            return  # the rest of what was refused
        refusal = self._refusal(text)
        for piece in [refusal] if refusal else self._text.add(self._filtered(text)):
            self._pieces.put_nowait(piece)
        if refusal:
            self._text = None

    @property
    def waits_for_engine(self) -> bool:
        return super().waits_for_engine and self._text is None

    def _filtered(self, text: str) -> str:
        return self._thoughts.add(text) if self._voice.filter_text else text

    def _refusal(self, text: Any) -> ServiceError | None:
        if not isinstance(text, str):
            return ServiceError("a text to speak must be one", "malformed")
        self._characters += len(text)
        if self._characters > self.params.max_characters:
            return ServiceError(f"more than {self.params.max_characters} characters to speak", "too-long")
        return None

    def _end(self) -> None:
        if self._text is not None:
            for piece in (*self._text.add(self._thoughts.rest()), *self._text.rest(), None):
                self._pieces.put_nowait(piece)
            self._text = None

    async def _speak(self, pieces: Pieces, voice: str, streamed: bool) -> None:
        """One reply; who waits for the end of its sound or of a stream gets it, whatever became of the speech."""
        sound = _Sound(self)
        try:
            await self._speak_each(pieces, voice, sound)
        except VoicePerfError as error:
            await self.refuse(error)
        await sound.end()
        if streamed:
            await self.send(SynthesizeStopped().event())

    async def _speak_each(self, pieces: Pieces, voice: str, sound: _Sound) -> None:
        """From the first piece to the last; the start tells how long the first one took, and its text."""
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        unread: list[str] = []
        while (piece := await pieces.get()) is not None:
            if isinstance(piece, ServiceError):
                raise piece
            if self._voice.filter_text and not spoken(piece, self._voice.lang):
                unread += unreadable(piece, self._voice.lang)
                continue  # a divider, an emoji: nothing that is spoken; or another script
            text_ms = 1000 * (loop.time() - begun_s)
            answer = await self.queue.ask(Line(piece, voice), is_begun=sound.samples > 0)
            speech = answer.output
            assert isinstance(speech, Speech)
            if sound.samples == 0:
                await sound.begin(speech.rate_hz, {**answer.as_context(), "text_ms": text_ms})
                await sound.add(speech.audio, piece)
            else:
                await sound.add(self._after_pause(speech.audio, speech.rate_hz), piece)
        if unread and sound.samples == 0:
            raise ServiceError(f"a voice of {self._voice.lang} cannot read {' '.join(unread)[:40]!r}", "unreadable")

    def _after_pause(self, sound: Samples, rate_hz: int) -> Samples:
        return np.concatenate([np.zeros(round(self._voice.pause_s * rate_hz), np.float32), sound])


def _base(language: str) -> str:
    """A language without its region: en of en-us, en_GB and EN."""
    return language.lower().replace("_", "-").split("-", maxsplit=1)[0]


class _Sound:
    """The sound of one reply on its way out: a start, chunks, an end."""

    def __init__(self, session: Session) -> None:
        self._session, self._rate_hz, self.samples = session, _RATE_HZ, 0

    async def begin(self, rate_hz: int, context: dict[str, float]) -> None:
        self._rate_hz = rate_hz
        start = AudioStart(rate_hz, WIDTH_BYTES, 1).event()
        start.data["context"] = context
        await self._session.send(start)

    async def add(self, samples: Samples, words: str) -> None:
        """A piece, the first chunk of which says what is spoken in it."""
        begin_ms = 1000 * self.samples / self._rate_hz
        for number, chunk in enumerate(chunks(samples, self._rate_hz, self._session.params.audio_ms, begin_ms)):
            if number == 0:
                chunk.data[PIECE] = words
            await self._session.send(chunk)
        self.samples += len(samples)

    async def end(self) -> None:
        """Also of a reply that has no sound."""
        if self.samples == 0:
            await self.begin(self._rate_hz, {})
        await self._session.send(AudioStop(round(1000 * self.samples / self._rate_hz)).event())
