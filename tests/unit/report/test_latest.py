"""Which run a report is of where none is named."""

from voiceperf.cli import report
from voiceperf.history.runs import read_run, run_files


def test_a_report_is_of_this_machines_latest_run(request, monkeypatch, capsys):
    """A checkout brings runs of other machines along, whose numbers may be higher."""
    storage = request.config.rootpath / ".benchmarks"
    first, *_, last = run_files(storage)
    for mine in (first, last):
        own = read_run(mine).machine_id
        monkeypatch.setattr(report, "machine_id", lambda own=own: own)
        assert read_run(report._latest(storage)).machine_id == own
    assert capsys.readouterr().err == ""


def test_where_none_is_of_this_machine_it_says_whose_it_is(request, monkeypatch, capsys):
    """The run that was numbered last is shown all the same."""
    storage = request.config.rootpath / ".benchmarks"
    monkeypatch.setattr(report, "machine_id", lambda: "another")
    last = run_files(storage)[-1]
    assert report._latest(storage) == last
    assert f"{last.name} is another's" in capsys.readouterr().err
