"""Tuning on real engines: what it finds in a short time holds, and is found again."""

from pathlib import Path

import optuna
import pytest

from voiceperf import call, profiles
from voiceperf.engines.kokoro import KokoroParams
from voiceperf.suite.quality_gate import Corpus
from voiceperf.tune.study import storage_at
from voiceperf.tune.tuner import Tuner

pytestmark = pytest.mark.models
optuna.logging.set_verbosity(optuna.logging.WARNING)

FIXTURES = Path(__file__).parents[2] / "fixtures"
CALL = call.load(FIXTURES / "calls" / "call61.toml")
MATERIAL = (FIXTURES / "audio" / "manifest.jsonl", FIXTURES / "text" / "conversations.toml")


def tuner(storage):
    baselines = [profiles.load(name) for name in ("fair", "seed")]
    corpora = (Corpus(*MATERIAL, 16), Corpus(*MATERIAL, 8))
    shipped = profiles.load("tuned")
    return Tuner(CALL, corpora, baselines, [shipped], shipped, storage=storage_at(storage), prefer="speed")


def test_a_short_search_finds_a_faster_setting_that_holds_and_keeps_its_trials(tmp_path):
    """In a short time Kokoro gets surely faster than the baseline and no worse; a second session starts from there."""
    seen = []
    found = tuner(tmp_path).tune(["kokoro"], 90, lambda engine, trial, best: seen.append(trial))
    kokoro = found.engines["kokoro"]
    assert kokoro.chosen is not None
    assert kokoro.against["fair"].high < 1
    assert KokoroParams.parse(kokoro.setting.values)
    assert found.profile["whisper"] == profiles.load("fair")["whisper"]
    again = tuner(tmp_path).tune(["kokoro"], 1, lambda engine, trial, best: None)
    assert again.engines["kokoro"].trials[: len(kokoro.trials)] == kokoro.trials
