"""What whisper has written, looked at without it: is it sound, which try is better, what of it was said."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

from voiceperf.engines.base import Transcript
from voiceperf.engines.whisper_params import WhisperParams
from voiceperf.loops import is_loop

_NOTES = re.compile(r"\[[^\]]*\]|\([^)]*\)")  # what whisper writes of sounds: [BLANK_AUDIO], (laughs)


def joined(pieces: Sequence[Transcript], audio_s: float) -> Transcript:
    """One transcript of what was heard piece by piece; each counts in the probability by its tokens."""
    tokens = sum(piece.tokens for piece in pieces)
    log_probs = [piece.tokens * math.log(piece.probability) for piece in pieces if piece.probability]
    probability = math.exp(sum(log_probs) / tokens) if tokens and log_probs else None
    return Transcript(" ".join(piece.text for piece in pieces if piece.text), tokens, probability, audio_s)


def looks_wrong(heard: Transcript, params: WhisperParams, cap: int) -> bool:
    """Whether a longer context should be asked: nothing heard, a loop, cut short by the token cap, or unlikely."""
    if heard.probability is None or not has_words(heard):
        return True
    return 0 < cap <= heard.tokens or heard.probability < params.retry_probability or is_loop(heard.text.lower())


def better(first: Transcript, second: Transcript) -> Transcript:
    """The second try, unless it has no words, and the first has some that are no loop."""
    keep = has_words(first) and not has_words(second) and not is_loop(first.text.lower())
    return first if keep else second


def has_words(heard: Transcript) -> bool:
    """Whether anything was said, beside notes of sounds such as [BLANK_AUDIO] or (laughs)."""
    return any(character.isalnum() for character in _NOTES.sub("", heard.text))


def without_notes(heard: Transcript) -> Transcript:
    """What was said, and nothing of what merely sounded."""
    text = " ".join(_NOTES.sub(" ", heard.text).split()) if has_words(heard) else ""
    return replace(heard, text=text)
