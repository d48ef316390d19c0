"""The search on a made-up machine: what it measures, what it drops, what it never picks, and that nothing is lost."""

import multiprocessing
import os
import platform
import subprocess
import sys
from itertools import count

import optuna
import psutil
import pytest
from optuna.trial import TrialState
from tests.unit.tune.made_up import RUINOUS, SPACE, MadeUp, Trials, search

from voiceperf.engines.llama import LlamaParams
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.quality.gate import Quality
from voiceperf.tune.choice import frontier, preferred
from voiceperf.tune.study import storage_at
from voiceperf.tune.trial import ALONE, TOGETHER, Raced


def test_every_change_is_tried_alone_first():
    """Each single change is a trial of its own, in order, before anything else."""
    made_up = MadeUp()
    searched = search(made_up)
    searched.run(Trials(5))
    assert [trial.stage for trial in searched.trials()] == [ALONE] * 5
    own = {name: values[0] for name, values in SPACE.values.items()}
    differing = [[name for name in own if getattr(params, name) != own[name]] for params in made_up.raced]
    assert differing == [["n_threads"], ["n_threads"], ["flash_attn"], ["use_mmap"], ["model"]]


def test_single_changes_leave_time_for_combinations():
    """Where time is short, combinations come before the last single changes, which follow later."""
    searched = search(MadeUp())
    searched.run(Trials(20, 3))
    stages = [trial.stage for trial in searched.trials()]
    assert stages[:3] == [ALONE] * 3
    assert TOGETHER in stages[3:5]
    assert stages.count(ALONE) == 5


def test_the_best_combination_is_found():
    """A change that pays only together with another is found, and beats the best single changes."""
    searched = search(MadeUp())
    searched.run(Trials(60))
    best = searched.best()
    assert (best.choices["n_threads"], best.choices["flash_attn"], best.choices["use_mmap"]) == (2, True, False)
    assert best.stage == TOGETHER


def test_a_fast_setting_that_ruins_quality_is_never_picked():
    """However much faster, a setting that fails its quality is neither best nor on the frontier."""
    searched = search(MadeUp())
    searched.run(Trials(60))
    ruinous = [trial for trial in searched.trials() if trial.choices["model"] == RUINOUS]
    assert ruinous
    assert all(trial.verdict == "FAIL" for trial in ruinous if not trial.dropped)
    assert searched.best().choices["model"] != RUINOUS
    assert all(trial.choices["model"] != RUINOUS for trial in frontier(searched.trials()))


def test_quality_is_measured_only_where_speed_matters():
    """What is slower than the best so far, or not faster by 2%, is never judged."""
    made_up = MadeUp()
    search(made_up).run(Trials(5))
    assert [params.n_threads for params in made_up.judged] == [2, 4, 4]
    assert len(made_up.judged) < len(made_up.raced)


def test_a_hint_is_tried_before_all_else():
    """On a machine that has time for one trial alone, a setting that holds elsewhere is that one."""
    hint = LlamaParams(n_threads=2, flash_attn=True, use_mmap=False)
    searched = search(MadeUp(), hints=[hint])
    searched.run(Trials(1))
    assert searched.best().choices == {name: getattr(hint, name) for name in SPACE.values}


def test_changes_that_a_hint_has_come_first():
    """Where time is short, what pays elsewhere is tried before the rest."""
    made_up = MadeUp()
    search(made_up, hints=[LlamaParams(n_threads=2, use_mmap=False)]).run(Trials(3))
    assert [(params.n_threads, params.use_mmap) for params in made_up.raced[1:]] == [(2, True), (4, False)]


def test_a_change_that_holds_within_a_hint_is_not_judged_alone():
    """Its quality is known with the rest, which leaves time for more; another one's is judged, and they combine."""
    made_up = MadeUp()
    hint = LlamaParams(n_threads=4, use_mmap=False, flash_attn=True)
    searched = search(made_up, hints=[hint])
    searched.run(Trials(7, alone=6))
    alone = {SPACE.in_words(trial.choices): trial.verdict for trial in searched.trials() if trial.stage == ALONE}
    assert alone["use_mmap = False"] == ""
    assert alone["n_threads = 2"] == "PASS"
    combined = searched.trials()[-1]
    assert SPACE.in_words(combined.choices) == "n_threads = 2, use_mmap = False"


