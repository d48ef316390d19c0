from dataclasses import replace

import numpy as np
import pytest

from voiceperf.judge.noise import Noise, Variance
from voiceperf.judge.runs import RunData, Scored, Series, judge_runs
from voiceperf.judge.text import Heard
from voiceperf.judge.verdict import Finding, Verdict, worst

QUIET = Noise(Variance(0.0004, 200), Variance(0.0, 100), Variance(0.0001, 60))
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
    rows = judge_runs(accepted, now, dict.fromkeys(("a", "b"), [noise] if noise else []))
    return {row.name: row.finding.verdict for row in rows}, worst(row.finding for row in rows)


def test_same_code_passes():
    """Two runs of identical code, a few per cent of noise apart."""
    assert verdicts(run(seed=1), run(seed=9))[1].verdict is Verdict.PASS


def test_slower_code_fails():
    """A quarter more time is an alarm."""
    assert verdicts(run(), run(1.25, seed=9))[1].verdict is Verdict.FAIL


def test_faster_code_passes():
    """A speed-up is never held against a run."""
    assert verdicts(run(), run(0.7, seed=9))[1].verdict is Verdict.PASS


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


def test_runs_without_any_quality_are_invalid():
    """Speed alone does not pass, also where the accepted run had no quality either."""
    rows = judge_runs(RunData({"a": series()}, {}), RunData({"a": series(seed=9)}, {}), {"a": [QUIET]})
    assert [row.finding.verdict for row in rows] == [Verdict.PASS, Verdict.INVALID]


@pytest.mark.parametrize(
    ("perplexity", "verdict"), [(10.0, Verdict.PASS), (10.2, Verdict.FAIL), (None, Verdict.INVALID)]
)
def test_perplexity_is_held_against_the_accepted_run(perplexity, verdict):
    """A library that harms baselines and candidate alike shows in the candidate's own perplexity."""
    then = RunData(run().series, {"c": GOOD}, perplexity=10.0)
    now = RunData(run(seed=9).series, {"c": GOOD}, perplexity=perplexity)
    assert verdicts(then, now)[0]["thinking: perplexity since then"] is verdict


def test_no_alarm_says_what_would_have_been_seen():
    """A machine of unknown noise raises no alarm for a tenth, and says that it could not have; a calm one sees it."""
    rows = judge_runs(run(), run(1.1, seed=9), {})
    assert rows[0].finding.verdict is Verdict.PASS
    assert rows[0].finding.reason == f"{rows[0].least_seen:.0%} slower would have been seen"
    assert rows[0].least_seen > 0.25
    assert verdicts(run(), run(1.1, seed=9))[1].verdict is Verdict.FAIL


def test_a_change_within_the_tolerance_is_no_alarm():
    """However quiet the machine, 1% is none."""
    silent = Noise(Variance(1e-8, 200), Variance(0.0, 100), Variance(1e-8, 10_000))
    now = run(1.01, seed=9, spread=1e-4)
    assert verdicts(run(spread=1e-4), now, noise=silent)[1].verdict is Verdict.PASS


def test_unchanged_suites_raise_hardly_an_alarm():
    """Of 60 suites of 20 benchmarks that all are as slow as is still as good, at most a few are called slower."""
    names = [f"n{n}" for n in range(20)]
    noise = {name: [Noise(Variance(0.0004, 200), Variance(0.0, 100), Variance(0.0, 1000))] for name in names}
    alarms = 0
    for seed in range(60):
        accepted = RunData({name: series(seed=1000 * seed + n) for n, name in enumerate(names)}, {"c": GOOD})
        now = RunData({name: series(1.03, seed=1000 * seed + 500 + n) for n, name in enumerate(names)}, {})
        alarms += any(row.finding.verdict is Verdict.FAIL for row in judge_runs(accepted, now, noise))
    assert alarms <= 5


def test_one_slow_series_among_many_must_be_surer():
    """What is an alarm alone may be chance among sixty."""
    names = [f"n{n}" for n in range(60)]
    accepted = RunData({name: series(seed=n, spread=0.05) for n, name in enumerate(names)}, {})
    now = {name: series(seed=500 + n, spread=0.05) for n, name in enumerate(names)}
    alone = RunData({"n0": accepted.series["n0"]}, {})
    for ratio in np.arange(1.03, 1.5, 0.002):
        slow = series(float(ratio), seed=700, spread=0.05)
        if judge_runs(alone, RunData({"n0": slow}, {}), {})[0].finding.verdict is Verdict.FAIL:
            break
    single = judge_runs(alone, RunData({"n0": slow}, {}), {})[0]
    among = judge_runs(accepted, RunData({**now, "n0": slow}, {}), {})[0]
    assert (single.finding.verdict, among.finding.verdict) == (Verdict.FAIL, Verdict.PASS)
    assert among.least_seen > single.least_seen


def test_a_quality_that_is_not_judged_any_more_is_invalid():
    """What was judged and now is "not applicable" has not passed; what never was, says nothing."""
    judged = {"stability": Finding(Verdict.PASS, "held")}
    lost = {"stability": Finding(Verdict.NOT_APPLICABLE, "it is elsewhere")}
    for before, verdict in ((judged, Verdict.INVALID), (lost, Verdict.NOT_APPLICABLE)):
        rows = judge_runs(replace(run(), criteria=before), replace(run(), criteria=lost), {})
        assert next(row for row in rows if "stability" in row.name).finding.verdict is verdict
