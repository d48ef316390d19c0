"""What each setting of the network buys: one turn's messages over a real connection, without the engines between."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStop
from wyoming.handle import HandledChunk, HandledStop

from voiceperf.judge.statistics import ratio_interval
from voiceperf.live.params import ServiceParams
from voiceperf.live.sound import chunks
from voiceperf.live.wire import HEADER_BYTES, configure, read_event, write_event
from voiceperf.measure.blocks import Blocks, pairs_of
from voiceperf.measure.clock import SystemClock, Timing

pytestmark = pytest.mark.slow

ROUNDS = 12
SPEECH = np.zeros(11_520, np.float32)  # a caller's chunk at 16 kHz
ANSWER = np.zeros(2 * 24_000, np.float32)  # two seconds of speech at 24 kHz
WORDS = [f"word{number} " for number in range(30)]
OURS = ServiceParams()
NAGLE = replace(OURS, nodelay=False)
SETTINGS = {
    "delayed": NAGLE,
    "in parts": replace(OURS, whole_events=False),
    "delayed, in parts": replace(NAGLE, whole_events=False),
    "20 ms frames": replace(OURS, audio_ms=20),
    "large buffers": replace(OURS, send_buffer_bytes=2**20, receive_buffer_bytes=2**20),
}


class Turn:
    """Both ends of a connection with one setting, and a turn's messages between them."""

    def __init__(self, loop, params):
        self._loop, self._params, self._clock = loop, params, SystemClock()
        loop.run_until_complete(self._connect())

    async def _connect(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=HEADER_BYTES)
        port = self._server.sockets[0].getsockname()[1]
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port, limit=HEADER_BYTES)
        configure(self._writer.get_extra_info("socket"), self._params)

    async def _serve(self, reader, writer):
        """Answer at once: a transcript to speech, words and then sound to a transcript."""
        configure(writer.get_extra_info("socket"), self._params)
        while (event := await read_event(reader, self._params)) is not None:
            if AudioStop.is_type(event.type):
                await write_event(Transcript("yes").event(), writer, self._params)
            elif Transcript.is_type(event.type):
                for word in WORDS:
                    await write_event(HandledChunk(word).event(), writer, self._params)
                await write_event(HandledStop().event(), writer, self._params)
                for chunk in chunks(ANSWER, 24_000, self._params.audio_ms):
                    await write_event(chunk, writer, self._params)
                await write_event(AudioStop().event(), writer, self._params)
        writer.close()

    async def _turn(self):
        for chunk in chunks(SPEECH, 16_000, 20):
            await self._send(chunk)
        begun_ns = self._clock.wall_ns()
        await self._send(AudioStop().event())
        await self._until(Transcript)
        await self._send(Transcript("yes").event())
        await self._until(HandledStop)
        await self._until(AudioChunk)
        heard_ns = self._clock.wall_ns() - begun_ns
        await self._until(AudioStop)
        return Timing(heard_ns, 0)

    async def _send(self, event):
        await write_event(event, self._writer, self._params)

    async def _until(self, kind):
        while not kind.is_type((await read_event(self._reader, self._params)).type):
            pass

    def run(self):
        return self._loop.run_until_complete(self._turn())

    def close(self):
        self._writer.close()
        self._server.close()


@pytest.mark.parametrize("name", SETTINGS)
def test_setting(name):
    """No setting is surely faster than ours by a millisecond a turn, and waiting in parts costs 10 ms or more."""
    loop = asyncio.new_event_loop()
    ours, other = Turn(loop, OURS), Turn(loop, SETTINGS[name])
    blocks = Blocks({"other": other.run, "ours": ours.run})
    blocks.warm_up()
    for _ in range(ROUNDS):
        blocks.one_more()
    for end in (ours, other):
        end.close()
    loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(loop)))
    loop.close()
    pairs = pairs_of(blocks.taken, "ours", "other")
    ours_ms = float(np.median([before for before, _ in pairs])) / 1e6
    costs_ms = [(after - before) / 1e6 for before, after in pairs]
    print(f"{name}: ours {ours_ms:.2f} ms, it costs {np.median(costs_ms):+.2f} ms")
    assert ratio_interval({0: pairs}).high > 1 - 1 / ours_ms
    if name == "delayed, in parts":
        assert np.median(costs_ms) >= 10
