"""A session of the suite on fake engines: whose processes live when, and how many blocks there are."""

import contextlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fake_engine import FakeParams

from voiceperf.errors import EngineError, InputError, WorkerError
from voiceperf.history.runs import CONTROL
from voiceperf.judge.criteria import BARS, MAX_LOOKS, Criterion
from voiceperf.judge.verdict import MIN_PAIRS, Finding, Verdict
from voiceperf.measure import launch
from voiceperf.measure.clock import Timing
from voiceperf.measure.contender import Contender
from voiceperf.measure.resources import Resources
from voiceperf.quality.gate import Quality
from voiceperf.roles import LOCAL
from voiceperf.suite.plan import BASELINES, FORMS
from voiceperf.suite.suite import Suite
from voiceperf.suite.workloads import CALL, WORKLOADS

TURNS = [SimpleNamespace(number=number, reply=f"Reply {number}.") for number in (1, 2)]
CALL61 = SimpleNamespace(turns=TURNS)
SPEAKING = "speaking"  # the one workload whose requests the fake engine takes
NAMES = [*BASELINES, "shipped"]
PASSES = Quality(Finding(Verdict.PASS, "as planned"), "words")


def plan():
    """Two baselines and a candidate, all of them fake engines in processes of their own."""
    sides = {
        name: SimpleNamespace(name=name, contender=lambda engine, name=name: Contender(name, FakeParams()))
        for name in NAMES
    }
    return SimpleNamespace(
        call=CALL61,
        baselines=[sides[name] for name in BASELINES],
        candidate=sides["shipped"],
        form=FORMS["full"],
        manifest=Path(),
        texts=None,
        conversations=Path(),
        sides=lambda: sides,
    )


@pytest.fixture
def suite(monkeypatch):
    made = Suite(plan())
    monkeypatch.setattr(made.gate, "judge", lambda *which: PASSES)
    return made


@pytest.fixture
def numbers(suite, monkeypatch):
    """The same suite on numbers: whoever calls it says what each run takes, and gets who ran, in which order."""

    def plant(run):
        ran = []

        def once(side, workload, turn):
            ran.append((side, workload, turn.number))
            return run(side, turn)

        fake = SimpleNamespace(run=once, account=lambda *who: Resources(1, 2, 3.0, 4))
        monkeypatch.setattr(suite, "_processes", lambda workload: contextlib.nullcontext(fake))
        return ran

    return plant


def test_turns_share_no_process(suite, monkeypatch):
    """Within a turn each side has one process, which ends with it; the next turn begins with others."""
    started = []
    real = launch.WorkerProcess
    monkeypatch.setattr(launch, "WorkerProcess", lambda contender: started.append(real(contender)) or started[-1])
    for turn in TURNS:
        suite.measure(SPEAKING, turn)
        assert not any(process.alive for process in started)
    assert sorted(process.contender.name for process in started) == sorted(NAMES * 2)


