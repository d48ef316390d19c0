"""The service that hears: audio in, a transcript out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from functools import partial
from typing import Any

from wyoming.asr import Transcribe
from wyoming.asr import Transcript as TranscriptEvent
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.vad import VoiceStarted, VoiceStopped

from voiceperf.audio import Samples
from voiceperf.engines.base import Transcript, Utterance
from voiceperf.errors import ServiceError, VoicePerfError
from voiceperf.live.end_of_turn import Silence, reads_as_finished
from voiceperf.live.info import GUESS, GUESSED
from voiceperf.live.partials import Partials
from voiceperf.live.queue import Answer, unasked
from voiceperf.live.session import Session
from voiceperf.live.sound import Recording
from voiceperf.vad import SpeechDetector

_BEFORE_S = 1.0  # that is kept of the sound before a caller's first word


class _Guess:
    """What the engine makes of the words up to a pause, while it is not known yet whether they are all.

    Args:
        work: asks the engine.
        spoken_frames: of the words.
    """

    def __init__(self, work: Coroutine[Any, Any, Answer], spoken_frames: int) -> None:
        self.work, self.spoken_frames = asyncio.create_task(work), spoken_frames

    @property
    def is_there(self) -> bool:
        """Whether the engine has answered."""
        return self.work.done() and not self.work.cancelled() and self.work.exception() is None

    @property
    def is_finished(self) -> bool:
        """Whether the words are there, and read as a whole sentence."""
        return self.is_there and reads_as_finished(_text(self.work.result()))


class Hearing(Session):
    """Audio-start, audio-chunks and audio-stop become a transcript.

    A `transcribe` before them is not needed; it may name the language of the next utterance. Where the service ends
    utterances by itself, each becomes a `voice-stopped` and a transcript, and the sound may go on. In a pause before
    that it may guess: the words so far are transcribed, and are the transcript if nothing follows. While the caller
    speaks it may hand out the words that are sure, by `transcript-start` and `transcript-chunk`; a `transcript-stop`
    follows the transcript then.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._guessing: set[asyncio.Task[Answer]] = set()

    _language = ""
    _recording: Recording | None = None
    _silence: Silence | None = None  # where the service finds the end
    _detector: SpeechDetector | None = None
    _guess: _Guess | None = None
    _partials: Partials | None = None
    _has_heard = False  # an utterance of the sound that is coming
    _spoiled = False  # the rest of an utterance that was refused is passed over

    async def on_event(self, event: Event) -> None:
        if Transcribe.is_type(event.type):
            self._language = ""
            self._language = self._wanted(Transcribe.from_event(event))
        elif AudioStart.is_type(event.type):
            self._recording, self._spoiled = None, True  # unless the format is one
            await self._drop()
            self._begin(event)
            self._spoiled = self._has_heard = False
        elif AudioChunk.is_type(event.type) and not self._spoiled:
            try:
                samples = self._begun().add(event)
            except ServiceError:
                self._recording, self._spoiled = None, True
                await self._drop()
                raise
            self._look_in(len(samples))
            if self._silence is not None:
                await self._listen(self._silence, samples, event)
        elif AudioStop.is_type(event.type) and not self._spoiled:
            recording, self._recording = self._begun(), None
            if not self._has_heard or self._silence is None or self._silence.has_spoken:
                await self._heard(recording)

    def _begin(self, event: Event) -> None:
        """An utterance in the format that an event names."""
        self._recording = Recording(event, self.params.max_audio_s)
        if self.params.partial_ms:
            self._partials = Partials(self.queue, self.send, self.params.partial_ms / 1000)
        if self.params.end_of_turn_ms:
            self._detector = self._detector or SpeechDetector()
            self._silence = Silence(self._recording.rate_hz, self._detector)

    def _look_in(self, more: int) -> None:
        """While the caller speaks, see which words are sure; before they do, there are none."""
        recording, silence = self._begun(), self._silence
        is_spoken = silence is None or (silence.has_spoken and silence.ms == 0)
        if self._partials is not None and self._partials.is_due(more / recording.rate_hz) and is_spoken:
            with contextlib.suppress(VoicePerfError):  # too short yet
                self._partials.ask(recording.samples(), self._language)

    async def _listen(self, silence: Silence, samples: Samples, event: Event) -> None:
        """End the utterance where the caller has finished; of a silence before it only the last moment is kept."""
        recording = self._begun()
        silence.add(samples)
        if self._guess is not None and self._guess.spoken_frames < silence.spoken_frames:
            await self._take_back(self._guess)
        if not silence.has_spoken:
            recording.keep_last(_BEFORE_S)
        elif silence.ms >= self._patience_ms():
            self._has_heard = True
            await self.send(VoiceStopped().event())
            await self._heard(recording)
            self._begin(event)
        elif self._guess is None and 0 < self.params.guess_ms <= silence.ms:
            with contextlib.suppress(VoicePerfError):  # too short yet, say; whatever it is, the end will tell
                self._begin_guess(Utterance(recording.samples(), self._language), silence.spoken_frames)

    def _begin_guess(self, heard: Utterance, spoken_frames: int) -> None:
        if self._partials is not None:
            self._partials.stop()  # the guess is of more
        self._guess = _Guess(self._guessed(heard), spoken_frames)
        self._guessing.add(self._guess.work)
        self._guess.work.add_done_callback(self._guessing.discard)
        self._guess.work.add_done_callback(unasked)

    def _patience_ms(self) -> float:
        is_finished = self._guess is not None and self._guess.is_finished
        return (is_finished and self.params.finished_ms) or self.params.end_of_turn_ms

    async def _guessed(self, heard: Utterance) -> Answer:
        answer = await self.queue.ask(heard)
        await self.send(Event(GUESS, {"text": _text(answer)}))
        return answer

    async def _take_back(self, guess: _Guess) -> None:
        """The caller has spoken on."""
        if guess.is_there:
            await self.send(VoiceStarted().event())
        self._forget_guess()

    def _forget_guess(self) -> None:
        guess, self._guess = self._guess, None
        if guess is not None:
            guess.work.cancel()

    async def _drop(self) -> None:
        """End what was begun for sound that is no utterance."""
        self._forget_guess()
        partials, self._partials = self._partials, None
        if partials is not None:
            partials.stop()
            await partials.end()

    async def run(self) -> None:
        """As every session; its guesses end with it."""
        try:
            await super().run()
        finally:
            for work in self._guessing:
                work.cancel()
            if self._partials is not None:
                self._partials.stop()

    async def _heard(self, recording: Recording) -> None:
        language, self._language = self._language, ""
        guess, self._guess = self._guess, None
        partials, self._partials = self._partials, None
        if partials is not None:
            partials.stop()
        await self.start(partial(self._conclude, recording, language, guess, partials))

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

    async def _conclude(
        self, recording: Recording, language: str, guess: _Guess | None, partials: Partials | None
    ) -> None:
        """The transcript, once the engine is free of what was only tried; and the end of what was handed out before."""
        if guess is None:
            await asyncio.gather(*self._guessing, return_exceptions=True)
        if partials is not None:
            await partials.stopped()
        try:
            await self._transcribe(recording, language, guess)
        finally:
            if partials is not None:
                await partials.end()

    async def _transcribe(self, recording: Recording, language: str, guess: _Guess | None) -> None:
        if recording.is_too_short:  # a click; nobody says a word in it
            await self.send(TranscriptEvent("").event())
            return
        if guess is not None:
            with contextlib.suppress(VoicePerfError):
                await self._tell(await guess.work, {GUESSED: 1.0})
                return
        await self._tell(await self.queue.ask(Utterance(recording.samples(), language)), {})

    async def _tell(self, answer: Answer, more: dict[str, float]) -> None:
        await self.send(TranscriptEvent(_text(answer), context=answer.as_context() | more).event())


def _text(answer: Answer) -> str:
    assert isinstance(answer.output, Transcript)
    return answer.output.text
