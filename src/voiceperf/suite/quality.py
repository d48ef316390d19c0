"""Quality, gathered from two running contenders of one engine and judged beside their speed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from voiceperf.audio import Samples, as_speech
from voiceperf.engines.base import Line, Passage, Scores, Speech, Transcript, Utterance
from voiceperf.judge.language import ThinkingComparison, compare_passage, summarise
from voiceperf.judge.sound import SpeakingComparison, distance_beyond_trimming_db, duration_shift
from voiceperf.judge.text import Heard, HearingComparison, compare_hearing, score
from voiceperf.suite.corpus import Conversation, Recording
from voiceperf.suite.outputs import Asked

Step = Callable[[str, int, int], None]
"""Called with what is being judged, how many items are done, and of how many."""


def silent(title: str, done: int, total: int) -> None:
    """A step that nobody watches."""


def transcripts(worker: Asked, recordings: Sequence[Recording], step: Step = silent) -> list[str]:
    """What a whisper worker hears, utterance by utterance."""
    heard = []
    for number, recording in enumerate(recordings, start=1):
        _, output = worker.once(Utterance(recording.audio()))
        assert isinstance(output, Transcript)
        heard.append(output.text)
        step(f"{worker.contender.name} listens", number, len(recordings))
    return heard


def compare_whisper(
    recordings: Sequence[Recording], baseline: Sequence[str], candidate: Sequence[str]
) -> HearingComparison | None:
    """WER and its difference, on transcripts of the same recordings."""
    references = [recording.text for recording in recordings]
    return compare_hearing(
        [score(reference, text) for reference, text in zip(references, baseline, strict=True)],
        [score(reference, text) for reference, text in zip(references, candidate, strict=True)],
        [recording.speaker for recording in recordings],
    )


def compare_llama(
    baseline: Asked, candidate: Asked, conversations: Iterable[Conversation]
) -> ThinkingComparison | None:
    """KL divergence, top-1 agreement and perplexity on written conversations."""
    compared = []
    for conversation in conversations:
        passage = Passage(conversation.as_text())
        before, after = (worker.once(passage)[1] for worker in (baseline, candidate))
        assert isinstance(before, Scores)
        assert isinstance(after, Scores)
        compared.append(compare_passage(before.log_probs, after.log_probs, before.token_ids))
    return summarise(compared)


def compare_kokoro(
    baseline: Asked,
    candidate: Asked,
    listener: Asked,
    lines: Sequence[str],
    step: Step = silent,
) -> SpeakingComparison | None:
    """Round-trip WER through a whisper worker, log-mel distance, duration and pace; the worst line counts."""
    before, after = ([_spoken(worker, line) for line in _told(lines, worker, step)] for worker in (baseline, candidate))
    heard = [
        [_round_trip(listener, line, speech) for line, speech in zip(lines, speeches, strict=True)]
        for speeches in (before, after)
    ]
    round_trip = compare_hearing(heard[0], heard[1], [str(number) for number in range(len(lines))])
    if round_trip is None:
        return None
    pieces = [pair for a, b in zip(before, after, strict=True) for pair in _same_pieces(baseline, a, b)]
    return SpeakingComparison(
        round_trip,
        max(distance_beyond_trimming_db(a, b, before[0].rate_hz) for a, b in pieces),
        max(duration_shift(a, b) for a, b in pieces),
        max(abs(b.heard_s / a.heard_s - 1) for a, b in zip(before, after, strict=True)),
    )


def _told(lines: Sequence[str], worker: Asked, step: Step) -> Iterator[str]:
    """The lines, each told to whoever watches once it is done."""
    for number, line in enumerate(lines, start=1):
        yield line
        step(f"{worker.contender.name} speaks", number, len(lines))


def _same_pieces(baseline: Asked, before: Speech, after: Speech) -> list[tuple[Samples, Samples]]:
    """What a candidate synthesised in pieces, beside the baseline's speaking of the same pieces by themselves."""
    if [piece.text for piece in before.pieces] == [piece.text for piece in after.pieces]:
        return [(before.audio, after.audio)]
    alone = [_spoken(baseline, piece.text).audio for piece in after.pieces]
    return [(a, after.audio[piece.start : piece.end]) for a, piece in zip(alone, after.pieces, strict=True)]


def _spoken(worker: Asked, line: str) -> Speech:
    _, output = worker.once(Line(line))
    assert isinstance(output, Speech)
    return output


def _round_trip(listener: Asked, line: str, speech: Speech) -> Heard:
    return score(line, _listen(listener, speech))


def _listen(listener: Asked, speech: Speech) -> str:
    _, output = listener.once(Utterance(as_speech(speech.audio, speech.rate_hz)))
    assert isinstance(output, Transcript)
    return output.text


def speak_and_hear(speaker: Asked, listener: Asked, line: str) -> tuple[Speech, str]:
    """A line as a kokoro worker says it, and what a whisper worker hears in it."""
    speech = _spoken(speaker, line)
    return speech, _listen(listener, speech)
