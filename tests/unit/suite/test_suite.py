"""A session of the suite on fake engines: whose processes live when, and how many pairs there are."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from voiceperf.engines.fake import FakeParams
from voiceperf.errors import WorkerError
from voiceperf.judge.criteria import BARS, MAX_LOOKS, Criterion
from voiceperf.judge.verdict import MIN_PAIRS, Finding, Verdict
from voiceperf.measure.clock import Timing
from voiceperf.measure.contender import Contender
from voiceperf.suite.quality_gate import Quality
from voiceperf.suite.suite import BASELINES, FORMS, Plan, Suite
from voiceperf.suite.workers import Workers

TURNS = [SimpleNamespace(number=number, reply=f"Reply {number}.") for number in (1, 2)]
CALL = SimpleNamespace(turns=TURNS)
SPEAKING = "kokoro"  # the one workload whose requests the fake engine takes


@pytest.fixture
def suite():
    """Two baselines and a candidate, all of them fake engines in processes of their own."""
    named = [SimpleNamespace(name=name) for name in (*BASELINES, "tuned")]
    made = Suite(Plan(CALL, tuple(named[:-1]), named[-1], FORMS["full"], Path(), Path()))
    for side in named:
        side.contender = lambda engine, name=side.name: Contender(name, FakeParams())
    made.workers = Workers(CALL, named)
    yield made
    made.close()


def pids(suite):
    return {name: suite.workers.get(name, SPEAKING).pid for name in ("seed", "tuned")}


def times_run(suite, name):
    suite.workers.run(name, SPEAKING, TURNS[0])
    return suite.workers.get(name, SPEAKING).output().prompt_tokens


def test_turns_share_no_process(suite):
    """Within a turn the processes stay, whoever is measured; the next turn begins with others."""
    suite.measure(SPEAKING, "seed", TURNS[0])
    first = pids(suite)
    suite.measure(SPEAKING, "tuned", TURNS[0])
    assert pids(suite) == first
    suite.measure(SPEAKING, "seed", TURNS[1])
    assert not set(pids(suite).values()) & set(first.values())


def test_both_sides_are_warm_before_the_first_pair(suite):
    """Each process runs a turn once before it is measured there, and not once more for the next benchmark."""
    suite.recorder(SPEAKING, "seed", TURNS[0])
    suite.recorder(SPEAKING, "fair", TURNS[0])
    assert [times_run(suite, name) for name in ("seed", "fair", "tuned")] == [2, 2, 2]


def test_a_dead_process_is_replaced_and_warmed_again(suite):
    """Where a worker has died, its successor too is warm before it is measured."""
    suite.recorder(SPEAKING, "seed", TURNS[0])
    suite.workers.get("tuned", SPEAKING).close()
    suite.recorder(SPEAKING, "seed", TURNS[0])
    assert times_run(suite, "tuned") == 2


def test_unclear_criterion_gets_more_pairs(suite, monkeypatch):
    """Where the interval spans the bar, every turn is measured again, as often as looks are planned."""
    ratios = iter([1.0, 0.4, 1.2, 0.9] * 1000)
    monkeypatch.setattr(suite.gate, "judge", lambda *which: Quality(Finding(Verdict.PASS, "as planned"), "words"))
    monkeypatch.setattr(suite.workers, "warm_up", lambda *which: None)
    monkeypatch.setattr(suite, "_runner", lambda workload, profile, turn: lambda: Timing(int(1e9 * next(ratios)), 0))
    recorders = [suite.measure("llama", "fair", turn) for turn in TURNS]
    criterion = suite.judge("llama", "fair")
    assert criterion.speed.verdict is Verdict.INCONCLUSIVE
    assert [len(recorder.pairs) for recorder in recorders] == [FORMS["full"].rounds["llama"] * MAX_LOOKS] * 2


@pytest.mark.parametrize(
    ("what", "speed", "quality", "unfit"),
    [
        ("llama", Verdict.PASS, Verdict.PASS, False),
        ("llama", Verdict.FAIL, Verdict.PASS, False),  # slower than hoped is no reason to step back
        ("llama", Verdict.PASS, Verdict.INCONCLUSIVE, False),
        ("llama", Verdict.PASS, Verdict.FAIL, True),
        ("stability", Verdict.FAIL, Verdict.PASS, True),
    ],
)
def test_lost_quality_or_load_not_borne_is_unfit(suite, what, speed, quality, unfit):
    """A candidate is to step back where it loses quality or does not bear load, not where it is slow or in doubt."""
    findings = Finding(speed, "made up"), Finding(quality, "made up")
    suite.criteria.append(Criterion(BARS[what], "fair", None, *findings, "made up"))
    assert suite.unfit() is unfit


def test_short_call_has_pairs_enough_to_be_judged(suite):
    """However few turns a call has, its pairs are as many as a verdict needs."""
    for turn in TURNS:
        suite.measure(SPEAKING, "seed", turn)
    assert sum(map(len, suite._times(SPEAKING, "seed").values())) == MIN_PAIRS > FORMS["full"].rounds[SPEAKING] * 2


def test_criterion_whose_engine_dies_is_a_row_all_the_same(suite, monkeypatch):
    """An engine's end makes its criteria INVALID with the reason, and the saved run has their rows."""

    def die(*which):
        raise WorkerError("whisper: the worker died")

    monkeypatch.setattr(suite.gate, "judge", die)
    monkeypatch.setattr(suite.workers, "run", die)
    criteria = [suite.judge("whisper", "fair"), suite.judge_stability()]
    assert [criterion.verdict for criterion in criteria] == [Verdict.INVALID] * 2
    assert [row.as_record()["reason"] for row in suite.criteria] == ["whisper: the worker died"] * 2
