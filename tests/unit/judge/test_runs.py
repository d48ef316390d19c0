import numpy as np
import pytest

from voiceperf.judge.planning import Noise
from voiceperf.judge.runs import RunData, Scored, Series, judge_runs
from voiceperf.judge.text import Heard
from voiceperf.judge.verdict import Finding, Verdict, worst

QUIET = Noise(launches=5, freedom=4, pairs=18, pair_spread=0.02, launch_spread=0.0, floor=0.02)
GOOD = Finding(Verdict.PASS, "fine")


def series(ratio=1.0, spread=0.02, seed=1, pairs=6, bound=None):
    rng = np.random.default_rng(seed)
    return Series(
        {turn: [(1.0, float(ratio * np.exp(x))) for x in rng.normal(0, spread, pairs)] for turn in (1, 2, 3)}, bound
    )


def heard(errors, words=5, utterances=40, **changes):
    score = Heard(**({"errors": errors, "words": words, "empty": False, "loop": False} | changes))
    return {"hearing": {f"u{n}": Scored(score, f"speaker {n}") for n in range(utterances)}}


def run(ratio=1.0, seed=1, names=("a", "b"), **changes):
    return RunData({name: series(ratio, seed=seed + n, **changes) for n, name in enumerate(names)}, {"c": GOOD})


def verdicts(accepted, now, noise=QUIET):
    rows = judge_runs(accepted, now, {name: noise for name in ("a", "b") if noise})
    return {row.name: row.finding.verdict for row in rows}, worst(row.finding for row in rows)


def test_same_code_passes():
    """Two runs of identical code, a few per cent of noise apart."""
    assert verdicts(run(seed=1), run(seed=9))[1].verdict is Verdict.PASS


def test_slower_code_fails():
    """A quarter more time is beyond a threshold of 10%."""
    assert verdicts(run(), run(1.25, seed=9))[1].verdict is Verdict.FAIL


def test_faster_code_passes():
    """A speed-up is never held against a run."""
    assert verdicts(run(), run(0.7, seed=9))[1].verdict is Verdict.PASS


def test_heavy_noise_is_inconclusive():
    """Where pairs scatter by half, a tenth cannot be told."""
    assert verdicts(run(spread=0.5), run(1.1, spread=0.5, seed=9))[1].verdict is Verdict.INCONCLUSIVE


def test_thin_data_is_invalid():
    """One pair an input is not judged."""
    assert verdicts(run(pairs=1), run(pairs=1, seed=9))[1].verdict is Verdict.INVALID


def test_missing_benchmark_is_invalid():
    """A benchmark of the accepted run that was not measured now is named."""
    found, decisive = verdicts(run(), run(names=("a",), seed=9))
    assert found["b"] is Verdict.INVALID
    assert "not measured in this one" in decisive.reason


def test_new_benchmark_is_invalid_until_a_run_with_it_is_accepted():
    """What the accepted run does not hold cannot be compared, and does not pass for that."""
    found, decisive = verdicts(run(names=("a",)), run(seed=9))
    assert found["b"] is Verdict.INVALID
    assert "accept a run that holds it" in decisive.reason


def test_other_inputs_are_invalid():
    """A benchmark on other turns than then is another benchmark."""
    now = run(seed=9)
    now = RunData({name: Series({9: next(iter(s.times.values()))}) for name, s in now.series.items()}, now.criteria)
    assert "other inputs" in verdicts(run(), now)[1].reason


def test_uncalibrated_machine_is_invalid():
    """Without a known noise floor nothing passes; the remedy is named."""
    assert "voiceperf calibrate" in verdicts(run(), run(seed=9), noise=None)[1].reason


def test_nothing_at_all_is_invalid():
    """Two empty runs are not equal, they are nothing."""
    assert judge_runs(RunData({}, {}), RunData({}, {}), {})[0].finding.verdict is Verdict.INVALID


def test_threshold_is_the_benchmark_s_own():
    """What one benchmark's marker allows, another's does not."""
    now = RunData({"a": series(1.25, bound=0.5, seed=9), "b": series(1.25, bound=0.1, seed=10)}, {"c": GOOD})
    found, _ = verdicts(run(), now)
    assert (found["a"], found["b"]) == (Verdict.PASS, Verdict.FAIL)


def test_lost_quality_figure_is_invalid():
    """A criterion whose quality was judged then and not now does not pass."""
    now = RunData(run(seed=9).series, {})
    assert "quality figure" in verdicts(run(), now)[1].reason


def test_quality_that_fails_beside_its_baseline_fails():
    """Speed as before with a quality that fails now is a regression."""
    now = RunData(run(seed=9).series, {"c": Finding(Verdict.FAIL, "KLD 0.3")})
    assert verdicts(run(), now)[1].verdict is Verdict.FAIL


