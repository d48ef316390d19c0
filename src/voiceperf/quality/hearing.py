"""How well an engine hears: its transcripts of recorded speech, and how likely it finds what was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voiceperf.engines.base import Recital, Recited, Transcript, Utterance
from voiceperf.errors import WorkerError
from voiceperf.judge.speakers import ONE_SIDED
from voiceperf.judge.text import ENGLISH, Heard, HearingComparison, compare_hearing, score
from voiceperf.log import Progress, silent
from voiceperf.quality.corpus import Recording
from voiceperf.quality.outputs import Asked

_RECITED = 110  # recordings; it takes fewer to see a loss than counting does


def transcripts(listener: Asked, recordings: Sequence[Recording], progress: Progress = silent) -> list[str]:
    """What is heard, utterance by utterance."""
    heard = []
    for number, recording in enumerate(recordings, start=1):
        output = listener.ask(Utterance(recording.audio(), recording.language))
        assert isinstance(output, Transcript)
        heard.append(output.text)
        progress(f"{listener.contender.name} listens", number, len(recordings))
    return heard


def recitals(
    listener: Asked, recordings: Mapping[Recording, str], progress: Progress = silent
) -> list[tuple[float, ...]] | None:
    """The log probability of every token of what was said, as it is written here, utterance by utterance.

    None from a voiceperf of before, which does not know the question.
    """
    found = []
    for number, (recording, text) in enumerate(recordings.items(), start=1):
        try:
            output = listener.ask(Recital(recording.audio(), text, recording.language))
        except WorkerError as error:
            if Recital.__name__ in str(error):  # it died of not knowing it
                return None
            raise
        assert isinstance(output, Recited)
        found.append(output.log_probs)
        progress(f"{listener.contender.name} scores what was said", number, len(recordings))
    return found


def as_written(recordings: Sequence[Recording], transcripts: Sequence[str], language: str) -> dict[Recording, str]:
    """What was said in some of the recordings, with capitals and full stops as engines write it.

    That is the transcript where it is right, else the reference made to look like one: else how a reference is written
    would be most of how unlikely it is.
    """
    pairs = list(zip(recordings, transcripts, strict=True))[:: max(1, len(recordings) // _RECITED)]
    return {
        recording: text if _score(recording, text, language).errors == 0 else _like_a_sentence(recording.text)
        for recording, text in pairs
    }


def _like_a_sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def scores_of(recordings: Sequence[Recording], transcripts: Sequence[str], language: str) -> list[Heard]:
    """Each transcript beside its reference, in the recording's language, or else in the one that is named."""
    return [_score(recording, text, language) for recording, text in zip(recordings, transcripts, strict=True)]


def _score(recording: Recording, transcript: str, language: str) -> Heard:
    return score(recording.text, transcript, recording.language or language or ENGLISH)


def compare_transcripts(
    recordings: Sequence[Recording],
    baseline: Sequence[str],
    candidate: Sequence[str],
    language: str,
    confidence: float = ONE_SIDED,
) -> HearingComparison | None:
    """WER and its difference, on transcripts of the same recordings."""
    before, after = (scores_of(recordings, transcripts, language) for transcripts in (baseline, candidate))
    return compare_hearing(before, after, [recording.speaker for recording in recordings], confidence)
