import importlib
import json

import pytest

from voiceperf.cli import main
from voiceperf.history.ledger import Calibration, calibration_of, write_noise
from voiceperf.judge.noise import Noise, Variance

NOISE = Noise(Variance(0.0025, 40.0), Variance(0.0, 12.0), Variance(0.0001, 2.0))
HERE = {"machine_id": "m1"}


@pytest.fixture
def calibrate(tmp_path, monkeypatch, capsys):
    """Run `voiceperf calibrate` where every measurement yields the same noise for llama."""
    command = importlib.import_module("voiceperf.cli.calibrate")
    monkeypatch.setattr(command, "fingerprint", lambda contenders: HERE)
    monkeypatch.setattr(command, "measure", lambda plan, chosen, launches, step: {"thinking: shipped / fair": NOISE})

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["voiceperf", "calibrate", "--storage", str(tmp_path), *arguments])
        try:
            main()
        except SystemExit as ended:
            return ended.code or 0, capsys.readouterr()
        return 0, capsys.readouterr()

    return run


def test_noise_is_kept_and_printed(calibrate, tmp_path):
    """What was measured is in the storage, and printed as objects where asked for."""
    code, printed = calibrate("thinking", "--json")
    assert code == 0
    assert json.loads(printed.out)["launch"] == {"value": 0.0001, "freedom": 2.0}
    assert calibration_of(tmp_path, "m1").series == {"thinking: shipped / fair": NOISE}


def test_one_workload_does_not_cost_the_others(calibrate, tmp_path):
    """A single workload in another form than the noise already there is refused, and these stay."""
    write_noise(tmp_path, HERE, Calibration("full", "c" * 64, {"hearing: shipped / fair": NOISE}), "today")
    code, printed = calibrate("thinking")
    assert code == 2
    assert "full form" in printed.err
    assert set(calibration_of(tmp_path, "m1").series) == {"hearing: shipped / fair"}
