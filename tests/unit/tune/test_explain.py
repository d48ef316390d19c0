"""What is told of a search: in words, as a picture, as Markdown."""

import numpy as np
import optuna
import pytest
from tests.unit.tune.made_up import SPACE, MadeUp, Trials, search

from voiceperf.report.tuning import tuning_markdown
from voiceperf.report.tuning_plot import Panel, draw
from voiceperf.tune.choice import preferred
from voiceperf.tune.explain import importance, in_words
from voiceperf.tune.study import Outcome, keep_outcome, outcome_of
from voiceperf.tune.trial import Importance


@pytest.fixture(scope="module")
def told():
    """A study of sixty trials on the made-up machine."""
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
    searched = search(MadeUp(), study)
    searched.run(Trials(60))
    return study, searched.trials()


def test_words_name_the_choice_and_what_was_rejected(told):
    """The chosen values, the faster setting that lost quality, and how the trials ended are all said."""
    text = "\n".join(in_words(told[0], SPACE, told[1], "speed"))
    assert "speed takes n_threads = 2, flash_attn = True, use_mmap = False" in text
    assert "rejected:" in text
    assert "smollm2-135m-instruct-q4_0" in text
    assert f"{len(told[1])} trials" in text


def test_importance_is_of_all_trials_where_there_are_many(told):
    """Shares that add up to 1, the largest first, over trials of all kinds."""
    found = importance(told[0], SPACE, told[1])
    assert sum(found.weights.values()) == pytest.approx(1, abs=0.02)
    assert list(found.weights.values()) == sorted(found.weights.values(), reverse=True)
    assert found.method == "over all trials"


def test_importance_is_of_single_changes_where_there_are_few():
    """After a few trials a parameter weighs by what it saves alone; what ruins quality or saves nothing does not."""
    few = optuna.create_study()
    searched = search(MadeUp(), few)
    searched.run(Trials(5))
    found = importance(few, SPACE, searched.trials())
    assert found.method == "by what each saves alone"
    assert list(found.weights) == ["n_threads", "use_mmap"]
    assert found.weights["n_threads"] == pytest.approx(np.log(0.8) / (np.log(0.8) + np.log(0.95)))


def test_an_explanation_tells_the_choice_that_was_made():
    """What a session confirmed is told, and what it rejected then, though the search alone would pick another."""
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
    searched = search(MadeUp(), study)
    searched.run(Trials(20))
    trials = searched.trials()
    other = next(trial for trial in trials if trial.feasible and trial != preferred(trials, "speed"))
    assert outcome_of(study, trials, "speed").chosen == preferred(trials, "speed")
    keep_outcome(study, "speed", Outcome(other, ["0.500 of the time, but too many words lost"]))
    text = "\n".join(in_words(study, SPACE, trials, "speed"))
    assert f"speed takes {SPACE.in_words(other.choices)}" in text
    assert "rejected when it was confirmed: 0.500 of the time" in text
    assert outcome_of(study, trials, "quality").chosen == preferred(trials, "quality")


def test_report_has_the_table_the_words_and_the_picture(told):
    """As Markdown: every single change, what was rejected with its loss, and the link to the picture."""
    study, trials = told
    text = tuning_markdown([(SPACE, trials, in_words(study, SPACE, trials, "speed"))], "tune.png")
    assert "(tune.png)" in text
    assert text.count("| 0.80 [0.79, 0.81] |") == 1
    assert "- rejected: " in text
    assert "#### llama" in text


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_picture_is_drawn(told, tmp_path, ending):
    """One row for an engine, in the format that the file's name asks for; without trials it says so."""
    path = tmp_path / f"tune.{ending}"
    study, trials = told
    known = importance(study, SPACE, trials)
    draw([Panel(SPACE, trials, preferred(trials, "speed"), known), Panel(SPACE, [], None, Importance({}, ""))], path)
    start = path.read_bytes()[:5]
    assert start.startswith(b"\x89PNG") if ending == "png" else start.startswith(b"<?xml")
