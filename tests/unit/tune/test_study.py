"""Where trials are kept: what a damaged journal says."""

import optuna
import pytest

from voiceperf.errors import InputError
from voiceperf.tune.study import JOURNAL, storage_at


@pytest.mark.parametrize("garbage", [b"garbage", b"[" * 100_000, b"\xff"], ids=["text", "nested", "bytes"])
def test_a_damaged_line_of_the_journal_is_named(tmp_path, one_line, garbage):
    """Garbage between what trials have written is an error that names the file and the line, and nothing is lost."""
    study = optuna.create_study(storage=storage_at(tmp_path), study_name="s")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    path = tmp_path / JOURNAL
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = b"".join([*lines[:3], garbage + b"\n", *lines[3:]])
    path.write_bytes(damaged)
    with pytest.raises(InputError) as caught:
        storage_at(tmp_path)
    one_line(caught.value, JOURNAL, "line 4 damaged", "delete that line")
    assert path.read_bytes() == damaged
    path.write_bytes(b"".join(lines))
    assert len(optuna.load_study(storage=storage_at(tmp_path), study_name="s").trials) == 2


def test_a_journal_that_cannot_be_opened_is_named(tmp_path, one_line):
    """A folder in its place is an error in one line."""
    (tmp_path / JOURNAL).mkdir()
    with pytest.raises(InputError) as caught:
        storage_at(tmp_path)
    one_line(caught.value, JOURNAL, "cannot be opened")
