"""What was said in one go: turns of a recording, by where somebody speaks."""

from __future__ import annotations

from collections.abc import Sequence

from voiceperf.vad import FRAME, FRAME_S, cut, stretches

_PAUSE_S = 0.7  # so long silent, and the caller has finished
_LEAST_S = 0.25  # of speech; a click is no turn
_MARGIN_S = 0.15  # kept on either side, so that no consonant is cut off
Span = tuple[int, int]
"""The first sample, and the one after the last."""
_LONGEST_S = 8.0  # what the suite takes for one go; longer speech is cut where it is quietest


def spans(speech: Sequence[float]) -> list[Span]:
    """What was said in one go, as (first, end) samples, in order and apart from each other.

    Args:
        speech: each frame's probability.
    """
    pause, least = (round(seconds / FRAME_S) for seconds in (_PAUSE_S, _LEAST_S))
    margin, longest = (round(seconds / FRAME_S) for seconds in (_MARGIN_S, _LONGEST_S))
    found: list[tuple[int, int]] = []
    for first, end in stretches(speech, pause):
        if end - first >= least:
            before = found[-1][1] if found else 0
            first, end = max(before, first - margin), min(len(speech), end + margin)  # noqa: PLW2901
            found.extend(cut(speech, first, end, longest, least))
    return [(first * FRAME, end * FRAME) for first, end in found]


def replies(caller: Sequence[Span], agent: Sequence[Span]) -> list[list[Span]]:
    """What the agent said before the caller's first words, and after each of them until the next.

    Args:
        caller: the caller's spans, in order.
        agent: the agent's; each belongs to the caller's words that had begun before it.
    """
    found: list[list[Span]] = [[] for _ in range(len(caller) + 1)]
    for span in agent:
        found[sum(first <= span[0] for first, _ in caller)].append(span)
    return found
