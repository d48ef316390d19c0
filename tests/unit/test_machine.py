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


def cgroup(root, membership, files):
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "self" / "cgroup").write_text(membership)
    for name, text in files.items():
        path = root / "sys" / "fs" / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("membership", "files", "quota"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/a/b\n", {"a/cpu.max": "100000 100000\n", "a/b/cpu.max": "max 100000\n"}, 1.0),
        ("0::/a/b\n", {"a/cpu.max": "400000 100000\n", "a/b/cpu.max": "200000 100000\n"}, 2.0),
        ("3:cpu,cpuacct:/d\n", {"cpu/d/cpu.cfs_quota_us": "50000\n", "cpu/d/cpu.cfs_period_us": "100000\n"}, 0.5),
        (
            "3:cpu,cpuacct:/\n",
            {"cpu,cpuacct/cpu.cfs_quota_us": "-1\n", "cpu,cpuacct/cpu.cfs_period_us": "100000\n"},
            None,
        ),
        ("0::/\n", {"cpu.max": "nonsense\n"}, None),
        ("0::/\n", {}, None),
        ("", {}, None),
    ],
    ids=["v2", "v2 without", "v2 above", "v2 nested", "v1", "v1 without", "damaged", "no file", "no group"],
)
def test_a_containers_quota_is_read(tmp_path, membership, files, quota):
    """Of cgroup v2 and v1, the least on the way to the root."""
    assert machine.cpu_quota(cgroup(tmp_path, membership, files)) == quota


def test_a_system_without_cgroups_has_no_quota(tmp_path):
    """MacOS and Windows have no such files."""
    assert machine.cpu_quota(tmp_path) is None


@pytest.mark.parametrize(
    ("quota", "cores"), [(None, (4, 2)), (9.0, (4, 2)), (5.5, (4, 1)), (2.9, (2, 0)), (1.0, (1, 0)), (0.3, (1, 0))]
)
def test_threads_follow_the_quota(monkeypatch, quota, cores):
    """Never more cores than whole ones of the quota, and one at least."""
    monkeypatch.setattr(machine, "_open_cores", lambda: machine.Cores(4, 2))
    monkeypatch.setattr(machine, "cpu_quota", lambda: quota)
    assert machine.cores() == machine.Cores(*cores)


def test_a_kernel_upgrade_is_no_other_machine(monkeypatch):
    """The release is a fact that is said, and no part of the machine's name; facts by older versions agree."""
    monkeypatch.setattr(machine, "processor", lambda: ("Test CPU", ("avx2",)))
    before = machine.hardware()
    monkeypatch.setattr(machine.platform, "release", lambda: "9.9-other")
    after = machine.hardware()
    assert before != after
    assert machine.identity(before) == machine.identity(after)
    old = {name: value for name, value in before.items() if name != "kernel"}
    system, architecture = before["system"].split()
    assert machine.identity({**old, "system": f"{system} 6.1.0-rc1 {architecture}"}) == machine.identity(before)
    assert machine.identity({"cpu": "x"}) is None


def test_the_kernel_and_the_library_tell_the_same_processor(monkeypatch):
    """What /proc/cpuinfo says, in no time, is what py-cpuinfo finds by asking other programs."""
    told = machine._told_by_linux()
    if told is None:
        pytest.skip("no /proc/cpuinfo with a model's name")
    monkeypatch.setattr(machine, "_told_by_linux", lambda: None)
    brand, flags = machine.processor.__wrapped__()
    assert told[0] == brand
    assert {flag for flag in machine._KERNEL_FLAGS if flag in told[1]} == set(flags) & set(machine._KERNEL_FLAGS)
    assert set(told[1]) <= set(flags)
