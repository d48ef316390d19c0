"""Racing: a candidate beside the baseline in pairs, dropped as soon as it is surely slower than what it must beat."""

from __future__ import annotations

from voiceperf.errors import EngineError, ParameterError, ServiceError
from voiceperf.judge.sequential import look_confidence
from voiceperf.judge.statistics import CONFIDENCE, Interval, ratio_interval
from voiceperf.suite.duel import Start
from voiceperf.tune.trial import Raced

LOOKS = (2, 4)  # rounds; with three inputs the first look has six pairs
ENOUGH = 0.06  # a ratio known this closely either way needs no more rounds


def race(
    start: Start,
    bar: float,
    looks: tuple[int, ...] = LOOKS,
    *,
    enough: float = ENOUGH,
    wins_below: float = 0.0,
    confidence: float = CONFIDENCE,
) -> Raced:
    """Rounds up to the last look, or until it is clear that the candidate loses, or wins, or how fast it is.

    Every look's interval is wide enough for all looks to hold together (`look_confidence`).
    """
    at_each = look_confidence(looks, confidence)
    try:
        with start() as bout:
            done = 0
            for rounds in looks:
                for _ in range(rounds - done):
                    bout.one_round()
                done = rounds
                ratio = ratio_interval(bout.times_ns(), at_each)
                if ratio is not None and ratio.low > bar:
                    return Raced(ratio, dropped=True)
                if ratio is not None and (ratio.high < wins_below or _is_close(ratio, enough)):
                    break
    except (EngineError, ParameterError, ServiceError) as error:
        return Raced(None, failure=str(error))
    return Raced(ratio)


def _is_close(ratio: Interval, enough: float) -> bool:
    return ratio.high / ratio.low < (1 + enough) ** 2
