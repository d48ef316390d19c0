"""What the engines are given to do in one turn of a call, and how often."""

from __future__ import annotations

from dataclasses import dataclass

from voiceperf.call import CallRecording, Turn
from voiceperf.engines.base import FIRST_TOKEN, Line, Prompt, Request, Utterance
from voiceperf.measure.clock import Timing
from voiceperf.roles import HEARING, ROLES, SPEAKING, THINKING


@dataclass(frozen=True)
class Workload:
    """One kind of work.

    Attributes:
        key: its name in saved runs and tests.
        roles: who does it, one after the other.
        words: what it is, for people.
        blocks: by form, how many blocks of each turn.
        own_blocks: how many more with the candidate and the control alone, for what is the candidate's own: some
            figures, and pytest-benchmark's columns, which one stalled run among two or three would decide.
        duel_rounds: of each launch of a duel: more where a run is short beside the start of a process.
    """

    key: str
    roles: tuple[str, ...]
    words: str
    blocks: dict[str, int]
    own_blocks: int = 0
    duel_rounds: int = 1


CALL = "call"  # the whole turn, beside the single engines
THINKING_COLD = "thinking_cold"  # the whole prompt, to the first token
WORKLOADS = {
    workload.key: workload
    for workload in (
        Workload(HEARING, (HEARING,), "Hearing", {"full": 1, "short": 1}, own_blocks=10, duel_rounds=2),
        Workload(THINKING, (THINKING,), "Thinking, a reply of 32 tokens", {"full": 4, "short": 3}, own_blocks=8),
        Workload(
            THINKING_COLD, (THINKING,), "Thinking, the whole conversation anew", {"full": 3, "short": 3}, own_blocks=8
        ),
        Workload(SPEAKING, (SPEAKING,), "Speaking, a whole reply", {"full": 1, "short": 1}, own_blocks=6),
        Workload(CALL, ROLES, "A whole answer, until the first sound", {"full": 3, "short": 2}, own_blocks=5),
    )
}

# A reply of fixed length, so that no setting wins by saying less; about what fits into one spoken sentence
REPLY_TOKENS = 32
DUEL_TURNS = 3


def requests(call: CallRecording, role: str, turn: Turn) -> dict[str, Request]:
    """By workload what one role is asked alone in one turn."""
    if role == HEARING:
        return {HEARING: Utterance(turn.audio)}
    if role == THINKING:
        messages = tuple(call.messages(turn))
        return {THINKING: Prompt(messages, REPLY_TOKENS), THINKING_COLD: Prompt(messages, 1, cold=True)}
    return {SPEAKING: Line(turn.reply)}


def duel_requests(call: CallRecording, role: str) -> dict[int, Request]:
    """What one role is asked in the shortest turns, by number."""
    return {turn.number: requests(call, role, turn)[role] for turn in shortest_turns(call)}


def paced_ns(timing: Timing) -> float:
    """A reply's time at the length that was asked for: to the first token, and from there at its own pace.

    Of engines that end their replies by themselves; one without a second token counts as it is.
    """
    first_ns = timing.marks_ns.get(FIRST_TOKEN)
    if first_ns is None or timing.tokens is None or timing.tokens < 2:
        return timing.wall_ns
    return first_ns + (timing.wall_ns - first_ns) / (timing.tokens - 1) * (REPLY_TOKENS - 1)


def shortest_turns(call: CallRecording) -> list[Turn]:
    """The three turns with the shortest replies: more pairs in the same time, and pairs that lie closer."""
    return sorted(call.turns, key=lambda turn: len(turn.reply))[:DUEL_TURNS]
