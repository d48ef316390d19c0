"""How well an engine hears: its transcripts of recorded speech, and how likely it finds what was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from voiceperf.engines.base import Recital, Recited, Transcript, Utterance
from voiceperf.errors import WorkerError
from voiceperf.judge.text import HearingComparison, compare_hearing, score, words_of
from voiceperf.log import Progress, silent
from voiceperf.quality.corpus import Recording
from voiceperf.quality.outputs import Asked

_RECITED = 110  # recordings; it takes fewer to see a loss than counting does


def transcripts(listener: Asked, recordings: Sequence[Recording], progress: Progress = silent) -> list[str]:
    """What is heard, utterance by utterance."""
    heard = []
    for number, recording in enumerate(recordings, start=1):
        output = listener.ask(Utterance(recording.audio()))
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
            output = listener.ask(Recital(recording.audio(), text))
        except WorkerError as error:
            if Recital.__name__ in str(error):  # it died of not knowing it
                return None
            raise
        assert isinstance(output, Recited)
        found.append(output.log_probs)
        progress(f"{listener.contender.name} scores what was said", number, len(recordings))
    return found


def as_written(recordings: Sequence[Recording], transcripts: Sequence[str]) -> dict[Recording, str]:
    """What was said in some of the recordings, with capitals and full stops as engines write it.

    That is the transcript where it is right, else the reference made to look like one: else how a reference is written
    would be most of how unlikely it is.
    """
    pairs = list(zip(recordings, transcripts, strict=True))[:: max(1, len(recordings) // _RECITED)]
    return {
        recording: text if words_of(text) == words_of(recording.text) else _like_a_sentence(recording.text)
        for recording, text in pairs
    }


def _like_a_sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


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
