"""What a turn's time went into, and how it spreads over many turns. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from voiceperf.judge.statistics import quantile_interval
from voiceperf.live.record import TurnRecord

OVERALL = "overall"
STAGES = ("end of turn", "queue", "ASR", "LLM first token", "first clause", "TTS first audio", "network", OVERALL)
"""In the order of a turn; overall is from the caller's last sample to the first of the answer.

The end of a turn is a stage where the service that hears has to find it; then all is from the caller's last sound.
"""


@dataclass(frozen=True)
class Spread:
    """Milliseconds over turns, or over whatever else happened often; of two quantiles the 95% intervals too."""

    p50: float
    p50_interval: tuple[float, float]
    p95: float
    p95_interval: tuple[float, float]
    max: float
    turns: int


def stages_of(record: TurnRecord) -> dict[str, float] | None:
    """By stage its milliseconds; None of a turn that was not answered, or answered before all was said.

    Services of ours tell how long they took, and what is left is the network's. Of others only what a client sees is
    known: then the network's share is within the stages, and missing here. Where the words were guessed, each stage is
    what it added after the end of the turn: what had been done by then took no time of the caller's.
    """
    moments = (record.transcript_ms, record.first_text_ms, record.first_audio_ms)
    if record.error or record.is_cut_off or None in moments:
        return None
    end = {} if record.end_of_turn_ms is None else {"end of turn": record.end_of_turn_ms}
    transcript_ms, first_text_ms, first_audio_ms = (moment for moment in moments if moment is not None)
    hears, answers, speaks = (record.served.get(stage, {}) for stage in ("hears", "answers", "speaks"))
    if record.was_guessed:
        transcript_ms = max([transcript_ms, *end.values()])
        first_text_ms = max(first_text_ms, transcript_ms)
    if record.was_guessed or not ("engine_ms" in hears and "first_ms" in answers and "text_ms" in speaks):
        return end | {
            "ASR": transcript_ms - sum(end.values()),
            "LLM first token": first_text_ms - transcript_ms,
            "TTS first audio": first_audio_ms - first_text_ms,
            OVERALL: first_audio_ms,
        }
    found = end | {
        "queue": record.queue_ms,
        "ASR": hears["engine_ms"],
        "LLM first token": answers["first_ms"],
        "first clause": speaks["text_ms"],
        "TTS first audio": speaks["engine_ms"],
    }
    return {**found, "network": first_audio_ms - sum(found.values()), OVERALL: first_audio_ms}


def spreads(records: Iterable[TurnRecord]) -> dict[str, Spread]:
    """By stage how its time spreads over the turns that were answered."""
    found = [stages for stages in map(stages_of, records) if stages is not None]
    by_stage = {name: [stages[name] for stages in found if name in stages] for name in STAGES}
    return {name: spread(values) for name, values in by_stage.items() if values}


def spread(values: Sequence[float]) -> Spread:
    """Of at least one value."""
    p50, p95 = (quantile_interval(values, share) for share in (0.5, 0.95))
    assert p50 is not None
    assert p95 is not None
    return Spread(p50.estimate, (p50.low, p50.high), p95.estimate, (p95.low, p95.high), max(values), len(values))
