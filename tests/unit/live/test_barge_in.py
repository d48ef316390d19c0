"""A caller who speaks into the reply, without a model: when that is noticed, and what is remembered."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.live.test_agent import CALL, SECOND, Answers, Hears, Speaks, listening
from wyoming.audio import AudioChunk, AudioStart
from wyoming.error import Error
from wyoming.tts import SynthesizeChunk

from voiceperf.judge.verdict import Verdict
from voiceperf.live.agent import Caller
from voiceperf.live.barge_in import Attention, BargeIn, Playback, sounding
from voiceperf.live.info import PIECE
from voiceperf.live.record import TurnRecord
from voiceperf.live.replay import MAX_FREED_MS, MAX_SILENCE_MS, SpokenInto

RATE_HZ = 16_000


class Clock:
    """Time that passes only where somebody sleeps."""

    now_ns = 0

    def wall_ns(self):
        return self.now_ns

    async def sleep(self, seconds):
        self.now_ns += int(seconds * 1e9)
        await asyncio.sleep(0)


def sound(seconds, words=None):
    event = AudioChunk(RATE_HZ, 2, 1, b"\x01\x00" * int(seconds * RATE_HZ)).event()
    return event if words is None else type(event)(event.type, event.data | {PIECE: words}, event.payload)


def test_a_recording_begins_where_it_sounds():
    """Silence in front does not count, nor a hiss a hundredth as loud."""
    tone = np.sin(np.arange(RATE_HZ) / 10).astype(np.float32)
    hiss = np.random.default_rng(1).normal(0, 0.005, 8000).astype(np.float32)
    assert sounding(tone) == range(RATE_HZ)
    assert sounding(np.concatenate([np.zeros(4800, np.float32), tone])).start == 4800
    assert sounding(np.concatenate([hiss, tone])).start == 8000


@pytest.mark.parametrize("turn", CALL.turns, ids=lambda turn: f"turn {turn.number}")
def test_a_caller_is_noticed_soon_after_the_first_sound(turn):
    """Listening takes as long as speaking, and ends within a fifth of a second of the first sound."""
    clock = Clock()
    noticed = asyncio.run(Attention(clock, clock.sleep).noticed(turn.audio, CALL.turns[0].audio))
    assert -0.1 < noticed.samples / RATE_HZ - sounding(turn.audio).start / RATE_HZ < 0.2
    assert clock.now_ns == noticed.moment_ns(noticed.samples)


def test_silence_is_not_noticed():
    """Who says nothing does not interrupt."""
    clock = Clock()
    silence = np.zeros(RATE_HZ, np.float32)
    assert asyncio.run(Attention(clock, clock.sleep).noticed(silence, CALL.turns[0].audio)) is None


def test_of_a_reply_the_pieces_that_sounded_are_remembered():
    """Whole pieces whole, of the one under way its share; nothing of what never sounded."""
    playback = Playback()
    for chunk in (sound(1.0, "Good evening,"), sound(0.5), sound(2.0, "your table for four is booked.")):
        playback.add(chunk)
    assert playback.audio_s == 3.5
    assert playback.heard("", 0.8) == "Good"
    assert playback.heard("", 1.5) == "Good evening,"
    assert playback.heard("", 2.5) == "Good evening, your table for"
    assert playback.heard("", 9.0) == "Good evening, your table for four is booked."


@given(st.text("ab .", max_size=60), st.lists(st.floats(0, 4), min_size=2, max_size=2).map(sorted))
def test_what_was_heard_only_grows(reply, moments):
    """Of a service that does not say which words a sound is of, too; a longer listener has heard no less."""
    playback = Playback()
    playback.add(sound(3.0))
    sooner, later = (playback.heard(reply, moment_s) for moment_s in moments)
    assert later.startswith(sooner)
    assert " ".join(reply.split()).startswith(later)
    assert len(later.split()) <= 2.5 * moments[1]


class SpeaksOn(Speaks):
    """Sends so many seconds of sound for the first words, and then goes on until nobody listens."""

    seconds = 10

    async def handle_event(self, event):
        if SynthesizeChunk.is_type(event.type):
            for part in (AudioStart(RATE_HZ, 2, 1), *[AudioChunk(RATE_HZ, 2, 1, SECOND)] * self.seconds):
                await self.write_event(part.event())
            return True
        return await super().handle_event(event)

    async def disconnect(self):
        self.hung_up.set()


class SpeaksBriefly(SpeaksOn):
    seconds = 1


class Fails(SpeaksOn):
    """Has an error once some sound is out."""

    async def handle_event(self, event):
        if SynthesizeChunk.is_type(event.type):
            for part in (AudioStart(RATE_HZ, 2, 1), AudioChunk(RATE_HZ, 2, 1, SECOND), Error("no more")):
                await self.write_event(part.event())
            return True
        return await super().handle_event(event)


FIRST, FOLLOWING = CALL.turns[:2]


def interrupted_by(audio, speaks, after_ms=2000.0):
    """The turn that is spoken into, the next one, and how long that took by the caller's clock."""

    async def play(services):
        clock, SpeaksOn.hung_up = Clock(), asyncio.Event()
        caller = Caller(services, 1, real_time=True, clock=clock, sleep=clock.sleep)
        interrupted = await caller.turn(FIRST, CALL.messages(FIRST), BargeIn(audio, after_ms))
        if interrupted.silence_ms is not None:
            await asyncio.wait_for(SpeaksOn.hung_up.wait(), 10)
        begun_ns = clock.now_ns
        after = await caller.turn(FOLLOWING, CALL.messages(FOLLOWING, {1: interrupted.heard_reply}))
        await caller.hang_up()
        return interrupted, after, (clock.now_ns - begun_ns) / 1e9

    return listening(play, Hears, Answers, speaks)


