from types import SimpleNamespace

import pytest

from voiceperf import profiles
from voiceperf.errors import EngineError, ModelError, ServiceError
from voiceperf.judge.regression import Change
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.measure.contender import Side, of_profile
from voiceperf.measure.launch import Spent
from voiceperf.measure.resources import Usage
from voiceperf.quality.gate import Quality
from voiceperf.roles import ROLES
from voiceperf.suite import sides
from voiceperf.suite.duel import Duel, DuelUnderWay, Rules

CALL = SimpleNamespace(turns=[])


@pytest.fixture
def judge(monkeypatch):
    """Judge three engines of which single duels or qualities fail as told; all others pass."""
    order, started = [], {}

    def judged(
        *, fails=None, quality_fails=None, compared=sides.COMPARED, spent=(), costs=True, looks=None, profile="fair"
    ):
        class FakeDuel(DuelUnderWay):
            """Clear after as many looks as it is told."""

            def __init__(self, what, starts, inputs, rules, **how):
                self.what, self.is_done, self._left = what, False, (looks or {}).get(what, 1)
                self._failure, self._looks = "", (x for x in ())
                started[what] = starts

            def go_on(self):
                order.append(self.what)
                self._left -= 1
                self.is_done = self._left == 0
                if self.what in (fails or {}):
                    self._looks = raising(fails[self.what])
                    super().go_on()

            def ended(self):
                if self._failure:
                    return super().ended()
                return Duel(self.what, Finding(Verdict.PASS, "as fast"), Change.SAME, spent=spent)

        def heard(gate, engine, baseline, candidate):
            if engine in (quality_fails or {}):
                raise quality_fails[engine]
            return Quality(Finding(Verdict.PASS, "as good"), "words")

        monkeypatch.setattr(sides, "DuelOfSides", FakeDuel)
        monkeypatch.setattr(sides.QualityGate, "judge", heard)
        both = [Side(name, profiles.load(profile)) for name in ("baseline", "candidate")]
        return list(sides.judge_sides(*both, compared, call=CALL, corpus=None, rules=Rules(), costs=costs))

    judged.order, judged.started = order, started
    return judged


def raising(error):
    """Looks of which the first one fails."""
    raise error
    yield


def spent(before, after):
    """Of one launch: each side's seconds to start and MB."""
    return {
        name: Spent(start_s, Usage(1.0, int(mb * 1e6), 0, None))
        for name, (start_s, mb) in (("baseline", before), ("candidate", after))
    }


def verdicts(rows):
    return {row.what: row.finding.verdict for row in rows}


def test_engine_that_fails_takes_nothing_from_the_others(judge):
    """A worker that dies makes its engine INVALID with the reason; the others have their verdicts."""
    rows = judge(fails={"thinking": EngineError("the llama worker was killed")}, compared=ROLES)
    assert verdicts(rows[:3]) == {"hearing": Verdict.PASS, "thinking": Verdict.INVALID, "speaking": Verdict.PASS}
    assert "was killed" in rows[1].finding.reason
    assert rows[1].as_record()["change"] == "unclear"


def test_quality_that_cannot_be_judged_keeps_the_duel(judge):
    """Where only the quality could not be had, the duel stands beside the reason, and nothing passes."""
    rows = judge(quality_fails={"speaking": EngineError("no listener")})
    assert verdicts(rows)["speaking"] is Verdict.INVALID
    assert rows[2].duel.change is Change.SAME
    assert rows[2].finding.reason == "no listener"


def test_missing_model_ends_the_comparison(judge):
    """What the user must mend first is an error of its own, not a verdict."""
    with pytest.raises(ModelError):
        judge(fails={"hearing": ModelError("pull it")})


def test_services_that_do_not_start_make_whole_turns_invalid(judge):
    """The roles have their verdicts; the call has the reason."""
    rows = {row.what: row for row in judge(fails={"call": ServiceError("the hearing service did not start")})}
    assert rows["call"].finding.verdict is Verdict.INVALID
    assert "did not start" in rows["call"].finding.reason
    assert rows["hearing"].finding.verdict is Verdict.PASS


