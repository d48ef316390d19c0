"""What clients may send to the services: odd, wrong, too much, in another language; on real engines."""

import asyncio
import re
import wave
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models.talk import ask, everything, sound_of, spoken
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.handle import Handled
from wyoming.info import Describe, Info
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

from voiceperf import call
from voiceperf.engines.whisper_params import WhisperParams
from voiceperf.live.info import info_of
from voiceperf.live.params import ServiceParams
from voiceperf.live.wire import address, encoded, read_event

pytestmark = pytest.mark.models

CALL = call.load(Path(__file__).parents[2] / "fixtures" / "calls" / "call61.toml")


@pytest.mark.parametrize("text", ["  ", "--------", "\U0001f600"])
def test_nothing_to_say_is_silence(running, text):
    """A text without a word is answered by a sound without samples, so that nobody waits for its end."""
    start, stop = ask(running.speaks, [Synthesize(text)], AudioStop)
    assert AudioStart.from_event(start).rate == 24_000
    assert AudioStop.is_type(stop.type)


def test_a_divider_takes_nothing_from_the_reply(running):
    """What stands behind a line of hyphens is spoken, whole or streamed."""
    text = "Here is your list.\n\n--------\n\nMonday at nine is free."
    whole = ask(running.speaks, [Synthesize(text)], AudioStop)
    words = [SynthesizeChunk(f"{word} ") for word in text.split(" ")]
    streamed = ask(running.speaks, [SynthesizeStart(), *words, SynthesizeStop()], SynthesizeStopped)
    plain = ask(running.speaks, [Synthesize("Here is your list. Monday at nine is free.")], AudioStop)
    assert sound_of(whole) == sound_of(streamed) == sound_of(plain)


def test_more_text_than_is_allowed_is_refused(running):
    """A text beyond the limit gets one error with its code and the end of its sound; the next text is spoken."""
    text = "word " * 1000
    stream = [SynthesizeStart(), SynthesizeChunk(text), SynthesizeChunk(text), Synthesize(text), SynthesizeStop()]
    seen = everything(running.speaks, [Synthesize(text), *stream], SynthesizeStopped)
    assert [event.type for event in seen] == [
        *("error", "audio-start", "audio-stop"),
        *("error", "audio-start", "audio-stop", "synthesize-stopped"),
    ]
    assert {Error.from_event(event).code for event in seen if Error.is_type(event.type)} == {"too-long"}
    assert len(sound_of(ask(running.speaks, [Synthesize("Good evening.")], AudioStop))) > 24_000


def test_a_voice_that_is_asked_for_speaks_or_is_refused(running):
    """Another voice of the catalogue sounds otherwise; an unknown one is an error that names those there are."""
    text, other = "Good evening.", SynthesizeVoice(name="bf_emma")
    own = sound_of(ask(running.speaks, [Synthesize(text)], AudioStop))
    emma = ask(running.speaks, [Synthesize(text, voice=other)], AudioStop)
    streamed = [SynthesizeStart(voice=other), SynthesizeChunk(text), SynthesizeStop()]
    assert sound_of(emma) == sound_of(ask(running.speaks, streamed, SynthesizeStopped)) != own
    refused, *_ = everything(running.speaks, [Synthesize(text, voice=SynthesizeVoice(name="nobody"))], AudioStop)
    assert "bf_emma" in Error.from_event(refused).text
    british = ask(running.speaks, [Synthesize(text, voice=SynthesizeVoice(language="en_GB"))], AudioStop)
    assert sound_of(british) == own
    (german,) = everything(running.speaks, [Synthesize(text, voice=SynthesizeVoice(language="de"))], Error)
    assert "'de'" in Error.from_event(german).text
    (program,) = Info.from_event(ask(running.speaks, [Describe()], Info)[-1]).tts
    assert {"af_heart", "bf_emma"} <= {voice.name for voice in program.voices}


@pytest.mark.parametrize("voice", [SynthesizeVoice(language="de"), SynthesizeVoice(name="nobody")])
def test_a_refused_voice_ends_as_every_reply(running, voice):
    """Who asked waits for the end of the sound, and gets it after the reason; streamed, the end of the stream too."""
    whole = everything(running.speaks, [Synthesize("Hi.", voice=voice)], AudioStop)
    assert [event.type for event in whole] == ["error", "audio-start", "audio-stop"]
    stream = [SynthesizeStart(voice=voice), SynthesizeChunk("Hi there, my friend."), SynthesizeStop()]
    streamed = everything(running.speaks, stream, SynthesizeStopped)
    assert [event.type for event in streamed] == ["error", "audio-start", "audio-stop", "synthesize-stopped"]


def test_half_an_emoji_takes_nothing_from_the_reply(running):
    """Text that is no whole Unicode, as from a client that cuts emoji in two, is spoken without the half."""
    texts = ["Good evening. \ud83d", "\ude00"]  # the protocol's own package could not write them
    words = [Event("synthesize-chunk", {"text": text}) for text in texts]
    events = [Event("synthesize-start"), *words, Event("synthesize-stop")]
    sent = b"".join(part for event in events for part in encoded(event))

    async def talk():
        reader, writer = await asyncio.open_connection(*address(running.speaks))
        writer.write(sent)
        seen = []
        while not seen or not SynthesizeStopped.is_type(seen[-1].type):
            seen.append(await read_event(reader, ServiceParams()))
        writer.close()
        return seen

    plain = ask(running.speaks, [Synthesize("Good evening.")], AudioStop)
    assert sound_of(asyncio.run(talk())) == sound_of(plain)


