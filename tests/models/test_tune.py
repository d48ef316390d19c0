"""Tuning on real engines: what it finds in a short time holds, and is found again."""

import os
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import optuna
import pytest

from voiceperf import call, profiles
from voiceperf.engines.kokoro import KokoroParams
from voiceperf.judge.verdict import Verdict
from voiceperf.profiles import Setting
from voiceperf.quality.corpus import CHOOSING, Corpus, Portion
from voiceperf.tune.study import storage_at
from voiceperf.tune.together import Stage
from voiceperf.tune.trial import race
from voiceperf.tune.tuner import Tuner

pytestmark = pytest.mark.models
optuna.logging.set_verbosity(optuna.logging.WARNING)

FIXTURES = Path(__file__).parents[2] / "fixtures"
CALL = call.load(FIXTURES / "calls" / "call61.toml")
MATERIAL = (FIXTURES / "audio" / "manifest.jsonl", FIXTURES / "text" / "conversations.toml")


class Unwatched:
    """Nobody looks."""

    def trying(self, role, what): ...

    def ended(self, role, trial, best): ...


def tuner(storage, hint=None):
    baselines = [profiles.load(name) for name in ("fair", "seed")]
    corpora = tuple(Corpus(*MATERIAL, Portion(step, step), use=CHOOSING) for step in (8, 4))
    shipped = profiles.load("shipped")
    return Tuner(CALL, corpora, baselines, [hint or shipped], shipped, storage=storage_at(storage), prefer="speed")


@pytest.mark.slow
def test_a_short_search_finds_a_faster_setting_that_holds_and_keeps_its_trials(tmp_path):
    """In a short time Kokoro gets surely faster than the baseline, no worse, and bears load beside the other engines.

    A second session starts from there.
    """
    found = tuner(tmp_path).tune(["speaking"], 90, Unwatched())
    kokoro = found.roles["speaking"]
    assert kokoro.chosen is not None
    assert kokoro.against["fair"].high < 1
    assert KokoroParams.parse(kokoro.setting.values)
    assert found.load.verdict is Verdict.PASS, found.load.reason
    assert found.profile["whisper"] == profiles.load("shipped")["whisper"]
    again = tuner(tmp_path).tune(["speaking"], 1, Unwatched())
    assert again.roles["speaking"].trials[: len(kokoro.trials)] == kokoro.trials


@pytest.mark.slow
def test_a_fast_setting_that_ruins_quality_is_not_picked(tmp_path):
    """Planted where the search looks first, weights that are fast and ruin the model are rejected by their figure."""
    ruinous = "smollm2-135m-instruct-q4_0"
    planted = profiles.load("shipped").having("llama", Setting({"model": ruinous, "flash_attn": True}))
    llama = tuner(tmp_path, planted).tune(["thinking"], 60, Unwatched()).roles["thinking"]
    with_it = [trial for trial in llama.trials if trial.choices["model"] == ruinous and not trial.dropped]
    assert with_it
    assert all(trial.high < 1 and trial.verdict == Verdict.FAIL and trial.loss > 1 for trial in with_it)
    assert llama.setting.values.get("model") != ruinous


@pytest.mark.slow
def test_a_killed_session_loses_no_finished_trial(tmp_path):
    """Killed at a random moment and started again, the command goes on from every trial that had ended."""
    script = "from voiceperf.cli import main; main()"
    command = [sys.executable, "-c", script, "tune", "kokoro", "--storage", str(tmp_path)]
    environment = {**os.environ, "VOICEPERF_DATA": str(tmp_path / "data")}

    def finished():
        try:
            storage = storage_at(tmp_path)
            (name,) = optuna.get_all_study_names(storage)
            trials = optuna.load_study(study_name=name, storage=storage).trials
        except (ValueError, KeyError):
            return []
        return [(t.number, t.params, t.user_attrs) for t in trials if t.state.is_finished()]

    first = subprocess.Popen([*command, "--budget", "10m"], env=environment, stderr=subprocess.DEVNULL)
    while len(finished()) < 2 and first.poll() is None:
        time.sleep(0.5)
    time.sleep(random.uniform(0, 8))
    first.kill()
    first.wait()
    kept = finished()
    assert len(kept) >= 2
    done = subprocess.run(
        [*command, "--budget", "1s"], env=environment, capture_output=True, text=True, check=True, timeout=600
    )
    assert "in force on this machine" in done.stderr
    assert [trial for trial in finished() if trial[0] in {number for number, *_ in kept}] == kept


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_known(tmp_path):
    """Interrupted in a trial, it says that every finished one is kept, and puts nothing in force."""
    # what a shell starts in the background ignores Ctrl-C, and so would its children
    script = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    script += "from voiceperf.cli import main; main()"
    command = [sys.executable, "-c", script, "tune", "kokoro", "--storage", str(tmp_path), "--budget", "10m"]
    environment = {**os.environ, "VOICEPERF_DATA": str(tmp_path / "data")}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as session:
        for line in session.stderr:
            if "trial 0" in line:
                session.send_signal(signal.SIGINT)
                break
        told = session.stderr.read()
    assert session.returncode == 130
    assert "every finished trial is kept" in told
    assert not list(tmp_path.glob("data/**/*.toml"))
    (name,) = optuna.get_all_study_names(storage_at(tmp_path))
    assert optuna.load_study(study_name=name, storage=storage_at(tmp_path)).trials[0].state.is_finished()


def test_explaining_what_was_never_tuned_says_how_to_tune(tmp_path):
    """It ends with what to run, and leaves no empty study behind."""
    command = [sys.executable, "-c", "from voiceperf.cli import main; main()", "tune", "llama", "--explain"]
    done = subprocess.run([*command, "--storage", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "run: voiceperf tune thinking" in done.stderr
    assert optuna.get_all_study_names(storage_at(tmp_path)) == []


@pytest.mark.slow
def test_whole_turns_are_played_through_services_of_which_one_is_changed():
    """A long context for whisper is slower as the caller has it; taken over, it is what others are compared with.

    So is speech that waits for the last word: whole turns show what overlapping buys.
    """
    shipped = profiles.load("shipped")
    waiting = Setting({**shipped["kokoro"].values, "by_sentence": False}, shipped["kokoro"].env)
    longer = {**shipped["whisper"].values, "silence_ctx": 0, "audio_ctx": 1024, "retry_ctx": 0}
    slower = shipped.having("whisper", Setting(longer, shipped["whisper"].env))
    with Stage(CALL, shipped) as stage:
        assert race(partial(stage.launch, "speaking", shipped.having("kokoro", waiting)), 10.0).ratio.low > 1
        assert race(partial(stage.launch, "hearing", slower), 10.0).ratio.low > 1
        stage.adopt("hearing", slower)
        assert race(partial(stage.launch, "hearing", shipped), 10.0).ratio.high < 1