@pytest.mark.parametrize(("growth", "verdict"), [(1.0, Verdict.PASS), (1.2, Verdict.FAIL)])
def test_memory_is_that_of_all_roles(judge, growth, verdict):
    """A fifth more memory fails, however fast it is."""
    launches = [spent((1.0, 100), (1.0, 100 * growth))] * 6
    memory = {row.what: row for row in judge(spent=launches)}["memory"]
    assert memory.finding.verdict is verdict
    assert memory.text == f"300 -> {300 * growth:.0f} MB"


@pytest.mark.parametrize(("slower", "verdict"), [(1.02, Verdict.PASS), (2.0, Verdict.FAIL)])
def test_a_start_that_takes_twice_as_long_fails(judge, slower, verdict):
    """From nothing to being ready, over all roles and launches."""
    launches = [spent((1.0 + number / 100, 100), (slower + number / 100, 100)) for number in range(6)]
    start_up = {row.what: row for row in judge(spent=launches)}["start-up"]
    assert start_up.finding.verdict is verdict


def test_what_was_not_measured_has_no_memory(judge):
    """Without a launch, memory and start-up are INVALID: missing is no PASS."""
    found = verdicts(judge(compared=["hearing"]))
    assert (found["memory"], found["start-up"]) == (Verdict.INVALID, Verdict.INVALID)


def test_of_other_settings_memory_is_shown_and_not_judged(judge):
    """A faster setting may take more: only two versions of one thing are held to memory and start-up."""
    launches = [spent((1.0, 100), (2.0, 200))] * 6
    assert [row.what for row in judge(spent=launches, costs=False)] == list(sides.COMPARED)


def test_what_is_clear_leaves_its_time_to_the_others(judge):
    """Each row is looked at once; those that are not clear go on in turn, and come when they are."""
    rows = judge(looks={"thinking": 3, "call": 2}, costs=False)
    assert judge.order == ["hearing", "thinking", "speaking", "call", "thinking", "call", "thinking"]
    assert [row.what for row in rows] == ["hearing", "speaking", "call", "thinking"]
    assert all(row.quality for row in rows if row.what in ROLES)


SERVED = """
[roles]
thinking = "openai_thinking"
[openai_thinking]
url = "http://127.0.0.1:9/v1"
"""


def test_what_a_server_cannot_give_is_not_applicable(judge, tmp_path):
    """Whole turns need a script, which no server follows; its memory and start are nobody's here to judge."""
    (tmp_path / "served.toml").write_text(SERVED)
    both = {"before": (1.0, 100), "after": (1.0, 100)}
    rows = {row.what: row for row in judge(profile=str(tmp_path / "served.toml"), spent=[spent(*both.values())] * 6)}
    assert rows["call"].finding.verdict is Verdict.NOT_APPLICABLE
    assert "openai_thinking" in rows["call"].finding.reason
    assert rows["memory"].text == "200 -> 200 MB"


@pytest.mark.parametrize(("launches", "verdict"), [(1, Verdict.INCONCLUSIVE), (2, Verdict.PASS)])
def test_few_starts_cannot_tell(judge, launches, verdict):
    """Where the time was used up before processes had been started often enough, that is no fault of anybody's."""
    rows = judge(compared=ROLES, spent=[spent((1.0, 100), (1.0, 100))] * launches)
    assert verdicts(rows)["start-up"] is verdict


def test_a_role_is_compared_without_letting_others_go_first(judge):
    """Alone on the machine, what thinks has nobody to let go first; in whole turns it has."""
    judge(profile="shipped")
    own = of_profile(profiles.load("shipped"), "thinking").params.niceness()
    assert [start.args[0].params.niceness() for start in judge.started["thinking"].values()] == [0, 0]
    assert [start.args[1].contender("thinking").params.niceness() for start in judge.started["call"].values()] == [
        own,
        own,
    ]
