from types import SimpleNamespace

import pytest

from voiceperf import profiles
from voiceperf.errors import EngineError, ModelError
from voiceperf.judge.regression import Change
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.measure.contender import Side
from voiceperf.quality.gate import Quality
from voiceperf.suite import upgrade
from voiceperf.suite.duel import Duel, Experiment, Rules

CALL = SimpleNamespace(turns=[])


@pytest.fixture
def judge(monkeypatch):
    """Judge three engines of which single duels or qualities fail as told; all others pass."""

    def judged(fails=None, quality_fails=None):
        def duelled(baseline, candidate, requests, rules, watch):
            if candidate.role in (fails or {}):
                raise fails[candidate.role]
            same = Experiment(Change.SAME, None, 6, {})
            return Duel(candidate.role, Finding(Verdict.PASS, "as fast"), same, None)

        def heard(gate, engine, baseline, candidate):
            if engine in (quality_fails or {}):
                raise quality_fails[engine]
            return Quality(Finding(Verdict.PASS, "as good"), "words")

        monkeypatch.setattr(upgrade, "run_duel", duelled)
        monkeypatch.setattr(upgrade.QualityGate, "judge", heard)
        sides = [Side(name, profiles.load("fair")) for name in ("baseline", "candidate")]
        engines = ["hearing", "thinking", "speaking"]
        return upgrade.judge_upgrade(*sides, engines, call=CALL, corpus=None, rules=Rules())

    return judged


def verdicts(rows):
    return {row.duel.role: row.finding.verdict for row in rows}


def test_engine_that_fails_takes_nothing_from_the_others(judge):
    """A worker that dies makes its engine INVALID with the reason; the others have their verdicts."""
    rows = list(judge(fails={"thinking": EngineError("the llama worker was killed")}))
    assert verdicts(rows) == {"hearing": Verdict.PASS, "thinking": Verdict.INVALID, "speaking": Verdict.PASS}
    assert "was killed" in rows[1].finding.reason
    assert rows[1].as_record()["change"] == "unclear"


def test_quality_that_cannot_be_judged_keeps_the_duel(judge):
    """Where only the quality could not be had, the duel stands beside the reason, and nothing passes."""
    rows = list(judge(quality_fails={"speaking": EngineError("no listener")}))
    assert verdicts(rows)["speaking"] is Verdict.INVALID
    assert rows[2].duel.change is Change.SAME
    assert rows[2].finding.reason == "no listener"


def test_missing_model_ends_the_comparison(judge):
    """What the user must mend first is an error of its own, not a verdict."""
    with pytest.raises(ModelError):
        list(judge(fails={"hearing": ModelError("pull it")}))
