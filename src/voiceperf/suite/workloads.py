"""What the three engines are given to do in one turn of a call."""

from __future__ import annotations

from voiceperf.call import CallRecording, Turn
from voiceperf.engines.base import Line, Prompt, Request, Utterance

# A reply of fixed length, so that no setting wins by saying less; about what fits into one spoken sentence
REPLY_TOKENS = 32
DUEL_TURNS = 3


def request(call: CallRecording, engine: str, turn: Turn) -> Request:
    """The timed work of one engine in one turn."""
    if engine == "whisper":
        return Utterance(turn.audio)
    if engine == "llama":
        return Prompt(tuple(call.messages(turn)), REPLY_TOKENS)
    return Line(turn.reply)


def duel_requests(call: CallRecording, engine: str) -> dict[int, Request]:
    """The three turns with the shortest replies, by number: more pairs in the same time, and pairs that lie closer."""
    shortest = sorted(call.turns, key=lambda turn: len(turn.reply))[:DUEL_TURNS]
    return {turn.number: request(call, engine, turn) for turn in shortest}
