"""Criteria: what is asked, and what becomes of figures."""

from dataclasses import replace

import numpy as np
import pytest

from voiceperf.judge.criteria import (
    BARS,
    Bar,
    Criterion,
    LoadResult,
    judge_load,
    judge_reduction,
    judge_worst_text,
)
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import Finding, Verdict


def bar(unit, most, aim=None):
    return Bar("x", "", "x", "a title", unit, most, aim, "in plain words", "a hint")


RTF = bar("RTF", 0.6)


def times(ratio, rounds=6, spread=0.02):
    noise = np.random.default_rng(5).normal(1, spread, (3, rounds))
    return {turn: [(1.0, ratio * float(x)) for x in noise[turn]] for turn in range(3)}


def test_reduction_beyond_the_bar_passes():
    """Half the time is 50% less: every criterion is met."""
    assert all(
        judge_reduction(BARS[name], times(0.5))[1].verdict is Verdict.PASS for name in ("hearing", "thinking", "call")
    )


def test_criterion_that_does_not_hold_fails():
    """10% less is not 20% less."""
    assert judge_reduction(BARS["thinking"], times(0.9))[1].verdict is Verdict.FAIL


def test_unmeasured_turn_is_invalid():
    """A turn without pairs makes the whole criterion INVALID."""
    assert judge_reduction(BARS["thinking"], {**times(0.5), 9: []})[1].verdict is Verdict.INVALID


def test_slowest_text_stands_for_all():
    """Six texts far below the limit do not make up for one above it."""
    rtf = {turn: [0.3] * 8 for turn in range(6)}
    assert judge_worst_text(RTF, rtf)[1].verdict is Verdict.PASS
    figure, finding = judge_worst_text(RTF, {**rtf, 7: [0.7, 0.71, 0.69] * 3})
    assert finding.verdict is Verdict.FAIL
    assert figure.estimate == 0.7


def test_one_text_surely_above_the_bar_fails_though_another_may_be_higher():
    """A text of 0.7 is a FAIL also where another, of 0.4, once took 0.9."""
    figure, finding = judge_worst_text(RTF, {1: [0.69, 0.7, 0.71] * 3, 2: [0.4] * 6 + [0.9]})
    assert finding.verdict is Verdict.FAIL
    assert figure.estimate == 0.7


def test_too_few_samples_of_a_text_are_invalid():
    """Six values cannot bound a median at 97.8%; seven can."""
    assert judge_worst_text(RTF, {1: [0.3] * 6})[1].verdict is Verdict.INVALID
    assert judge_worst_text(RTF, {1: [0.3] * 7})[1].verdict is Verdict.PASS


@pytest.mark.parametrize("process", [0.0, 0.01, 0.02, 0.04])
def test_intervals_hold_whatever_processes_differ_by(process):
    """Each turn's processes are faster or slower as luck has it; the interval holds the truth as often as it says."""
    rng, missed = np.random.default_rng(3), 0
    for _ in range(300):
        logs = rng.normal(rng.normal(0, process, (7, 1)), 0.05, (7, 3))
        figure, _ = judge_reduction(
            RTF, {turn: [(1.0, float(np.exp(x))) for x in row] for turn, row in enumerate(logs)}
        )
        missed += not figure.low <= 1 <= figure.high
    assert missed / 300 <= 0.05


def test_one_role_that_starves_under_load_is_not_outvoted():
    """The worst role's p95 counts, and is named, however often a fast one ran."""
    starving = LoadResult(
        500, (), (), p95_factors={"hearing": 3.0, "thinking": 31.0}, rss_growth=0.0, rss_bytes=1, model_bytes=0
    )
    speed, _ = judge_load(starving)
    assert speed.verdict is Verdict.FAIL
    assert "(thinking)" in speed.reason


def test_unspoken_text_is_invalid():
    """A text that was never synthesised makes the criterion INVALID."""
    assert judge_worst_text(RTF, {1: [0.3] * 8, 2: []})[1].verdict is Verdict.INVALID
    assert judge_worst_text(RTF, {})[1].verdict is Verdict.INVALID


def test_any_error_or_changed_output_under_load_fails():
    """Load may slow an engine down, it may not break it."""
    calm = LoadResult(10, (), (), p95_factors={"thinking": 4.0}, rss_growth=0.0, rss_bytes=2**29, model_bytes=0)
    assert [f.verdict for f in judge_load(calm)] == [Verdict.PASS, Verdict.PASS]
    broken = replace(calm, errors=("crashed",), rss_growth=None, rss_bytes=None)
    assert judge_load(broken)[1].verdict is Verdict.INVALID
    changed = replace(calm, changed_outputs=("llama in turn 3",))
    assert judge_load(changed)[1].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("rss_gib", "model_gib", "most_bytes", "verdict"),
    [
        (1.15, 0.3, None, Verdict.PASS),
        (1.25, 0.3, None, Verdict.FAIL),
        (4.0, 3.0, None, Verdict.PASS),
        (6.0, 3.0, None, Verdict.FAIL),
        (4.0, 3.0, 2**31, Verdict.FAIL),
        (6.0, 3.0, 2**33, Verdict.PASS),
    ],
)
def test_memory_beyond_the_limit_fails(rss_gib, model_gib, most_bytes, verdict):
    """What engines may take follows their models, so that a large one does not fail for its size; or it is said."""
    load = LoadResult(
        10, (), (), {"thinking": 4.0}, 0.0, rss_bytes=int(rss_gib * 2**30), model_bytes=int(model_gib * 2**30)
    )
    assert judge_load(load, most_bytes)[1].verdict is verdict


def test_aim_is_met_by_the_whole_interval_only():
    """An aim is missed where the interval reaches beyond it; that changes no verdict."""
    passed = Finding(Verdict.PASS, "")
    rows = [
        Criterion(bar("ratio", 0.8, aim), "fair", Interval(0.5, 0.4, 0.6, 18), passed, passed, "")
        for aim in (0.6, 0.59, None)
    ]
    assert [bool(row.missed_aim) for row in rows] == [False, True, False]
    assert {row.verdict for row in rows} == {Verdict.PASS}