def test_every_side_is_warm_and_runs_in_every_block(numbers, suite):
    """Each side runs once before the first block, and once in each; the candidate then goes on alone."""
    ran = numbers(lambda side, turn: Timing(1, 0))
    taken = suite.measure("hearing", TURNS[0])
    rounds = max(WORKLOADS["hearing"].blocks["full"], MIN_PAIRS // len(TURNS))
    *others, candidate = [len([one for one in ran if one[0] == name]) for name in NAMES]
    assert others == [rounds + 1] * len(others)
    assert candidate == rounds + 1 + WORKLOADS["hearing"].own_blocks
    assert [set(block) for block in taken.blocks[:rounds]] == [{*NAMES, CONTROL}] * rounds


def test_what_is_measured_is_not_measured_again(numbers, suite):
    """A second test of the same turn, or of what the same engines do otherwise, costs no run."""
    ran = numbers(lambda side, turn: Timing(1, 0))
    suite.measure("thinking", TURNS[0])
    before = len(ran)
    suite.measure("thinking", TURNS[0])
    suite.measure("thinking_cold", TURNS[0])
    assert len(ran) == before


def test_figures_of_the_candidate_alone_cost_no_run_of_a_baseline(numbers, suite):
    """Where a figure is the candidate's own, it runs more often, with only the control beside it."""
    numbers(lambda side, turn: Timing(1, 0))
    taken = suite.measure(SPEAKING, TURNS[0])
    assert len(taken.of("shipped")) - len(taken.of("fair")) == WORKLOADS[SPEAKING].own_blocks > 0
    assert len(taken.pairs("shipped", CONTROL)) == len(taken.of("shipped"))


def test_unclear_criterion_gets_more_blocks(numbers, suite):
    """Where the interval spans the bar, every turn is measured again, as often as looks are planned."""
    rng = np.random.default_rng(3)
    numbers(lambda side, turn: Timing(int(1e9 * np.exp(rng.normal(0, 1))), 0))
    criterion = suite.judge("thinking", "fair")
    assert criterion.speed.verdict is Verdict.INCONCLUSIVE
    thinking = WORKLOADS["thinking"]
    a_look = thinking.blocks["full"] + thinking.own_blocks
    assert [len(suite.measure("thinking", turn).blocks) for turn in TURNS] == [a_look * MAX_LOOKS] * 2


def test_a_part_of_a_turn_is_judged_by_itself(numbers, suite):
    """Hearing within a turn is the ratio of its stage, whatever the rest of the turn takes."""
    numbers(lambda side, turn: Timing(10**9, 0, {"ASR": 10**8 if side == "fair" else 10**7}))
    assert suite.judge("hearing", "fair").figure.estimate == pytest.approx(0.1)
    assert suite.judge("call", "fair").figure.estimate == pytest.approx(1.0)


def test_own_figures_are_judged_once_beside_every_baseline(numbers, suite, monkeypatch):
    """The first sound within a turn is in seconds, has one row, and the worst quality of all baselines."""
    numbers(lambda side, turn: Timing(10**9, 0, {"TTS first audio": 2 * 10**8}))
    lost = Quality(Finding(Verdict.FAIL, "worse than fair"), "lost")
    monkeypatch.setattr(suite.gate, "judge", lambda engine, before, after: lost if before.name == "fair" else PASSES)
    criterion = suite.judge("speaking_first")
    assert criterion.figure.estimate == pytest.approx(0.2)
    assert (criterion.baseline, criterion.quality_text) == ("", "lost")
    suite.judge("speaking_first")
    assert len(suite.criteria) == 1


@pytest.mark.parametrize(
    ("what", "speed", "quality", "unfit"),
    [
        ("thinking", Verdict.PASS, Verdict.PASS, False),
        ("thinking", Verdict.FAIL, Verdict.PASS, False),  # slower than hoped is no reason to step back
        ("thinking", Verdict.PASS, Verdict.INCONCLUSIVE, False),
        ("thinking", Verdict.PASS, Verdict.FAIL, True),
        ("stability", Verdict.FAIL, Verdict.PASS, True),
    ],
)
def test_lost_quality_or_load_not_borne_is_unfit(suite, what, speed, quality, unfit):
    """A candidate is to step back where it loses quality or does not bear load, not where it is slow or in doubt."""
    findings = Finding(speed, "made up"), Finding(quality, "made up")
    suite.criteria.append(Criterion(BARS[what], "fair", None, *findings, "made up"))
    assert suite.unfit() is unfit


def test_short_call_has_pairs_enough_to_be_judged(numbers, suite):
    """However few turns a call has, its pairs are as many as a verdict needs."""
    numbers(lambda side, turn: Timing(1, 0))
    pairs = [suite.measure("hearing", turn).pairs("seed", "shipped") for turn in TURNS]
    assert sum(map(len, pairs)) == MIN_PAIRS > WORKLOADS["hearing"].blocks["full"] * 2


def test_criterion_whose_engine_dies_is_a_row_all_the_same(numbers, suite):
    """An engine's end makes its criteria INVALID with the reason; it is not tried again, and the rows are saved."""

    def die(*which):
        raise WorkerError("whisper: the worker died")

    ran = numbers(die)
    criteria = [suite.judge("hearing_alone", "fair"), suite.judge("hearing_alone", "seed")]
    assert [criterion.verdict for criterion in criteria] == [Verdict.INVALID] * 2
    assert [row.as_record()["reason"] for row in suite.criteria] == ["whisper: the worker died"] * 2
    assert len(ran) == 1
    with pytest.raises(EngineError):
        suite.measure("hearing", TURNS[0])


def test_stages_of_whole_turns_are_kept_by_profile_and_turn(numbers, suite):
    """The saved run has each stage of each turn, in milliseconds."""
    numbers(lambda side, turn: Timing(10**9, 0, {"ASR": 5 * 10**6}))
    suite.measure(CALL, TURNS[1])
    stages = suite._stages_ms("fair")
    assert set(stages) == {2}
    assert stages[2][0] == {"ASR": 5.0}


def test_a_criterion_that_an_engine_cannot_meet_is_not_applicable(numbers, suite, monkeypatch):
    """Where an engine cannot do what a criterion takes, nothing is measured, and the row says why."""
    ran = numbers(lambda side, turn: Timing(1, 0))
    monkeypatch.setattr(FakeParams, "can", frozenset({LOCAL}))
    criteria = [suite.judge("thinking", "fair"), suite.judge("stability")]
    assert [criterion.verdict for criterion in criteria] == [Verdict.NOT_APPLICABLE] * 2
    assert [criterion.decisive.reason for criterion in criteria] == [
        "fake (seed) cannot do this: exact token count",
        "fake (seed) cannot do this: deterministic",
    ]
    assert ran == []


def test_names_of_before_still_ask_for_the_same(numbers, suite):
    """A project's own tests may name criteria by engine, as they once did; what nobody knows is refused by name."""
    numbers(lambda side, turn: Timing(10**9, 0, {"ASR": 10**8}))
    assert suite.judge("whisper", "fair").bar is BARS["hearing"]
    with pytest.raises(InputError, match="no criterion 'smelling'; there are hearing"):
        suite.judge("smelling", "fair")
    with pytest.raises(InputError, match="no workload 'smelling'; there are hearing"):
        suite.measure("smelling", TURNS[0])


def test_an_engine_whose_library_is_missing_is_a_row_too(suite, monkeypatch):
    """Where an engine cannot even be asked what it can do, its criterion is INVALID with the remedy."""

    def missing(role):
        raise EngineError("the library is missing; pip install it")

    monkeypatch.setattr(suite._sides["shipped"], "contender", missing)
    criterion = suite.judge("thinking", "fair")
    assert criterion.verdict is Verdict.INVALID
    assert criterion.decisive.reason == "the library is missing; pip install it"
