"""How well an engine speaks: what a listener hears in its speech, and how it sounds beside a baseline's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from voiceperf.audio import Samples, as_speech
from voiceperf.engines.base import Line, Speech, Transcript, Utterance
from voiceperf.errors import InputError
from voiceperf.judge.sound import SpeakingComparison, distance_beyond_trimming_db, duration_shift, level_shift_db
from voiceperf.judge.text import ENGLISH, Heard, compare_hearing, score
from voiceperf.log import Progress, silent
from voiceperf.quality.outputs import Asked
from voiceperf.roles import DETERMINISTIC


def compare_speech(
    baseline: Asked,
    candidate: Asked,
    listener: Asked,
    lines: Sequence[str],
    progress: Progress = silent,
) -> SpeakingComparison | None:
    """Round-trip WER through a listener; of one voice the pace, of the same sounds log-mel distance and duration.

    The worst line counts.
    """
    before, after = (
        [_spoken(worker, line) for line in _counted(lines, worker, progress)] for worker in (baseline, candidate)
    )
    heard = [
        [_round_trip(listener, line, speech) for line, speech in zip(lines, speeches, strict=True)]
        for speeches in (before, after)
    ]
    round_trip = compare_hearing(heard[0], heard[1], [str(number) for number in range(len(lines))])
    if round_trip is None:
        return None
    both = list(zip(before, after, strict=True))
    ours, theirs = candidate.contender, baseline.contender
    if ours.params.speaker() != theirs.params.speaker():
        return SpeakingComparison(round_trip)  # another voice sounds otherwise, and is none the worse
    pace_shift = max(abs(b.heard_s / a.heard_s - 1) for a, b in both)
    level_db = max(level_shift_db(a.audio, b.audio) for a, b in both)
    if ours.lacks({DETERMINISTIC}) or theirs.lacks({DETERMINISTIC}):
        # no two readings of it are alike
        return SpeakingComparison(round_trip, pace_shift=pace_shift, level_shift_db=level_db)
    pieces = [pair for a, b in both for pair in _same_pieces(baseline, a, b)]
    return SpeakingComparison(
        round_trip,
        max(distance_beyond_trimming_db(a, b, before[0].rate_hz) for a, b in pieces),
        max(duration_shift(a, b) for a, b in pieces),
        pace_shift,
        level_db,
    )


def _counted(lines: Sequence[str], worker: Asked, progress: Progress) -> Iterator[str]:
    """The lines, each reported to whoever watches once it is done."""
    for number, line in enumerate(lines, start=1):
        yield line
        progress(f"{worker.contender.name} speaks", number, len(lines))


def _same_pieces(baseline: Asked, before: Speech, after: Speech) -> list[tuple[Samples, Samples]]:
    """What a candidate synthesised in pieces, beside the baseline's speaking of the same pieces by themselves."""
    if not after.pieces or [piece.text for piece in before.pieces] == [piece.text for piece in after.pieces]:
        return [(before.audio, after.audio)]
    alone = [_spoken(baseline, piece.text).audio for piece in after.pieces]
    return [(a, after.audio[piece.start : piece.end]) for a, piece in zip(alone, after.pieces, strict=True)]


def _spoken(worker: Asked, line: str) -> Speech:
    output = worker.ask(Line(line))
    assert isinstance(output, Speech)
    return output


def _round_trip(listener: Asked, line: str, speech: Speech) -> Heard:
    return score(line, _listen(listener, speech), listener.contender.params.expects() or ENGLISH)


def _listen(listener: Asked, speech: Speech) -> str:
    try:
        sound = as_speech(speech.audio, speech.rate_hz)
    except InputError:
        return ""  # nothing that anybody could hear
    output = listener.ask(Utterance(sound))
    assert isinstance(output, Transcript)
    return output.text


def speak_and_hear(speaker: Asked, listener: Asked, line: str) -> tuple[Speech, str]:
    """A line as an engine says it, and what a listener hears in it."""
    speech = _spoken(speaker, line)
    return speech, _listen(listener, speech)