def test_words_lost_since_the_accepted_run_fail():
    """One more error in five words, on every utterance, is found utterance by utterance."""
    then = RunData(run().series, {"c": GOOD}, heard(0))
    assert verdicts(then, RunData(run(seed=9).series, {"c": GOOD}, heard(0)))[1].verdict is Verdict.PASS
    assert verdicts(then, RunData(run(seed=9).series, {"c": GOOD}, heard(1)))[1].verdict is Verdict.FAIL


@pytest.mark.parametrize("now", [{}, heard(0, utterances=39)])
def test_lost_utterances_are_invalid(now):
    """Fewer utterances than then are not a smaller number of errors."""
    then = RunData(run().series, {"c": GOOD}, heard(0))
    assert "other utterances" in verdicts(then, RunData(run(seed=9).series, {"c": GOOD}, now))[1].reason


def test_false_discoveries_are_controlled():
    """Over 40 suites of 20 noisy benchmarks exactly at their threshold, hardly any suite is called regressed."""
    names = [f"n{n}" for n in range(20)]
    noise = dict.fromkeys(names, QUIET)
    alarms = 0
    for seed in range(40):
        accepted = RunData({name: series(seed=1000 * seed + n) for n, name in enumerate(names)}, {"c": GOOD})
        now = RunData({name: series(1.1, seed=1000 * seed + 500 + n) for n, name in enumerate(names)}, {})
        alarms += any(row.finding.verdict is Verdict.FAIL for row in judge_runs(accepted, now, noise))
    assert alarms <= 4


def test_doubt_is_said():
    """A slowdown that only chance among many comparisons may explain is INCONCLUSIVE, and says so."""
    names = [f"n{n}" for n in range(60)]
    accepted = RunData({name: series(seed=n, spread=0.05) for n, name in enumerate(names)}, {})
    now = {name: series(seed=500 + n, spread=0.05) for n, name in enumerate(names)}
    alone = RunData({"n0": series(1.0, seed=0, spread=0.05)}, {})
    for ratio in np.arange(1.1, 1.3, 0.002):
        slow = series(float(ratio), seed=700, spread=0.05)
        single = judge_runs(alone, RunData({"n0": slow}, {}), {"n0": QUIET})[0].finding
        if single.verdict is Verdict.FAIL:
            break
    many = judge_runs(accepted, RunData({**now, "n0": slow}, {}), dict.fromkeys(names, QUIET))[0].finding
    assert many.verdict is Verdict.INCONCLUSIVE
    assert "60 comparisons" in many.reason


def test_runs_without_any_quality_are_invalid():
    """Speed alone does not pass, also where the accepted run had no quality either."""
    rows = judge_runs(RunData({"a": series()}, {}), RunData({"a": series(seed=9)}, {}), {"a": QUIET})
    assert [row.finding.verdict for row in rows] == [Verdict.PASS, Verdict.INVALID]


@pytest.mark.parametrize(
    ("perplexity", "verdict"), [(10.0, Verdict.PASS), (10.2, Verdict.FAIL), (None, Verdict.INVALID)]
)
def test_perplexity_is_held_against_the_accepted_run(perplexity, verdict):
    """A library that harms baselines and candidate alike shows in the candidate's own perplexity."""
    then = RunData(run().series, {"c": GOOD}, perplexity=10.0)
    now = RunData(run(seed=9).series, {"c": GOOD}, perplexity=perplexity)
    assert verdicts(then, now)[0]["thinking: perplexity since then"] is verdict


def test_noise_of_launches_widens_the_verdict():
    """What differs between launches is no sign of a change: the same shift is sure without it and unsure with it."""
    drifting = Noise(launches=5, freedom=4, pairs=18, pair_spread=0.02, launch_spread=0.04, floor=0.09)
    assert verdicts(run(), run(1.2, seed=9))[1].verdict is Verdict.FAIL
    assert verdicts(run(), run(1.2, seed=9), noise=drifting)[1].verdict is Verdict.INCONCLUSIVE


def test_default_threshold_gives_way_to_the_floor_as_far_as_that_says_something():
    """Without a marker a benchmark gets 10%, or its floor where that is higher; a marker below the floor is refused."""
    loud = Noise(launches=5, freedom=4, pairs=18, pair_spread=0.02, launch_spread=0.0, floor=0.2)
    assert verdicts(run(), run(1.13, seed=9), noise=loud)[1].verdict is Verdict.PASS
    assert verdicts(run(), run(1.3, seed=9), noise=loud)[1].verdict is Verdict.FAIL
    assert verdicts(run(), run(1.0, seed=9, bound=0.1), noise=loud)[1].verdict is Verdict.INVALID
    deafening = Noise(launches=5, freedom=4, pairs=18, pair_spread=0.02, launch_spread=0.0, floor=0.4)
    assert verdicts(run(), run(1.0, seed=9), noise=deafening)[1].verdict is Verdict.INVALID
