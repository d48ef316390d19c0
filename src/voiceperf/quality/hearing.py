"""How well an engine hears: its transcripts of recorded speech, and how likely it finds what was said."""

from __future__ import annotations

from collections.abc import Sequence

from voiceperf.engines.base import Recital, Recited, Transcript, Utterance
from voiceperf.judge.text import HearingComparison, compare_hearing, score
from voiceperf.log import Progress, silent
from voiceperf.quality.corpus import Recording
from voiceperf.quality.outputs import Asked


def transcripts(listener: Asked, recordings: Sequence[Recording], progress: Progress = silent) -> list[str]:
    """What is heard, utterance by utterance."""
    heard = []
    for number, recording in enumerate(recordings, start=1):
        output = listener.ask(Utterance(recording.audio()))
        assert isinstance(output, Transcript)
        heard.append(output.text)
        progress(f"{listener.contender.name} listens", number, len(recordings))
    return heard


def recitals(listener: Asked, recordings: Sequence[Recording], progress: Progress = silent) -> list[tuple[float, ...]]:
    """The log probability of every token that was said, utterance by utterance."""
    found = []
    for number, recording in enumerate(recordings, start=1):
        output = listener.ask(Recital(recording.audio(), recording.text))
        assert isinstance(output, Recited)
        found.append(output.log_probs)
        progress(f"{listener.contender.name} scores what was said", number, len(recordings))
    return found


def compare_transcripts(
    recordings: Sequence[Recording], baseline: Sequence[str], candidate: Sequence[str]
) -> HearingComparison | None:
    """WER and its difference, on transcripts of the same recordings."""
    references = [recording.text for recording in recordings]
    return compare_hearing(
        [score(reference, text) for reference, text in zip(references, baseline, strict=True)],
        [score(reference, text) for reference, text in zip(references, candidate, strict=True)],
        [recording.speaker for recording in recordings],
    )
