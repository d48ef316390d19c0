"""Transcripts that say the same phrase over and over: how speech recognition fails most visibly."""

from __future__ import annotations

from collections.abc import Sequence

_REPEATS = 4  # a phrase of up to this many words ...
_WORDS = 4  # ... said this often in a row, and not in the reference, is a loop


def is_loop(transcript: str, reference: str = "") -> bool:
    """Whether a phrase repeats over and over that the reference does not repeat."""
    return _repeats(transcript.split()) >= _REPEATS > _repeats(reference.split())


def _repeats(words: Sequence[str]) -> int:
    """The longest run of one phrase said again and again."""
    longest = min(len(words), 1)
    for size in range(1, _WORDS + 1):
        matching = 0  # words in a row that equal the word one phrase earlier
        for at in range(size, len(words)):
            matching = matching + 1 if words[at] == words[at - size] else 0
            longest = max(longest, 1 + matching // size)
    return longest