def test_the_best_is_tried_without_each_of_its_parts():
    """A hint that holds elsewhere may carry a part that does harm here: without it, it is found to be faster."""
    searched = search(MadeUp(), hints=[LlamaParams(n_threads=2, flash_attn=True)])
    searched.run(Trials(3, alone=0))
    assert [trial.stage for trial in searched.trials()] == [TOGETHER] * 3
    best = searched.best().choices
    assert (best["n_threads"], best["flash_attn"]) == (2, False)


def test_a_hint_from_outside_the_space_is_passed_over():
    """A value that this machine cannot try makes the hint no trial."""
    searched = search(MadeUp(), hints=[LlamaParams(n_threads=32)])
    searched.run(Trials(10))
    assert {trial.choices["n_threads"] for trial in searched.trials()} <= {1, 2, 4}


def test_what_does_not_run_is_kept_with_its_reason():
    """A candidate that dies is a failed trial, is never best, and the search goes on."""
    made_up = MadeUp()
    made_up.measure = lambda params, bar, stage: Raced(None, failure="killed by SIGSEGV")
    searched = search(made_up)
    searched.run(Trials(3))
    assert [trial.reason for trial in searched.trials()] == ["killed by SIGSEGV"] * 3
    assert searched.best() is None


def dead_process():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    "gone",
    [
        [platform.node(), dead_process(), 0.0],
        [platform.node(), os.getpid(), psutil.Process().create_time() - 60],
        [platform.node(), dead_process()],
    ],
    ids=["no such process", "another one has its number", "kept without its beginning"],
)
def test_a_trial_whose_process_is_gone_is_measured_again(gone):
    """A process that was killed in a trial leaves it unfinished; on its machine the next one takes it up at once."""
    study = optuna.create_study()
    made_up = MadeUp()

    def killed(params, bar, stage):
        raise Killed

    made_up.measure = killed
    with pytest.raises(Killed):
        search(made_up, study).run(Trials(1))
    again = MadeUp()
    search(again, study).run(Trials(1))
    assert again.raced[0].n_threads == 2  # ours: this process lives, so the trial is still someone's
    left = study.trials[0]
    study._storage.set_trial_user_attr(left._trial_id, "by", gone)
    search(again, study).run(Trials(1))
    assert again.raced[1].n_threads == 1


class Killed(BaseException):
    """What ends a process in the middle of a trial."""


def test_a_killed_search_goes_on_where_it_was(tmp_path):
    """Started again on the same storage, every finished trial is there and none of them is measured again."""
    first, second, numbers = MadeUp(), MadeUp(), count()

    def until_killed(params, bar, stage):
        if next(numbers) == 4:
            raise Killed
        return MadeUp.measure(first, params, bar, stage)

    def study():
        return optuna.create_study(storage=storage_at(tmp_path), study_name="s", load_if_exists=True)

    first.measure = until_killed
    with pytest.raises(Killed):
        search(first, study()).run(Trials(20))
    again = search(second, study())
    kept = again.trials()
    assert len(kept) == 4
    again.run(Trials(20))
    assert again.trials()[:4] == kept
    alone = [trial.choices for trial in again.trials() if trial.stage == ALONE]
    assert all(alone.count(choices) == 1 for choices in alone)


def _work(folder, url, results):
    made_up = MadeUp()
    study = optuna.create_study(storage=storage_at(folder, url), study_name="shared", load_if_exists=True)
    search(made_up, study).run(Trials(8))
    results.put(len(made_up.raced))


