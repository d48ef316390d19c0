"""A real recording becomes a call, with the real detector and the real engines."""

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from voiceperf import call as calls
from voiceperf.judge.text import score

pytestmark = pytest.mark.models


@pytest.fixture
def recording(tmp_path, request):
    """Three turns of the recorded call at 44.1 kHz in stereo, a second and a half of a quiet room between them."""
    call = calls.load(request.config.rootpath / "fixtures/calls/call61.toml")
    room = np.random.default_rng(7).normal(0, 1e-3, 24_000).astype(np.float32)
    parts = [part for turn in call.turns[3:6] for part in (turn.audio, room)]
    sound = np.concatenate([room, *parts])
    path = tmp_path / "phone.wav"
    soundfile.write(path, np.stack([sound, sound], axis=1), 16_000)
    return path, call.turns[3:6]


def test_a_recording_becomes_a_call_that_can_be_replayed(recording, tmp_path):
    """Each turn is found, heard nearly as its transcript says, and answered; the file is a call."""
    path, turns = recording
    script = "from voiceperf.cli import main; main()"
    command = [sys.executable, "-c", script, "call", "new", str(tmp_path / "mine"), "--from", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    drafted = json.loads(done.stdout)["turns"]
    call = calls.load(tmp_path / "mine" / "call.toml")
    assert [turn.transcript for turn in call.turns] == [turn["transcript"] for turn in drafted]
    assert len(call.turns) == len(turns)
    heard = [score(said.transcript, found.transcript) for said, found in zip(turns, call.turns, strict=True)]
    assert sum(one.errors for one in heard) <= 0.5 * sum(one.words for one in heard)
    assert all(turn.reply for turn in call.turns)


def test_a_recording_of_two_channels_has_the_agents_own_words(tmp_path, request):
    """What the agent said on its channel is the greeting and the replies; the caller's channel has the turns."""
    call = calls.load(request.config.rootpath / "fixtures/calls/call61.toml")
    room = np.random.default_rng(7).normal(0, 1e-3, 16_000).astype(np.float32)
    agent, caller = call.turns[4].audio, call.turns[3].audio  # "Yes." and a sentence: whoever says them
    left = [room, 0 * caller, room, agent, room]
    right = [room, caller, room, 0 * agent, room]
    path = tmp_path / "two.wav"
    soundfile.write(path, np.stack([np.concatenate(left), np.concatenate(right)], axis=1), 16_000)
    script = "from voiceperf.cli import main; main()"
    command = [sys.executable, "-c", script, "call", "new", str(tmp_path / "two"), "--from", str(path)]
    subprocess.run([*command, "--agent", "left"], capture_output=True, text=True, check=True, timeout=300)
    (turn,) = calls.load(tmp_path / "two").turns
    assert score(call.turns[3].transcript, turn.transcript).errors <= 2
    assert not score("yes", turn.reply).errors
