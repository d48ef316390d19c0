"""The service that hears: audio in, a transcript out."""

from __future__ import annotations

from functools import partial

from wyoming.asr import Transcript as TranscriptEvent
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event

from voiceperf.engines.base import Transcript, Utterance
from voiceperf.errors import ServiceError
from voiceperf.live.session import Session
from voiceperf.live.sound import Recording


class Hearing(Session):
    """Audio-start, audio-chunks and audio-stop become a transcript; a `transcribe` before them is not needed."""

    _recording: Recording | None = None
    _spoiled = False  # the rest of an utterance that was refused is passed over

    async def on_event(self, event: Event) -> None:
        if AudioStart.is_type(event.type):
            self._recording, self._spoiled = None, True  # unless the format is one
            self._recording = Recording(event, self.params.max_audio_s)
            self._spoiled = False
        elif AudioChunk.is_type(event.type) and not self._spoiled:
            try:
                self._begun().add(event)
            except ServiceError:
                self._recording, self._spoiled = None, True
                raise
        elif AudioStop.is_type(event.type) and not self._spoiled:
            recording, self._recording = self._begun(), None
            self.start(partial(self._transcribe, recording))

    def _begun(self) -> Recording:
        if self._recording is None:
            raise ServiceError("audio-start must come first", "malformed")
        return self._recording

    async def _transcribe(self, recording: Recording) -> None:
        answer = await self.queue.ask(Utterance(recording.samples()))
        assert isinstance(answer.output, Transcript)
        await self.send(TranscriptEvent(answer.output.text, context=answer.as_context()).event())
