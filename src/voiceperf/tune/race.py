"""Racing: a candidate beside the baseline in pairs, dropped as soon as it is surely slower than what it must beat."""

from __future__ import annotations

from voiceperf.errors import EngineError, ParameterError, ServiceError
from voiceperf.judge.statistics import CONFIDENCE, Interval
from voiceperf.measure.experiment import Start, experiment
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
    """Rounds up to the last look, or until it is clear that the candidate loses, or wins, or how fast it is."""

    def is_known(ratio: Interval | None) -> bool:
        return ratio is not None and (ratio.low > bar or ratio.high < wins_below or _is_close(ratio, enough))

    try:
        ratio = experiment(start, looks, is_known, fresh=False, confidence=confidence).interval
    except (EngineError, ParameterError, ServiceError) as error:
        return Raced(None, failure=str(error))
    return Raced(ratio, dropped=ratio is not None and ratio.low > bar)


def _is_close(ratio: Interval, enough: float) -> bool:
    return ratio.high / ratio.low < (1 + enough) ** 2
