import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf import machine


@pytest.fixture(autouse=True)
def fresh_cache():
    machine.cores.cache_clear()
    yield
    machine.cores.cache_clear()


@pytest.mark.parametrize(("text", "cpus"), [("0-3,8\n", {0, 1, 2, 3, 8}), ("5", {5}), ("", set())])
def test_kernel_list_of_processors_is_read(text, cpus):
    """Ranges and single numbers, as the kernel writes them."""
    assert machine.parse_cpu_list(text) == cpus


@given(st.sets(st.integers(0, 300)))
def test_kernel_list_round_trips(cpus):
    """Any set of processors written one by one is read back."""
    assert machine.parse_cpu_list(",".join(map(str, cpus))) == cpus


def test_apple_cores_are_told_apart(monkeypatch):
    """On an Apple M4 the four performance cores are not mixed with the six efficient ones."""
    answers = {"hw.perflevel0.physicalcpu": 4, "hw.perflevel1.physicalcpu": 6}
    monkeypatch.setattr(machine.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(machine, "_sysctl", answers.__getitem__)
    assert machine.cores() == machine.Cores(performance=4, efficiency=6)


def test_hybrid_x86_cores_are_told_apart(monkeypatch, tmp_path):
    """On a hybrid x86 machine hardware threads of one performance core count once."""
    for name, text in (("performance", "0-15"), ("efficiency", "16-23")):
        (tmp_path / name).write_text(text)
        monkeypatch.setitem(machine._HYBRID_X86, name, str(tmp_path / name))
    monkeypatch.setattr(machine, "_allowed_cpus", lambda: set(range(24)))
    monkeypatch.setattr(machine, "_physical", lambda cpus: len(cpus) // 2)
    assert machine.cores() == machine.Cores(performance=8, efficiency=8)


def test_process_that_may_use_one_core_counts_one(monkeypatch):
    """A container or taskset that leaves one processor is respected."""
    monkeypatch.setattr(machine.platform, "system", lambda: "Linux")
    monkeypatch.setattr(machine, "_allowed_cpus", lambda: {3})
    assert machine.cores().total == 1