def test_a_reply_that_is_spoken_into_is_given_up():
    """It ends when the caller is noticed, its services are hung up on, and the caller's next words go on from there."""
    interrupted, after, took_s = interrupted_by(FOLLOWING.audio, SpeaksOn)
    assert not interrupted.error
    assert 0 <= interrupted.silence_ms < 200
    assert interrupted.heard_reply == "Good evening."  # as many words as somebody says in two seconds
    assert took_s < len(FOLLOWING.audio) / RATE_HZ  # some of it had been said already
    assert after.transcript == "good evening"
    assert not after.error


def test_a_reply_that_fails_is_not_spoken_into():
    """Its own failure is told, and nothing of it is remembered; the next turn is said whole."""
    interrupted, after, took_s = interrupted_by(FOLLOWING.audio, Fails)
    assert "no more" in interrupted.error
    assert (interrupted.silence_ms, interrupted.heard_reply) == (None, "")
    assert took_s >= len(FOLLOWING.audio) / RATE_HZ - 0.02
    assert "no more" in after.error


def test_a_caller_who_is_not_noticed_is_a_failure():
    """The reply goes on into their words: that is told."""
    interrupted, *_ = interrupted_by(np.zeros(RATE_HZ, np.float32), SpeaksOn)
    assert "was not noticed" in interrupted.error
    assert interrupted.silence_ms is None


def records(silence_ms, transcripts=("yes please", "a table for two"), errors=("", "")):
    first = TurnRecord(1, 1, transcript=transcripts[0], silence_ms=silence_ms, error=errors[0])
    return [first, TurnRecord(1, 2, transcript=transcripts[1], error=errors[1])]


PLAIN = records(None)


@pytest.mark.parametrize(
    ("silence_ms", "freed_ms", "verdict"),
    [
        (MAX_SILENCE_MS, [MAX_FREED_MS], Verdict.PASS),
        (MAX_SILENCE_MS, [], Verdict.PASS),
        (MAX_SILENCE_MS + 1, [], Verdict.FAIL),
        (MAX_SILENCE_MS, [MAX_FREED_MS + 1], Verdict.FAIL),
        (None, [], Verdict.INVALID),
    ],
)
def test_silence_and_free_engines_have_limits(silence_ms, freed_ms, verdict):
    """Either one beyond its limit fails; where no reply was spoken into, nothing is known."""
    found = SpokenInto(PLAIN, records(silence_ms), {"thinking": freed_ms})
    assert found.finding().verdict is verdict


def test_a_failed_turn_fails_it():
    """However silent the others were."""
    found = SpokenInto(PLAIN, records(50.0, errors=("", "gone")), {})
    assert found.finding().verdict is Verdict.FAIL


def test_words_that_were_said_into_a_reply_are_counted():
    """Those that are heard where nobody speaks, and of them the ones that are missing or others now."""
    assert SpokenInto(PLAIN, records(50.0, ("yes please", "table for two")), {}).words() == (4, 1)
    assert SpokenInto(PLAIN, records(50.0, ("no", "a table for two")), {}).words() == (4, 0)
    assert SpokenInto(PLAIN, records(None, ("no", "table")), {}).words() == (0, 0)
