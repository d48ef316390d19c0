import json

import pytest

from voiceperf.errors import InputError
from voiceperf.history.ledger import Calibration, accept, accepted_path, calibration_of, write_noise
from voiceperf.judge.noise import NOTHING, Noise, Variance

NOISE = Noise(Variance(0.0009, 40.0), Variance(0.0, 12.0), Variance(0.0001, 4.0))


def document(machine="m1", verdict="PASS", series=True, quality=True):
    info = {"workload": "llama", "profile": "fair", "partner": "shipped", "turn": 1, "pairs_wall_ns": [[2, 1]]}
    return {
        "machine_info": {"voiceperf": {"machine_id": machine}} if machine else {},
        "commit_info": {"id": "abc"},
        "benchmarks": [{"name": "a", "fullname": "a", "stats": {"median": 1}, "extra_info": info if series else {}}],
        "voiceperf": {
            "criteria": [
                {
                    "criterion": "c",
                    "baseline": "fair",
                    "verdict": verdict,
                    "reason": "why",
                    "quality_verdict": "PASS",
                    "quality_reason": "fine",
                }
            ]
            if quality
            else []
        },
    }


@pytest.fixture
def storage(tmp_path):
    (tmp_path / "Linux").mkdir()
    return tmp_path


def save(storage, name="0001_abc.json", **changes):
    path = storage / "Linux" / name
    path.write_text(json.dumps(document(**changes)))
    return path


def test_accepted_run_is_found_again(storage):
    """What was accepted on a machine is what its gate compares with, until another one is accepted."""
    first, second = save(storage), save(storage, "0002_def.json")
    accept(storage, first, "today")
    assert accepted_path(storage, "m1") == storage / "Linux" / "0001_abc.json"
    accept(storage, second, "tomorrow")
    assert accepted_path(storage, "m1") == storage / "Linux" / "0002_def.json"


def test_later_run_does_not_become_the_reference(storage):
    """A newer run in the folder changes nothing; only accepting does."""
    accept(storage, save(storage), "today")
    save(storage, "0009_newest.json")
    assert accepted_path(storage, "m1").name == "0001_abc.json"


def test_machines_keep_their_own(storage):
    """Accepting on one machine leaves another's entry alone."""
    accept(storage, save(storage), "today")
    accept(storage, save(storage, "0002_def.json", machine="m2"), "today")
    assert accepted_path(storage, "m1").name == "0001_abc.json"
    assert accepted_path(storage, "m2").name == "0002_def.json"


def test_unknown_machine_has_no_accepted_run(storage, one_line):
    """The error says so, and how to accept one."""
    accept(storage, save(storage), "today")
    with pytest.raises(InputError) as caught:
        accepted_path(storage, "m9")
    one_line(caught.value, "no run is accepted for this machine", "1 other machines", "voiceperf accept")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"machine": None}, "which machine"),
        ({"series": False}, "no benchmark of pairs"),
        ({"quality": False}, "judged no quality"),
        ({"verdict": "FAIL"}, "c against fair: FAIL, why"),
        ({"verdict": "INVALID"}, "INVALID"),
        ({"verdict": "INCONCLUSIVE"}, "INCONCLUSIVE"),
    ],
)
def test_run_that_proves_nothing_is_not_accepted(storage, one_line, changes, said):
    """Without fingerprint, pairs or quality, or with a criterion that did not pass, a run is no reference."""
    with pytest.raises(InputError) as caught:
        accept(storage, save(storage, **changes), "today")
    one_line(caught.value, "not accepted", said)
    assert not (storage / "accepted.json").exists()


