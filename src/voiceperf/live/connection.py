"""How a caller is connected: what becomes of their speech on its way, and how much later it arrives.

The codecs are real. What networks do is made up, seeded, and each number stands in `CONNECTIONS`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import soundfile
from numpy.typing import NDArray

from voiceperf.audio import SPEECH_RATE_HZ, Samples
from voiceperf.call import CallRecording
from voiceperf.errors import InputError
from voiceperf.lines import PHONE, through
from voiceperf.live.replay import Pace

_PACKET = SPEECH_RATE_HZ // 50  # 20 ms, as telephones send it
_OPUS_LEVEL = 0.97  # libsndfile's compression: 19 kbit/s of speech


@dataclass(frozen=True)
class Connection:
    """A codec, and a network of packets of 20 ms.

    Attributes:
        coded: the speech as it comes out of the codec, shape (n,), 16 kHz.
        lost: share of the packets that the network loses.
        burst: how many are lost in a row, in the mean.
        late_ms: by how much packets come late, in the mean (exponential).
        buffer_ms: for how long the receiver waits for late ones, and so by how much all speech is later.
    """

    coded: Callable[[Samples], Samples]
    lost: float = 0.0
    burst: float = 1.0
    late_ms: float = 0.0
    buffer_ms: float = 0.0

    def carried(self, speech: Samples, seed: int) -> Samples:
        """Speech as it arrives, shape (n,), 16 kHz; a packet that is lost is silence."""
        heard = self.coded(speech).copy()
        for packet in np.flatnonzero(self._missing(-(-len(heard) // _PACKET), np.random.default_rng(seed))):
            heard[packet * _PACKET : (packet + 1) * _PACKET] = 0.0
        return heard

    def _missing(self, packets: int, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Which packets are lost, or too late: a chain of two states (Gilbert 1960), and the lateness of each."""
        ends = 1 / self.burst
        begins = ends * self.lost / (1 - self.lost)
        draws, is_lost = rng.random(packets), False
        missing = np.zeros(packets, bool)
        for packet, draw in enumerate(draws):
            is_lost = draw >= ends if is_lost else draw < begins
            missing[packet] = is_lost
        late_ms = rng.exponential(self.late_ms, packets) if self.late_ms else np.zeros(packets)
        return missing | (late_ms > self.buffer_ms)


def _opus(speech: Samples) -> Samples:
    coded = io.BytesIO()
    options = {"format": "OGG", "subtype": "OPUS", "compression_level": _OPUS_LEVEL}
    soundfile.write(coded, speech, SPEECH_RATE_HZ, **options)
    coded.seek(0)
    heard: Samples = soundfile.read(coded, dtype="float32")[0]
    return heard[: len(speech)]


def _mu_law(speech: Samples) -> Samples:
    return through(PHONE, speech, seed=0)


CONNECTIONS: Mapping[str, Connection] = {
    PHONE: Connection(_mu_law),
    "voip": Connection(_opus, lost=0.01, late_ms=8.0, buffer_ms=40.0),
    "wifi": Connection(_opus, lost=0.03, burst=3.0, late_ms=15.0, buffer_ms=60.0),
}
"""By name: a telephone's 8 kHz in mu-law, Opus over a good network, and Opus over a bad one."""


def connected(call: CallRecording, line: str, pace: Pace) -> tuple[CallRecording, Pace]:
    """A call whose caller is connected so, the same each time; and the pace at which it comes, in real time.

    Raises:
        InputError: there is no such line.
    """
    if line not in CONNECTIONS:
        raise InputError(f"--line {line}: there is no such line; there are {', '.join(CONNECTIONS)}")
    connection = CONNECTIONS[line]
    turns = tuple(turn.saying(connection.carried(turn.audio, turn.number)) for turn in call.turns)
    return replace(call, turns=turns), replace(pace, real_time=True, late_ms=connection.buffer_ms)
