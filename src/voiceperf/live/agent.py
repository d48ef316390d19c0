"""One call through three services: who speaks when, what is passed on as soon as it is there, and when it happened."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import numpy as np
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.handle import Handled, HandledChunk, HandledStop, NotHandled
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeStopped
from wyoming.vad import VoiceStarted, VoiceStopped

from voiceperf.audio import SPEECH_RATE_HZ, Samples
from voiceperf.call import Turn
from voiceperf.conversation import Message
from voiceperf.errors import ServiceError
from voiceperf.live.barge_in import Attention, BargeIn, Playback, Sleep, sounding
from voiceperf.live.client import Link
from voiceperf.live.info import GUESS, OURS
from voiceperf.live.record import Since, TurnRecord
from voiceperf.live.replying import Reply, Replying, both
from voiceperf.live.services import Services
from voiceperf.live.sound import WIDTH_BYTES, chunks
from voiceperf.measure.clock import Clock, SystemClock

FRAME_MS = 20  # in which a telephone sends speech
ANSWER_S = 60.0  # a stage that says nothing for so long has failed
PATIENCE_S = 30.0  # for a service that went away in a turn to come back for the next
_TRY_AGAIN_S = 0.2


class Caller:
    """Plays the caller of one call and passes on what the services say, each word as it comes.

    Args:
        services: three Wyoming services, ours or anyone's.
        number: of the call, for the record.
        real_time: speech takes as long to send as to say.
        scripted: the service that answers says the recorded reply at its own pace; without it what it likes.
        late_ms: by how much their speech arrives after it is spoken, in real time.
        says_the_end: of their words; else the service that hears has to find it, and all is in real time.
        attention: what notices that they speak into a reply.
    """

    def __init__(
        self,
        services: Services,
        number: int,
        *,
        real_time: bool,
        scripted: bool = True,
        late_ms: float = 0.0,
        says_the_end: bool = True,
        attention: Attention | None = None,
        clock: Clock | None = None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._services, self._number = services, number
        self._real_time, self._scripted = real_time or not says_the_end, scripted
        self._says_the_end, self._late_ns = says_the_end, int(late_ms * 1e6)
        self._clock, self._sleep = clock or SystemClock(), sleep
        self._links: dict[str, Link] = {}  # by part: one program may play several
        self._patience_s = 0.0  # for a service that is away: none at first, some once a turn has failed
        self._streams_speech = self._reads_ahead = False  # until the services have said so
        self._is_streaming = False  # the speech of the turn at hand
        self._attention = attention
        self._begun: tuple[Samples, int] | None = None  # the caller's next words, and when the first of them was spoken

    async def _read_ahead(self, link: Link, messages: list[Message]) -> None:
        """Let the service read the conversation before the caller's next words, as in the seconds while they speak."""
        await link.send(Transcript("", context={"messages": messages}).event())
        while not _ends((await link.receive(ANSWER_S)).type):
            pass

    async def turn(self, turn: Turn, messages: list[Message], barge_in: BargeIn | None = None) -> TurnRecord:
        """One exchange; what fails is told in the record, and the connections are made anew for the next.

        Args:
            turn: what the caller says; where they have begun it by speaking into the last reply, they go on.
            messages: the conversation, to the end of that.
            barge_in: what they say into this reply.
        """
        record = TurnRecord(self._number, turn.number)
        try:
            await self._turn(turn, messages, record, barge_in)
        except ServiceError as error:
            record.error = str(error)
        except (KeyError, TypeError, AttributeError) as wrong:  # what the event classes raise
            record.error = f"an event of a service lacks a field, or has a wrong one: {wrong}"
        if record.error:
            self._patience_s, self._begun = PATIENCE_S, None
            record.silence_ms, record.heard_reply = None, ""
            await self.hang_up()
        return record

    async def hang_up(self, *parts: str) -> None:
        """Close the connections, or those to some parts."""
        for part in parts or tuple(self._links):
            if link := self._links.pop(part, None):
                await link.close()

    async def _link(self, part: str) -> Link:
        if part in self._links and not self._links[part].is_open:
            await self.hang_up(part)
        if part not in self._links:
            self._links[part] = link = await self._connected(getattr(self._services, part))
            if part == "speaks":
                self._streams_speech = any(program.supports_synthesize_streaming for program in (await link.info()).tts)
            if part == "answers":  # another's would take it for a request without words
                self._reads_ahead = any(program.name.startswith(OURS) for program in (await link.info()).handle)
        return self._links[part]

    async def _connected(self, uri: str) -> Link:
        since = Since(self._clock)
        while True:
            try:
                return await Link.to(uri, self._services.params)
            except ServiceError:
                if since.ms() >= 1000 * self._patience_s:
                    raise
            await self._sleep(_TRY_AGAIN_S)

    async def _turn(self, turn: Turn, messages: list[Message], record: TurnRecord, barge_in: BargeIn | None) -> None:
        hears, answers, _ = [await self._link(part) for part in ("hears", "answers", "speaks")]
        if self._reads_ahead:
            await self._read_ahead(answers, messages[:-1])
        context: dict[str, Any] = {"messages": messages}
        if self._scripted:
            context["script"] = turn.reply

        async def answer(words: str, since: Since, playback: Playback) -> None:
            """Have words answered, and the answer spoken."""
            answers, speaks = [await self._link(part) for part in ("answers", "speaks")]
            self._is_streaming = False
            await answers.send(Transcript(words, context=context).event())
            await both(self._pass_on(answers, speaks, record, since), self._listen(speaks, record, since, playback))

        async with Replying(answer, partial(self.hang_up, "answers", "speaks"), record) as replying:
            since = await self._speak(hears, turn, record, replying)
            reply = await replying.to(record.transcript, since)
            if barge_in is not None:
                async with _giving_up(reply.playback.begun.wait()) as first_sound:
                    await asyncio.wait([reply.work, first_sound], return_when=asyncio.FIRST_COMPLETED)
                    if first_sound.done():
                        await self._speak_into(barge_in, turn, record, reply)
            if record.silence_ms is None:
                await reply.work

    async def _speak_into(self, barge_in: BargeIn, turn: Turn, record: TurnRecord, reply: Reply) -> None:
        """What the caller says while the reply sounds; once they are noticed, nobody waits for the rest of it.

        A reply that is over before, or has failed, is not spoken into.
        """
        assert record.first_audio_ms is not None
        await self._sleep(max(0.0, barge_in.after_ms - reply.sounding_ms(record)) / 1e3)
        if reply.is_over(record):
            return
        self._attention = self._attention or Attention(self._clock, self._sleep)
        noticed = await self._attention.noticed(barge_in.audio, turn.audio)
        if reply.work.done():
            await reply.work  # which has failed, or all of whose sound is here
        if noticed is None:
            raise ServiceError("the caller spoke into the reply, and was not noticed", "unnoticed")
        self._begun = barge_in.audio[noticed.kept_from :], noticed.moment_ns(noticed.kept_from)
        if reply.is_over(record):
            return
        record.silence_ms = max(0.0, (self._clock.wall_ns() - noticed.sounded_ns(barge_in.audio)) / 1e6)
        record.heard_reply = reply.playback.heard(record.reply, reply.sounding_ms(record) / 1e3)
        await self.hang_up("answers", "speaks")

    async def _speak(self, hears: Link, turn: Turn, record: TurnRecord, replying: Replying) -> Since:
        """Say what the caller says, until it is heard; what has passed since their last sample.

        Where the service finds the end of their words, that is since their last sound, and they go on with silence.
        What it guesses before is answered ahead.
        """
        audio, started_ns = self._begun or (turn.audio, self._clock.wall_ns())
        self._begun = None
        await hears.send(Transcribe().event())
        await hears.send(AudioStart(SPEECH_RATE_HZ, WIDTH_BYTES, 1).event())
        if self._says_the_end:
            await self._say(hears, audio, started_ns)
            ended_ns = started_ns + len(audio) * 10**9 // SPEECH_RATE_HZ  # however late they are sent
            since = Since(self._clock, ended_ns if self._real_time else None)
            await hears.send(AudioStop().event())
            await self._hear(hears, record, since, replying)
            return since
        since = Since(self._clock, started_ns + sounding(audio).stop * 10**9 // SPEECH_RATE_HZ)
        patience = np.zeros(int(ANSWER_S * SPEECH_RATE_HZ), np.float32)
        async with _giving_up(self._say(hears, np.concatenate([audio, patience]), started_ns)):
            await self._hear(hears, record, since, replying)
        await hears.send(AudioStop().event())
        return since

    async def _say(self, link: Link, audio: Samples, started_ns: int) -> None:
        for number, chunk in enumerate(chunks(audio, SPEECH_RATE_HZ, FRAME_MS), start=1):
            if self._real_time:
                here_ns = started_ns + number * FRAME_MS * 1_000_000 + self._late_ns
                await self._sleep(max(0.0, (here_ns - self._clock.wall_ns()) / 1e9))
            await link.send(chunk)

    async def _hear(self, link: Link, record: TurnRecord, since: Since, replying: Replying) -> None:
        while not Transcript.is_type((event := await link.receive(ANSWER_S)).type):
            if VoiceStopped.is_type(event.type):
                record.end_of_turn_ms = since.ms()
            elif event.type == GUESS:
                await replying.ahead(event.data["text"], since)
            elif VoiceStarted.is_type(event.type):
                await replying.take_back()
        heard = Transcript.from_event(event)
        record.transcript, record.transcript_ms = heard.text, since.ms()
        _keep(record, "hears", heard.context)

    async def _pass_on(self, answers: Link, speaks: Link, record: TurnRecord, since: Since) -> None:
        """The reply's words to the service that speaks, as they come."""
        in_parts = False
        while True:
            event = await answers.receive(ANSWER_S)
            if HandledChunk.is_type(event.type):
                record.mark_text(since.ms())
                text = HandledChunk.from_event(event).text
                record.reply += text
                if self._streams_speech:
                    if not self._is_streaming:
                        self._is_streaming = True
                        await speaks.send(SynthesizeStart().event())
                    await speaks.send(SynthesizeChunk(text).event())
                in_parts = True
            elif Handled.is_type(event.type):
                record.all_text_ms = since.ms()
                record.mark_text(since.ms())
                handled = Handled.from_event(event)
                record.reply = handled.text or record.reply
                _keep(record, "answers", handled.context)
                if self._is_streaming:
                    await speaks.send(SynthesizeStop().event())
                else:
                    await speaks.send(Synthesize(record.reply).event())
                if not in_parts:
                    return
            elif HandledStop.is_type(event.type):
                return
            elif NotHandled.is_type(event.type):
                raise ServiceError(f"{answers.uri}: has no answer to {record.transcript!r}", "not-handled")

    async def _listen(self, speaks: Link, record: TurnRecord, since: Since, playback: Playback) -> None:
        """The speech, until its end; of a stream some services end each sentence's sound by itself."""
        sound = hashlib.sha256()
        while True:
            event = await speaks.receive(ANSWER_S)
            if AudioStart.is_type(event.type):
                _keep(record, "speaks", event.data.get("context"))
            elif AudioChunk.is_type(event.type):
                record.mark_audio(since.ms())
                playback.add(event)
                record.audio_s = playback.audio_s
                sound.update(event.payload or b"")
            elif AudioStop.is_type(event.type):
                record.all_audio_ms, record.audio_sha256 = since.ms(), sound.hexdigest()
                if not self._is_streaming:
                    return
            elif SynthesizeStopped.is_type(event.type):
                return


@asynccontextmanager
async def _giving_up(work: Coroutine[Any, Any, Any]) -> AsyncIterator[asyncio.Task[Any]]:
    """Work under way that nobody waits for afterwards."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _ends(event_type: str) -> bool:
    return any(kind.is_type(event_type) for kind in (Handled, NotHandled))


def _keep(record: TurnRecord, stage: str, context: Any) -> None:
    """What a service of ours tells of its own time; others tell nothing."""
    if isinstance(context, dict):
        record.served[stage] = {name: value for name, value in context.items() if isinstance(value, int | float)}
