"""The service that hears: audio in, a transcript out."""

from __future__ import annotations

from functools import partial

from wyoming.asr import Transcribe
from wyoming.asr import Transcript as TranscriptEvent
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.vad import VoiceStopped

from voiceperf.audio import Samples
from voiceperf.engines.base import Transcript, Utterance
from voiceperf.errors import ServiceError
from voiceperf.live.end_of_turn import EndOfTurn
from voiceperf.live.session import Session
from voiceperf.live.sound import Recording

_BEFORE_S = 1.0  # that is kept of the sound before a caller's first word


class Hearing(Session):
    """Audio-start, audio-chunks and audio-stop become a transcript.

    A `transcribe` before them is not needed; it may name the language of the next utterance. Where the service ends
    utterances by itself, each becomes a `voice-stopped` and a transcript, and the sound may go on.
    """

    _language = ""
    _recording: Recording | None = None
    _end: EndOfTurn | None = None  # where the service finds it
    _has_heard = False  # an utterance of the sound that is coming
    _spoiled = False  # the rest of an utterance that was refused is passed over

    async def on_event(self, event: Event) -> None:
        if Transcribe.is_type(event.type):
            self._language = ""
            self._language = self._wanted(Transcribe.from_event(event))
        elif AudioStart.is_type(event.type):
            self._recording, self._spoiled = None, True  # unless the format is one
            self._begin(event)
            self._spoiled = self._has_heard = False
        elif AudioChunk.is_type(event.type) and not self._spoiled:
            try:
                samples = self._begun().add(event)
            except ServiceError:
                self._recording, self._spoiled = None, True
                raise
            if self._end is not None:
                await self._listen(self._end, samples, event)
        elif AudioStop.is_type(event.type) and not self._spoiled:
            recording, self._recording = self._begun(), None
            if not self._has_heard or self._end is None or self._end.has_spoken:
                await self._heard(recording)

    def _begin(self, event: Event) -> None:
        """An utterance in the format that an event names."""
        self._recording = Recording(event, self.params.max_audio_s)
        if self.params.end_of_turn_ms:
            self._end = EndOfTurn(self.params.end_of_turn_ms, self._recording.rate_hz)

    async def _listen(self, end: EndOfTurn, samples: Samples, event: Event) -> None:
        """End the utterance where the caller has finished; of a silence before it only the last moment is kept."""
        recording = self._begun()
        if end.is_over(samples):
            self._has_heard = True
            self._begin(event)
            await self.send(VoiceStopped().event())
            await self._heard(recording)
        elif not end.has_spoken:
            recording.keep_last(_BEFORE_S)

    async def _heard(self, recording: Recording) -> None:
        language, self._language = self._language, ""
        await self.start(partial(self._transcribe, recording, language))

    def _wanted(self, asked: Transcribe) -> str:
        """The language that a client asks for.

        Raises:
            ServiceError: it asks for another model, or what it names is no text.
        """
        if not isinstance(asked.language, str | None) or not isinstance(asked.name, str | None):
            raise ServiceError("a model and a language to transcribe by must be texts", "malformed")
        models = {model.name for program in self.shared.info.asr for model in program.models}
        programs = {program.name for program in self.shared.info.asr}
        if asked.name and asked.name not in models | programs:
            raise ServiceError(f"no model {asked.name!r}: there is {', '.join(models)}", "unsupported")
        return asked.language or ""

    def _begun(self) -> Recording:
        if self._recording is None:
            raise ServiceError("audio-start must come first", "malformed")
        return self._recording

    async def _transcribe(self, recording: Recording, language: str) -> None:
        if recording.is_too_short:  # a click; nobody says a word in it
            await self.send(TranscriptEvent("").event())
            return
        answer = await self.queue.ask(Utterance(recording.samples(), language))
        assert isinstance(answer.output, Transcript)
        await self.send(TranscriptEvent(answer.output.text, context=answer.as_context()).event())
