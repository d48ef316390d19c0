"""Where a caller's words end, without an engine: on real speech, as it comes."""

import asyncio
import time
from typing import ClassVar

import numpy as np
import pytest
from tests.unit.live.test_agent import CALL, Answers, Hears, Speaks, listening
from wyoming.asr import Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.vad import VoiceStarted, VoiceStopped

from voiceperf.engines.base import Transcript as Heard
from voiceperf.errors import ServiceError
from voiceperf.live.agent import Caller
from voiceperf.live.barge_in import sounding
from voiceperf.live.end_of_turn import Silence, reads_as_finished
from voiceperf.live.hearing import Hearing
from voiceperf.live.info import GUESS
from voiceperf.live.params import ServiceParams
from voiceperf.live.record import TurnRecord
from voiceperf.live.stages import OVERALL, stages_of
from voiceperf.vad import SpeechDetector

RATE_HZ = 16_000
DETECTOR = SpeechDetector()
QUIET = np.zeros(RATE_HZ, np.float32)


def ended_after_s(audio, silence_ms, rate_hz=RATE_HZ, step=320):
    """How long a caller was silent when their words were taken for finished; None where they never were."""
    silence = Silence(rate_hz, DETECTOR)
    last_s = sounding(audio).stop / RATE_HZ
    sound = np.concatenate([audio, QUIET, QUIET])
    sound = sound if rate_hz == RATE_HZ else np.repeat(sound, rate_hz // RATE_HZ)
    for start in range(0, len(sound), step):
        silence.add(sound[start : start + step])
        if silence.has_spoken and silence.ms >= silence_ms:
            return (start + step) / rate_hz - last_s
    return None


@pytest.mark.parametrize("turn", CALL.turns, ids=lambda turn: f"turn {turn.number}")
@pytest.mark.parametrize("silence_ms", [400.0, 800.0])
def test_words_end_after_the_silence_that_is_asked_for(turn, silence_ms):
    """Not before, and at most a quarter of a second later; pauses within them are shorter."""
    assert -0.1 < ended_after_s(turn.audio, silence_ms) - silence_ms / 1000 < 0.25


def test_where_chunks_end_does_not_matter():
    """The same place in packets of 20 ms, and of a third of a second; and at three times the rate."""
    (audio, *_) = [turn.audio for turn in CALL.turns]
    found = [ended_after_s(audio, 500.0, step=step) for step in (320, 5000)]
    assert found[0] <= found[1] < found[0] + 5000 / RATE_HZ
    assert ended_after_s(audio, 500.0, rate_hz=48_000, step=960) == pytest.approx(found[0], abs=0.1)


def test_silence_is_no_turn():
    """Who has said nothing has not finished."""
    assert ended_after_s(np.zeros(RATE_HZ, np.float32), 200.0) is None


@pytest.fixture
def hear():
    """What the hearing service sends, given what a client does; its transcripts are how long the speech was."""

    def run(events, said="", fails=0, **params):
        sent = run.sent = []

        class Queue:
            is_at_rest = True

            async def ask(self, utterance):
                sent.append(Event("asked"))
                if [event.type for event in sent].count("asked") == fails:
                    raise ServiceError("too many wait already", "overloaded")
                output = Heard(said or f"{len(utterance.audio) / RATE_HZ:.1f} s", 1, 1.0, 1.0)
                return type("Answer", (), {"output": output, "as_context": lambda self: {}})()

        class Session(Hearing):
            def __init__(self):
                self.params, self.queue, self._guessing = ServiceParams(**params), Queue(), set()

            async def start(self, job):
                await job()

            async def send(self, event):
                sent.append(event)

        async def all_of_it():
            session = Session()
            for event in events:
                await session.on_event(event)
                await asyncio.sleep(0)  # the engine's turn
                await asyncio.sleep(0)

        asyncio.run(all_of_it())
        return [event for event in sent if event.type != "asked"], sent

    return run


def streamed(*sounds):
    """A client's sound, in chunks of 20 ms."""
    pcm = (np.concatenate(sounds) * 32767).astype("<i2").tobytes()
    yield AudioStart(RATE_HZ, 2, 1).event()
    for start in range(0, len(pcm), 640):
        yield AudioChunk(RATE_HZ, 2, 1, pcm[start : start + 640]).event()


def kinds(events):
    return [event.type for event in events]


def test_a_client_that_goes_on_is_heard_utterance_by_utterance(hear):
    """Each ends in a `voice-stopped` and a transcript; the silence before the first is not part of it."""
    first, second = (turn.audio for turn in CALL.turns[:2])
    sent, _ = hear(streamed(QUIET, QUIET, QUIET, first, QUIET, second, QUIET), end_of_turn_ms=600.0)
    assert kinds(sent) == kinds([VoiceStopped().event(), Transcript("").event()] * 2)
    heard_s = float(Transcript.from_event(sent[1]).text.split()[0])
    assert heard_s < len(first) / RATE_HZ + 1.8


def test_the_end_that_a_client_names_counts_too(hear):
    """Words before it are heard; after an utterance that has ended by itself it says nothing new."""
    audio = CALL.turns[0].audio
    sooner, _ = hear([*streamed(audio), AudioStop().event()], end_of_turn_ms=600.0)
    assert kinds(sooner) == kinds([Transcript("").event()])
    later, _ = hear([*streamed(audio, QUIET), AudioStop().event()], end_of_turn_ms=600.0)
    assert kinds(later) == kinds([VoiceStopped().event(), Transcript("").event()])
    silent, _ = hear([*streamed(QUIET), AudioStop().event()], end_of_turn_ms=600.0)
    assert kinds(silent) == kinds([Transcript("").event()])


def test_unless_it_is_asked_to_a_service_ends_nothing(hear):
    """By default a client says where its words end."""
    assert hear(streamed(CALL.turns[0].audio, QUIET, QUIET)) == ([], [])


ENDS = {"end_of_turn_ms": 900.0, "guess_ms": 200.0}
GUESSED, STOPPED, STARTED = GUESS, VoiceStopped().event().type, VoiceStarted().event().type
TRANSCRIPT = Transcript("").event().type


def test_a_guess_that_was_right_is_the_transcript(hear):
    """The engine is asked once, in the pause; the client has the words before their end is sure."""
    sent, all_of_it = hear(streamed(CALL.turns[0].audio, QUIET, QUIET), **ENDS)
    assert kinds(all_of_it) == ["asked", GUESSED, STOPPED, TRANSCRIPT]
    assert sent[0].data["text"] == sent[2].data["text"]
    assert sent[2].data["context"] == {"guessed": 1.0}


def test_who_speaks_on_takes_a_guess_back(hear):
    """The client gets a `voice-started`, and then the words to their end."""
    first, second = (turn.audio for turn in CALL.turns[:2])
    sent, _ = hear(streamed(first, QUIET[:8000], second, QUIET, QUIET), **ENDS)
    assert kinds(sent) == [GUESSED, STARTED, GUESSED, STOPPED, TRANSCRIPT]
    assert float(sent[2].data["text"].split()[0]) > (len(first) + len(second)) / RATE_HZ


def test_a_finished_sentence_takes_a_shorter_silence(hear):
    """One that reads as if it went on takes the longer one: there half a second is no end."""
    events = [*streamed(CALL.turns[0].audio, QUIET[:10_000])]
    short = {**ENDS, "finished_ms": 300.0}
    assert kinds(hear(events, "A table for two.", **short)[0]) == [GUESSED, STOPPED, TRANSCRIPT]
    assert kinds(hear(events, "A table for two", **short)[0]) == [GUESSED]
    assert kinds(hear(events, "A table for two.", **ENDS)[0]) == [GUESSED]


def test_a_guess_that_failed_is_asked_again_at_the_end(hear):
    """An engine that was overloaded in the pause costs no transcript."""
    sent, all_of_it = hear(streamed(CALL.turns[0].audio, QUIET, QUIET), fails=1, **ENDS)
    assert kinds(all_of_it) == ["asked", STOPPED, "asked", TRANSCRIPT]
    assert "guessed" not in sent[1].data["context"]


def test_a_click_of_a_word_is_guessed_once_it_is_long_enough(hear):
    """Sound that is too short to be heard is no error while it may go on."""
    word = CALL.turns[0].audio
    begin = sounding(word).start + 1600
    sent, _ = hear(streamed(word[begin : begin + 1600], QUIET), **{**ENDS, "guess_ms": 32.0})
    assert kinds(sent) == [GUESSED, STOPPED, TRANSCRIPT]


def test_words_that_are_sure_come_while_the_caller_speaks(hear):
    """By the protocol's events for it, which end after the transcript; by default there are none."""
    events = [*streamed(CALL.turns[3].audio), AudioStop().event()]
    sent, _ = hear(events, "A table.", partial_ms=300.0)
    begun, ended = TranscriptStart().event().type, TranscriptStop().event().type
    assert kinds(sent) == [begun, TranscriptChunk("").event().type, TRANSCRIPT, ended]
    assert sent[1].data["text"] == sent[2].data["text"] == "A table."
    assert kinds(hear(events, "A table.")[0]) == [TRANSCRIPT]


def test_what_was_handed_out_ends_also_where_the_whole_is_refused(hear):
    """A client that waits for the stop gets it, after the reason."""
    audio = CALL.turns[3].audio
    with pytest.raises(ServiceError):
        hear([*streamed(audio), AudioStop().event()], "A table.", fails=3, partial_ms=500.0)
    assert kinds(hear.sent)[-1] == TranscriptStop().event().type


@pytest.mark.parametrize("text", ["Yes.", "Really?", 'He said "no."', "はい。"])
def test_a_sentence_reads_as_finished(text):
    """By its last mark, whatever closes a quotation behind it."""
    assert reads_as_finished(text)


@pytest.mark.parametrize("text", ["", "I would like", "Well...", "On Friday,", "So\u2026"])
def test_what_breaks_off_does_not(text):
    """Nor do dots that say so."""
    assert not reads_as_finished(text)


class FindsTheEnd(Hears):
    """Takes the tenth chunk of silence for the end, or the tenth of speech."""

    speech = False
    last = 10
    chunks = 0

    async def handle_event(self, event):
        if AudioStart.is_type(event.type):
            self.chunks = 0
        elif AudioChunk.is_type(event.type):
            self.chunks += any(event.payload) == self.speech
            if self.chunks == self.last:
                await self.write_event(VoiceStopped().event())
                await self.write_event(Transcript("good evening").event())
            return True
        elif AudioStop.is_type(event.type):
            return True
        return await super().handle_event(event)


class TooSoon(FindsTheEnd):
    speech = True


class FastClock:
    """Fifty seconds pass in one."""

    def wall_ns(self):
        return 50 * time.monotonic_ns()

    async def sleep(self, seconds):
        await asyncio.sleep(seconds / 50)


def turn_with(hears, answers=Answers):
    async def play(services):
        clock = FastClock()
        caller = Caller(services, 1, real_time=False, says_the_end=False, clock=clock, sleep=clock.sleep)
        record = await caller.turn(CALL.turns[0], CALL.messages(CALL.turns[0]))
        await caller.hang_up()
        return record

    return listening(play, hears, answers, Speaks)


def test_the_end_of_a_turn_is_a_stage():
    """All is since the caller's last sound then, and the first stage is how long it takes to be sure of it."""
    record = turn_with(FindsTheEnd)
    assert not record.error
    assert record.end_of_turn_ms > 150
    stages = stages_of(record)
    assert stages["end of turn"] == record.end_of_turn_ms
    assert sum(ms for stage, ms in stages.items() if stage != OVERALL) == pytest.approx(stages[OVERALL])


def test_a_turn_that_is_cut_off_has_no_times():
    """It is no answer to what was said, however soon it came."""
    record = turn_with(TooSoon)
    assert record.is_cut_off
    assert stages_of(record) is None


class Guesses(FindsTheEnd):
    """Guesses early in the silence, may take it back, and is sure ten seconds later."""

    last = 500
    guesses: ClassVar = {5: Event(GUESS, {"text": "good evening"})}

    async def handle_event(self, event):
        handled = await super().handle_event(event)
        is_silent = AudioChunk.is_type(event.type) and not any(event.payload)
        if is_silent and (say := self.guesses.get(self.chunks)):
            await self.write_event(say)
        return handled

    async def write_event(self, event):
        if Transcript.is_type(event.type):
            event = Transcript("good evening", context={"guessed": 1.0}).event()
        await super().write_event(event)


class TakesItBack(Guesses):
    guesses: ClassVar = {5: Event(GUESS, {"text": "good"}), 250: VoiceStarted().event()}


class GuessesWrong(Guesses):
    guesses: ClassVar = {5: Event(GUESS, {"text": "good"})}


class Counts(Answers):
    """Which words it was asked for an answer to."""

    asked: ClassVar = []

    async def handle_event(self, event):
        if Transcript.is_type(event.type):
            self.asked.append(Transcript.from_event(event).text)
        return await super().handle_event(event)


def test_what_was_answered_ahead_is_heard_at_the_end_of_the_turn():
    """Not before, however soon it was ready; and nothing is asked twice."""
    Counts.asked.clear()
    record = turn_with(Guesses, Counts)
    assert not record.error
    assert Counts.asked == ["good evening"]
    assert record.first_text_ms < record.end_of_turn_ms <= record.transcript_ms <= record.first_audio_ms
    stages = stages_of(record)
    assert stages["LLM first token"] == 0
    assert stages["TTS first audio"] < 50  # of a clock that runs fifty times as fast
    assert sum(ms for stage, ms in stages.items() if stage != OVERALL) == pytest.approx(stages[OVERALL])


def test_a_guess_without_an_end_of_its_own_has_stages_too():
    """Where the client says the end, and the service had guessed in a silence before."""
    record = TurnRecord(1, 1, transcript_ms=5.0, first_text_ms=20.0, first_audio_ms=90.0)
    record.served["hears"] = {"guessed": 1.0}
    assert stages_of(record) == {"ASR": 5.0, "LLM first token": 15.0, "TTS first audio": 70.0, OVERALL: 90.0}


@pytest.mark.parametrize("hears", [TakesItBack, GuessesWrong])
def test_the_answer_to_a_wrong_guess_is_dropped(hears):
    """What was said is answered, from the beginning and once; of the other answer nothing is kept."""
    Counts.asked.clear()
    record = turn_with(hears, Counts)
    assert not record.error
    assert Counts.asked == ["good", "good evening"]
    assert record.reply == "Good evening."
    assert record.audio_s == 2.0
    assert record.first_audio_ms > record.transcript_ms