def test_run_outside_the_storage_is_not_accepted(storage, tmp_path_factory, one_line):
    """A run that later ones could not find is refused."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "Linux").mkdir()
    with pytest.raises(InputError) as caught:
        accept(storage, save(elsewhere), "today")
    one_line(caught.value, "outside")


def test_changed_or_lost_run_is_noticed(storage, one_line):
    """An accepted run that was edited, or deleted, is not silently compared with."""
    path = save(storage)
    accept(storage, path, "today")
    path.write_text(path.read_text() + " ")
    with pytest.raises(InputError, match="changed since it was accepted"):
        accepted_path(storage, "m1")
    path.unlink()
    with pytest.raises(InputError, match="is gone"):
        accepted_path(storage, "m1")


def calibration(*series, form="short", call="c1"):
    return Calibration(form, call, dict.fromkeys(series, NOISE))


def test_noise_is_kept_by_machine(storage):
    """What calibration writes is what the gate reads; other machines have none."""
    write_noise(storage, {"machine_id": "m1"}, calibration("a"), "today")
    assert calibration_of(storage, "m1").series == {"a": NOISE}
    assert calibration_of(storage, "m2").series == {}


def test_noise_of_other_series_stays(storage):
    """Calibrating another profile adds to what is known; another form or call begins anew."""
    write_noise(storage, {"machine_id": "m1"}, calibration("a"), "today")
    write_noise(storage, {"machine_id": "m1"}, calibration("b"), "today")
    assert set(calibration_of(storage, "m1").series) == {"a", "b"}
    write_noise(storage, {"machine_id": "m1"}, calibration("c", form="full"), "today")
    assert set(calibration_of(storage, "m1").series) == {"c"}


@pytest.mark.parametrize(
    ("form", "call", "fits"), [("short", "c1", True), ("full", "c1", False), ("short", "c2", False)]
)
def test_noise_speaks_only_of_what_it_was_measured_on(form, call, fits):
    """Noise of another form or call is not this run's."""
    assert calibration("a").fits({"form": form, "call": call}) is fits


def test_noise_of_before_processes_stood_apart_is_read(storage):
    """Older calibrations have two spreads; what processes differ by is in that of launches."""
    older = {"launches": 5, "freedom": 4, "pairs": 6, "pair_spread": 0.03, "launch_spread": 0.01, "floor": 0.05}
    (storage / "noise.json").write_text(json.dumps({"m1": {"form": "short", "call": "c", "series": {"a": older}}}))
    (found,) = calibration_of(storage, "m1").series.values()
    assert found == Noise(Variance(pytest.approx(0.0009), 6), NOTHING, Variance(pytest.approx(0.0001), 4))


@pytest.mark.parametrize("entry", ["0001", {}, {"run": "a"}])
def test_damaged_entry_is_an_error(storage, entry):
    """An entry that does not name a run and its checksum is damage, not a missing run."""
    (storage / "accepted.json").write_text(json.dumps({"m1": entry}))
    with pytest.raises(InputError, match=r"accepted\.json.*damaged"):
        accepted_path(storage, "m1")


HALF = '{"m1": {"series": {"a": {"floor": 1}}}}'
NO_NUMBER = '{"m1": {"form": "", "call": "", "series": {"a": {"pair": {"value": "x", "freedom": 1}}}}}'


@pytest.mark.parametrize("content", ["{", "[]", HALF, NO_NUMBER])
def test_damaged_ledger_is_an_error_and_is_not_overwritten(storage, content):
    """A ledger that cannot be read is named; nothing replaces it."""
    (storage / "noise.json").write_text(content)
    with pytest.raises(InputError, match=r"noise\.json.*damaged"):
        calibration_of(storage, "m1")
    if content not in (HALF, NO_NUMBER):
        with pytest.raises(InputError, match="damaged"):
            write_noise(storage, {"machine_id": "m1"}, calibration("a"), "today")
        assert (storage / "noise.json").read_text() == content


def test_noise_of_before_has_todays_names(tmp_path):
    """Noise that was kept under former names of workloads and of the shipped profile counts for today's series."""
    path = write_noise(
        tmp_path, {"machine_id": "m1"}, Calibration("full", "c", {"llama: tuned / fair": NOISE}), "today"
    )
    entries = json.loads(path.read_text())
    assert list(calibration_of(tmp_path, "m1").series) == ["thinking: tuned / fair"]
    del entries["m1"]["format"]
    path.write_text(json.dumps(entries))
    assert list(calibration_of(tmp_path, "m1").series) == ["thinking: shipped / fair"]
