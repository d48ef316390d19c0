"""What the official Wyoming client says to a service and sees of it."""

import asyncio
import wave

from wyoming.asr import Transcribe
from wyoming.audio import AudioChunk, wav_to_chunks
from wyoming.client import AsyncTcpClient
from wyoming.error import Error

from voiceperf.live.wire import address


def everything(uri, events, until):
    """Everything up to an event of some kind, errors among it."""

    async def talk():
        seen = []
        async with AsyncTcpClient(*address(uri)) as client:
            for event in events:
                await client.write_event(event.event())
            while not seen or not until.is_type(seen[-1].type):
                seen.append(await asyncio.wait_for(client.read_event(), 30))
                assert seen[-1] is not None, "hung up"
        return seen

    return asyncio.run(talk())


def ask(uri, events, until):
    """The same where no error may come."""
    seen = everything(uri, events, until)
    assert [event.data for event in seen if Error.is_type(event.type)] == []
    return seen


def spoken(turn):
    """A chunk of a call as a client sends it."""
    with wave.open(str(turn.chunk)) as file:
        return [Transcribe(language="en"), *wav_to_chunks(file, 320, start_event=True, stop_event=True)]


def sound_of(events):
    """All the samples among some events."""
    return b"".join(AudioChunk.from_event(event).audio for event in events if AudioChunk.is_type(event.type))