@pytest.mark.parametrize("database", [None, "sqlite:///{}/tune.db"], ids=["journal", "database"])
def test_two_processes_share_one_study(tmp_path, database):
    """Both take trials from one study, no single change is measured twice, and each sees the other's."""
    url = database and database.format(tmp_path)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    optuna.create_study(storage=storage_at(tmp_path, url), study_name="shared")
    workers = [context.Process(target=_work, args=(tmp_path, url, results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    done = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    study = optuna.load_study(storage=storage_at(tmp_path, url), study_name="shared")
    finished = [trial for trial in study.trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    assert len(finished) == sum(done)
    alone = [tuple(sorted(trial.params.items())) for trial in finished if trial.user_attrs["stage"] == ALONE]
    assert len(alone) == len(set(alone))


def test_a_database_keeps_trials_as_the_journal_does(tmp_path):
    """A study in a database is gone on with where it was."""
    url = f"sqlite:///{tmp_path}/tune.db"
    for trials in (3, 6):
        study = optuna.create_study(storage=storage_at(tmp_path, url), study_name="s", load_if_exists=True)
        search(MadeUp(), study).run(Trials(trials - len(study.trials)))
        assert len(search(MadeUp(), study).trials()) == trials


def test_a_trial_that_has_begun_but_has_no_values_yet_is_not_begun_again(tmp_path):
    """Two processes plan one change; the second asks before the first has written what it measures."""
    study = optuna.create_study(storage=storage_at(tmp_path), study_name="shared")
    made_up = MadeUp()
    searched = search(made_up, study)
    change = {name: values[0] for name, values in SPACE.values.items()} | {"n_threads": 1}
    by = [platform.node(), os.getpid(), psutil.Process().create_time()]
    for _ in range(2):
        study.enqueue_trial(change, user_attrs={"stage": ALONE, "by": by})
    study.ask()  # the other process's, whose parameters are suggested later
    searched.run(Trials(1))
    assert not [params for params in made_up.raced if params.n_threads == 1]


def test_preferences_pick_from_the_frontier():
    """Speed takes the fastest feasible point, quality the one that loses least, and all are on the frontier."""
    searched = search(MadeUp())
    searched.run(Trials(40))
    points = frontier(searched.trials())
    assert preferred(searched.trials(), "speed") == points[0]
    assert preferred(searched.trials(), "quality") == points[-1]
    assert preferred(searched.trials(), "balanced") in points
    assert preferred([], "speed") is None


@pytest.mark.parametrize(("prefer", "loses_nothing"), [("speed", False), ("balanced", False), ("quality", True)])
def test_the_search_goes_where_the_preference_does(prefer, loses_nothing):
    """Where quality is preferred, what is slower than the fastest and loses less is raced to its end and judged."""
    lossy = LlamaParams(n_threads=2, use_mmap=False, flash_attn=True)
    kind = LlamaParams(n_threads=2)
    made_up = MadeUp()

    def judge(params):
        loss = 0.5 if params.flash_attn else 0.0
        return Quality(Finding(Verdict.PASS, "made up"), "made up", loss)

    made_up.judge = judge
    searched = search(made_up, hints=[lossy, kind], prefer=prefer)
    searched.run(Trials(2))
    assert searched.best().choices["flash_attn"] is not loses_nothing
    assert searched.trials()[1].dropped is (prefer == "speed")


@pytest.mark.parametrize(("loss", "is_kept"), [(0.4, True), (10.0, False)])
def test_what_most_likely_ruins_quality_is_not_what_others_must_beat(loss, is_kept):
    """A few loops leave a word error rate too uncertain for the gate to be sure; the search does not go on from it."""
    made_up = MadeUp()
    made_up.judge = lambda params: Quality(Finding(Verdict.INCONCLUSIVE, "-2 to 32 points"), "made up", loss)
    searched = search(made_up, hints=[LlamaParams(n_threads=2)])
    searched.run(Trials(1))
    assert (searched.best() is not None) is is_kept
    assert searched.trials()[0].verdict == ("INCONCLUSIVE" if is_kept else "FAIL")
