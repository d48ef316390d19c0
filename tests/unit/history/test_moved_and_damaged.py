"""Saved runs as they come: files that have moved, times that are none, machines under older names."""

import copy
import json
from pathlib import Path

import pytest

from voiceperf.history import ledger
from voiceperf.history.runs import read_all, read_run
from voiceperf.history.trend import trends

STORAGE = Path(__file__).parents[3] / ".benchmarks"
SAVED = sorted((STORAGE / "Linux-CPython-3.11-64bit").glob("0009_*.json"))[0]


@pytest.fixture
def storage(tmp_path):
    """A folder of runs, and a way to save the latest committed one with a change."""
    (tmp_path / "Linux").mkdir()
    document = json.loads(SAVED.read_text())

    def save(number, change=lambda document: None):
        changed = copy.deepcopy(document)
        changed["datetime"] = f"2026-11-2{number}T00:00:00"
        change(changed)
        (tmp_path / "Linux" / f"000{number}_a.json").write_text(json.dumps(changed))

    return tmp_path, save


def test_a_benchmark_whose_file_has_moved_is_one_trend(storage):
    """The same work under another path in a later run goes on."""
    folder, save = storage

    def move(document):
        for one in document["benchmarks"]:
            one["fullname"] = one["fullname"].replace("tests/perf", "bench")

    save(1)
    save(2, move)
    found = trends(read_all(folder)[0], "turn_1-shipped-thinking]")
    assert [len(trend.points) for trend in found] == [2]
    assert found[0].benchmark == "thinking: shipped, turn 1"


def test_two_files_with_one_name_stay_apart(storage):
    """Where a run holds a name twice, the files tell the benchmarks apart."""
    folder, save = storage

    def twice(document):
        other = copy.deepcopy(document["benchmarks"][0])
        other["fullname"] = "other/test_call.py::" + other["name"]
        document["benchmarks"].append(other)

    save(1, twice)
    save(2, twice)
    runs, _ = read_all(folder)
    assert [len(trend.points) for trend in trends(runs, runs[0].benchmarks[0].name)] == [2, 2]


@pytest.mark.parametrize("median", [float("nan"), float("inf"), 0.0, -1.0])
def test_a_median_that_is_no_time_is_named_and_left_out(storage, median):
    """The file and the benchmark are said; every other benchmark is there."""
    folder, save = storage

    def damage(document):
        document["benchmarks"][0]["stats"]["median"] = median

    save(1, damage)
    (run,), (problem,) = read_all(folder)
    whole = read_run(SAVED)
    assert len(run.benchmarks) == len(whole.benchmarks) - 1
    assert "0001_a.json" in problem
    assert whole.benchmarks[0].fullname in problem


def test_an_accepted_run_outlives_a_kernel_upgrade(storage):
    """A run that was accepted under a name with the kernel's release in it is found by the name without."""
    folder, save = storage
    save(1)
    run = ledger.accept(folder, folder / "Linux" / "0001_a.json", "today")
    entries = json.loads((folder / ledger.ACCEPTED).read_text())
    (folder / ledger.ACCEPTED).write_text(json.dumps({"81bc6a6bd746": entries[run.machine_id]}))
    assert run.machine_id != "81bc6a6bd746"
    assert ledger.accepted_path(folder, run.machine_id).name == "0001_a.json"


@pytest.mark.parametrize("old_name", ["000000000000", "ffffffffffff"])
def test_the_latest_acceptance_counts(storage, old_name):
    """Beside an entry under an older name, whichever is sorted first, the run that was accepted last is the one."""
    folder, save = storage
    save(1)
    save(2)
    run = ledger.accept(folder, folder / "Linux" / "0001_a.json", "2026-11-26")
    entries = json.loads((folder / ledger.ACCEPTED).read_text())
    (folder / ledger.ACCEPTED).write_text(json.dumps({old_name: entries[run.machine_id]}))
    ledger.accept(folder, folder / "Linux" / "0002_a.json", "2026-11-27")
    assert ledger.accepted_path(folder, run.machine_id).name == "0002_a.json"


def test_noise_outlives_a_kernel_upgrade():
    """The calibration that is committed here is found by its machine's name without the kernel's release."""
    (entry,) = json.loads((STORAGE / ledger.NOISE).read_text()).values()
    run = next(run for run in read_all(STORAGE)[0] if run.source.startswith("0006"))
    assert ledger.calibration_of(STORAGE, run.machine_id).form == entry["form"]


def test_a_new_kernel_is_said_where_runs_are_compared(storage):
    """Runs of one machine on two kernels compare, and the change is named."""
    from voiceperf.history.compare import compare_runs

    folder, save = storage
    save(1)
    save(2, lambda document: document["machine_info"]["voiceperf"].update(system="Linux 9.9-other x86_64"))
    before, after = read_all(folder)[0]
    assert before.machine_id == after.machine_id
    assert any(change.startswith("kernel ") for change in compare_runs(before, after, folder).changed)


@pytest.mark.parametrize(
    "damage",
    [
        lambda record: record["criteria"][0].pop("verdict"),
        lambda record: record["criteria"][0].pop("reason"),
        lambda record: record["criteria"][0].update(criterion=["a", "list"]),
        lambda record: record.update(criteria=[7]),
        lambda record: record.update(control_s="soon"),
        lambda record: record.update(control_s=-1.0),
        lambda record: record.update(settings=[]),
        lambda record: record.update(form=[]),
    ],
)
def test_a_record_that_lacks_what_others_rely_on_is_no_run(storage, damage):
    """A criterion without its verdict, or a control that took no time, is named with the file where it is read."""
    folder, save = storage
    save(1, lambda document: damage(document["voiceperf"]))
    runs, problems = read_all(folder)
    assert runs == []
    assert "0001_a.json: not a run of pytest-benchmark" in problems[0]


@pytest.mark.parametrize(
    "damage",
    [
        lambda document: document["machine_info"]["voiceperf"].update(libraries=[]),
        lambda document: document["benchmarks"][0]["extra_info"].update(pairs_wall_ns=[]),
    ],
)
def test_a_run_whose_facts_are_of_another_kind_is_left_out(storage, damage):
    """It is named, and takes nothing from the runs beside it."""
    folder, save = storage
    save(1)
    save(2, damage)
    runs, problems = read_all(folder)
    assert len(runs) == 1
    assert "0002_a.json" in problems[0]
