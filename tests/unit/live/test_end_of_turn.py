"""Where a caller's words end, without an engine: on real speech, as it comes."""

import asyncio

import numpy as np
import pytest
from tests.unit.live.test_agent import CALL, Answers, Hears, Speaks, listening
from tests.unit.live.test_barge_in import Clock
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.vad import VoiceStopped

from voiceperf.engines.base import Transcript as Heard
from voiceperf.live.agent import Caller
from voiceperf.live.barge_in import sounding
from voiceperf.live.end_of_turn import EndOfTurn
from voiceperf.live.hearing import Hearing
from voiceperf.live.params import ServiceParams
from voiceperf.live.stages import OVERALL, stages_of

RATE_HZ = 16_000
QUIET = np.zeros(RATE_HZ, np.float32)


def ended_after_s(audio, silence_ms, rate_hz=RATE_HZ, step=320):
    """How long a caller was silent when their words were taken for finished; None where they never were."""
    end = EndOfTurn(silence_ms, rate_hz)
    last_s = sounding(audio).stop / RATE_HZ
    sound = np.concatenate([audio, QUIET, QUIET])
    sound = sound if rate_hz == RATE_HZ else np.repeat(sound, rate_hz // RATE_HZ)
    for start in range(0, len(sound), step):
        if end.is_over(sound[start : start + step]):
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

    def run(events, **params):
        sent = []

        class Queue:
            async def ask(self, utterance):
                output = Heard(f"{len(utterance.audio) / RATE_HZ:.1f} s", 1, 1.0, 1.0)
                return type("Answer", (), {"output": output, "as_context": lambda self: {}})()

        class Session(Hearing):
            def __init__(self):
                self.params, self.queue = ServiceParams(**params), Queue()

            async def start(self, job):
                await job()

            async def send(self, event):
                sent.append(event)

        async def all_of_it():
            session = Session()
            for event in events:
                await session.on_event(event)

        asyncio.run(all_of_it())
        return sent

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
    sent = hear(streamed(QUIET, QUIET, QUIET, first, QUIET, second, QUIET), end_of_turn_ms=600.0)
    assert kinds(sent) == kinds([VoiceStopped().event(), Transcript("").event()] * 2)
    heard_s = float(Transcript.from_event(sent[1]).text.split()[0])
    assert heard_s < len(first) / RATE_HZ + 1.8


def test_the_end_that_a_client_names_counts_too(hear):
    """Words before it are heard; after an utterance that has ended by itself it says nothing new."""
    audio = CALL.turns[0].audio
    sooner = hear([*streamed(audio), AudioStop().event()], end_of_turn_ms=600.0)
    assert kinds(sooner) == kinds([Transcript("").event()])
    later = hear([*streamed(audio, QUIET), AudioStop().event()], end_of_turn_ms=600.0)
    assert kinds(later) == kinds([VoiceStopped().event(), Transcript("").event()])
    silent = hear([*streamed(QUIET), AudioStop().event()], end_of_turn_ms=600.0)
    assert kinds(silent) == kinds([Transcript("").event()])


def test_unless_it_is_asked_to_a_service_ends_nothing(hear):
    """By default a client says where its words end."""
    assert hear(streamed(CALL.turns[0].audio, QUIET, QUIET)) == []


class FindsTheEnd(Hears):
    """Takes the tenth chunk of silence for the end, or the tenth of speech."""

    speech = False
    chunks = 0

    async def handle_event(self, event):
        if AudioStart.is_type(event.type):
            self.chunks = 0
        elif AudioChunk.is_type(event.type):
            self.chunks += any(event.payload) == self.speech
            if self.chunks == 10:
                await self.write_event(VoiceStopped().event())
                await self.write_event(Transcript("good evening").event())
            return True
        elif AudioStop.is_type(event.type):
            return True
        return await super().handle_event(event)


class TooSoon(FindsTheEnd):
    speech = True


def turn_with(hears):
    async def play(services):
        clock = Clock()
        caller = Caller(services, 1, real_time=False, says_the_end=False, clock=clock, sleep=clock.sleep)
        record = await caller.turn(CALL.turns[0], CALL.messages(CALL.turns[0]))
        await caller.hang_up()
        return record

    return listening(play, hears, Answers, Speaks)


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
