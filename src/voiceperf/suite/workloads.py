"""What the engines are given to do in one turn of a call."""

from __future__ import annotations

from voiceperf.call import CallRecording, Turn
from voiceperf.engines import ENGINES
from voiceperf.engines.base import Line, Prompt, Request, Utterance

CALL = "call"  # the whole turn, beside the single engines
LLAMA_COLD = "llama_cold"  # the whole prompt, to the first token
ENGINES_OF = {
    "whisper": ("whisper",),
    "llama": ("llama",),
    LLAMA_COLD: ("llama",),
    "kokoro": ("kokoro",),
    CALL: ENGINES,
}
"""By workload the engines that do it, one after the other."""

WORKLOADS = tuple(ENGINES_OF)

# A reply of fixed length, so that no setting wins by saying less; about what fits into one spoken sentence
REPLY_TOKENS = 32
DUEL_TURNS = 3


def requests(call: CallRecording, engine: str, turn: Turn) -> dict[str, Request]:
    """By workload what one engine does alone in one turn."""
    if engine == "whisper":
        return {"whisper": Utterance(turn.audio)}
    if engine == "llama":
        messages = tuple(call.messages(turn))
        return {"llama": Prompt(messages, REPLY_TOKENS), LLAMA_COLD: Prompt(messages, 1, cold=True)}
    return {"kokoro": Line(turn.reply)}


def duel_requests(call: CallRecording, engine: str) -> dict[int, Request]:
    """What one engine does in the shortest turns, by number."""
    return {turn.number: requests(call, engine, turn)[engine] for turn in shortest_turns(call)}


def shortest_turns(call: CallRecording) -> list[Turn]:
    """The three turns with the shortest replies: more pairs in the same time, and pairs that lie closer."""
    return sorted(call.turns, key=lambda turn: len(turn.reply))[:DUEL_TURNS]