def test_thoughts_are_not_spoken(running):
    """What a model thinks before it answers is left out, also where it takes several sentences and parts."""
    text = "<think>I should be kind. The user wants food. Let me list it.</think>Good evening."
    parts = [SynthesizeStart(), *(SynthesizeChunk(part) for part in re.findall(".{1,7}", text)), SynthesizeStop()]
    plain = sound_of(ask(running.speaks, [Synthesize("Good evening.")], AudioStop))
    assert sound_of(ask(running.speaks, [Synthesize(text)], AudioStop)) == plain
    assert sound_of(ask(running.speaks, parts, SynthesizeStopped)) == plain


def test_a_language_that_is_asked_for_is_heard_or_refused(running):
    """English by any of its codes is heard as ever, for one utterance; what whisper does not know is refused."""
    chunk = spoken(CALL.turns[3])[1:]

    def heard(language):
        return Transcript.from_event(ask(running.hears, [Transcribe(language=language), *chunk], Transcript)[-1]).text

    assert heard("en") == heard("en-US") == heard("en_GB") == heard(None)
    assert heard("es") != heard("en")
    (refused,) = everything(running.hears, [Transcribe(language="klingon"), *chunk], Error)
    assert "klingon" in Error.from_event(refused).text
    (other,) = everything(running.hears, [Transcribe(name="whisper-huge")], Error)
    assert "whisper-huge" in Error.from_event(other).text


def test_languages_are_described_by_codes():
    """A service that tells the language by itself offers every code, and `auto` is none."""
    (program,) = info_of(WhisperParams(language="auto")).asr
    (model,) = program.models
    assert {"en", "es", "de"} <= set(model.languages)
    assert "auto" not in model.languages
    (english,) = info_of(WhisperParams(model="whisper-tiny.en-f16")).asr
    assert english.models[0].languages == ["en"]


@pytest.mark.parametrize("cut", [161, 51, 13])
def test_audio_in_chunks_of_any_size_is_heard(running, cut):
    """A client whose packets end within a sample is heard as one whose packets do not."""
    with wave.open(str(CALL.turns[2].chunk)) as file:
        sound = file.readframes(file.getnframes())
    form = {"rate": 16_000, "width": 2, "channels": 1}
    parts = [AudioChunk(audio=sound[at : at + cut], **form) for at in range(0, len(sound), cut)]
    found = ask(running.hears, [AudioStart(**form), *parts, AudioStop()], Transcript)
    whole = ask(running.hears, spoken(CALL.turns[2]), Transcript)
    assert Transcript.from_event(found[-1]).text == Transcript.from_event(whole[-1]).text


def test_a_click_is_no_words(running):
    """Less sound than a word takes is answered by an empty transcript, not by an error."""
    form = {"rate": 16_000, "width": 2, "channels": 1}
    click = AudioChunk(audio=b"\1\0" * 1600, **form)
    found = ask(running.hears, [AudioStart(**form), click, AudioStop()], Transcript)
    assert Transcript.from_event(found[-1]).text == ""


@pytest.mark.slow
def test_a_conversation_of_forty_turns_is_answered_to_its_end(running):
    """A conversation outgrows every limit; its oldest turns are dropped, and no turn fails."""
    words = "I would like a quiet table by the window for my family, my two sisters and their small children, please,"
    context = {"conversation_id": "long"}

    def answered(number):
        said = Transcript(f"{words} on day {number} of the month.", context=context)
        return [e for e in ask(running.answers, [said], Handled) if Handled.is_type(e.type)]

    assert all(answered(number) for number in range(40))


FIELDS = st.sampled_from(["text", "context", "voice", "rate", "width", "channels", "messages", "script", "n_tokens"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.sampled_from(["", "hi", "é"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(FIELDS, inner, max_size=3),
    max_leaves=5,
)
KINDS = ["transcript", "transcribe", "audio-start", "audio-chunk", "audio-stop", "synthesize", "synthesize-start"]
KINDS += ["synthesize-chunk", "synthesize-stop"]
NONSENSE = st.builds(
    Event, st.sampled_from(KINDS), st.dictionaries(FIELDS, VALUES, max_size=4), st.none() | st.binary(max_size=9)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(NONSENSE, min_size=1, max_size=4))
def test_well_formed_nonsense_hurts_nobody(running, events):
    """Events of the right shape with any content: each is answered or refused, and the connection goes on."""

    async def talk(uri):
        async with AsyncTcpClient(*address(uri)) as client:
            for event in [*events, Describe().event()]:
                await client.write_event(event)
            while not Info.is_type((event := await asyncio.wait_for(client.read_event(), 30)).type):
                pass

    async def everywhere():
        await asyncio.gather(*(talk(uri) for uri in (running.hears, running.answers, running.speaks)))

    asyncio.run(everywhere())
