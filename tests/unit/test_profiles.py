import pytest

from voiceperf import profiles
from voiceperf.engines import llama, whisper  # noqa: F401  # loaded while the system is the real one
from voiceperf.errors import InputError, ParameterError
from voiceperf.measure.contender import of_profile
from voiceperf.profiles import Profile, Setting
from voiceperf.roles import ROLES


def test_shipped_profiles_are_named():
    """The package brings the two baselines and the shipped profile."""
    assert {"seed", "fair", "shipped"} <= set(profiles.shipped())


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", profiles.shipped())
def test_every_shipped_value_is_valid(name, role):
    """Each engine accepts what each shipped profile says of it, and plays the role that it is asked to."""
    profile = profiles.load(name)
    assert of_profile(profile, role).role == role
    assert of_profile(profile, role).engine == profile.engine_of(role)


def test_fair_is_seed_with_this_machines_threads():
    """The two baselines differ in nothing that changes a result."""
    for role in ROLES:
        seed, fair = (of_profile(profiles.load(name), role).params for name in ("seed", "fair"))
        assert seed.outcome() == fair.outcome()


def test_user_file_is_read_by_path(tmp_path):
    """A user's own profile brings values and environment variables."""
    path = tmp_path / "mine.toml"
    path.write_text('summary = "mine"\n[whisper]\nn_threads = 3\n[whisper.env]\nOMP_WAIT_POLICY = "passive"\n')
    contender = of_profile(profiles.load(str(path)), "whisper")
    assert (contender.name, contender.params.n_threads) == ("mine", 3)
    assert contender.env == {"OMP_WAIT_POLICY": "passive"}


@pytest.mark.parametrize(("system", "threads"), [("linux", 2), ("darwin", 4)])
def test_values_of_one_system_stay_there(tmp_path, monkeypatch, system, threads):
    """What a profile says for Linux alone is not asked of a Mac."""
    monkeypatch.setattr(profiles.sys, "platform", system)
    path = tmp_path / "mine.toml"
    path.write_text("[whisper]\nn_threads = 4\n[whisper.linux]\nn_threads = 2\n")
    assert of_profile(profiles.load(str(path)), "whisper").params.n_threads == threads


@pytest.mark.parametrize(
    ("system", "features", "expected"),
    [("linux", ("avx2", "avx512_vnni"), 8), ("linux", ("avx2",), 2), ("darwin", ("avx512_vnni",), 4)],
)
def test_values_of_one_processor_stay_there(tmp_path, monkeypatch, system, features, expected):
    """What a profile says for a feature of the processor stands over its system's values, and only where both are."""
    monkeypatch.setattr(profiles.sys, "platform", system)
    monkeypatch.setattr(profiles.machine, "processor", lambda: ("any", features))
    path = tmp_path / "mine.toml"
    path.write_text(
        "[whisper]\nn_threads = 4\n[whisper.linux]\nn_threads = 2\n[whisper.linux.avx512_vnni]\nn_threads = 8\n"
    )
    assert of_profile(profiles.load(str(path)), "whisper").params.n_threads == expected


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_the_shipped_one_can_be_started_on_every_system(monkeypatch, system):
    """The shipped profile asks of a system only what works there."""
    monkeypatch.setattr(profiles.sys, "platform", system)
    params = of_profile(profiles.load("shipped"), "llama").params
    assert params.static_split == (system == "linux")


def test_another_source_has_its_own_profiles(tmp_path):
    """What another revision ships under a name is read from there; a user's own file is the same for both."""
    shipped = tmp_path / "voiceperf" / "profiles"
    shipped.mkdir(parents=True)
    (shipped / "shipped.toml").write_text("[whisper]\naudio_ctx = 768\n")
    assert profiles.load("shipped", str(tmp_path))["whisper"].values == {"audio_ctx": 768}
    assert profiles.load(str(shipped / "shipped.toml"), str(tmp_path))["whisper"].values == {"audio_ctx": 768}
    with pytest.raises(InputError, match="ships none"):
        profiles.load("fair", str(tmp_path))


def test_process_is_told_only_what_the_profile_names(tmp_path):
    """Defaults are the worker's own: another revision may have others, or not know the parameter at all."""
    path = tmp_path / "mine.toml"
    path.write_text("[whisper]\nn_threads = 3\n")
    assert of_profile(profiles.load(str(path)), "whisper", {"audio_ctx": 512}).values() == {
        "n_threads": 3,
        "audio_ctx": 512,
    }


def test_environment_is_part_of_the_outcome(tmp_path):
    """Two contenders whose processes see other variables are not taken to hear alike: a library may be among them."""
    path = tmp_path / "mine.toml"
    path.write_text('[whisper.env]\nLD_PRELOAD = "other.so"\n')
    plain = of_profile(profiles.load("fair"), "whisper")
    assert plain.outcome() == of_profile(profiles.load("seed"), "whisper").outcome()
    assert of_profile(profiles.load(str(path)), "whisper").outcome() != plain.outcome()


BROKEN = ["[whisper", "whisper = 1", "[whisper.env]\nA = 1", "[whisper]\nlinux = 3"]


@pytest.mark.parametrize("text", BROKEN)
def test_broken_profile_is_named(tmp_path, text, one_line):
    """A file that is no profile is refused by its path."""
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        profiles.load(str(path))
    one_line(caught.value, "bad.toml")


def test_a_former_name_still_works_and_says_so(capsys):
    """What scripts call by a name of former times is the same profile, with a line on stderr."""
    assert profiles.load("tuned") == profiles.load("shipped")
    assert capsys.readouterr().err == "profile 'tuned' is called 'shipped' now\n"


def test_an_older_source_has_it_under_its_former_name(tmp_path):
    """A revision from before the renaming ships the same profile under the name of its time."""
    folder = tmp_path / "voiceperf" / "profiles"
    folder.mkdir(parents=True)
    (folder / "tuned.toml").write_text("[whisper]\naudio_ctx = 768\n")
    assert profiles.load("shipped", str(tmp_path))["whisper"].values == {"audio_ctx": 768}


def test_unknown_profile_lists_the_known(one_line):
    """A name that is neither a file nor shipped is answered with those there are."""
    with pytest.raises(InputError) as caught:
        profiles.load("fastest")
    one_line(caught.value, "fastest", "fair", "seed", "shipped")


def test_unknown_engine_lists_the_known(one_line):
    """An engine that does not exist is answered with those there are."""
    with pytest.raises(ParameterError) as caught:
        of_profile(profiles.load("seed"), "espeak")
    one_line(caught.value, "espeak", "kokoro, llama, ")


def test_a_profile_says_which_engine_plays_a_role(tmp_path):
    """[roles] names another engine; its section is the role's setting, and survives being saved."""
    path = tmp_path / "mine.toml"
    path.write_text('[roles]\nspeaking = "fake"\n[fake]\nwork = 7\n[whisper]\nn_threads = 1\n')
    for profile in (profiles.load(str(path)), saved_again(profiles.load(str(path)), tmp_path)):
        contender = of_profile(profile, "speaking")
        assert (contender.engine, contender.params.work) == ("fake", 7)
        assert of_profile(profile, "hearing").params.n_threads == 1


def saved_again(profile, folder):
    profiles.save(profile, folder / "again.toml")
    return profiles.load(str(folder / "again.toml"))


def test_a_role_may_be_played_as_in_another_profile():
    """The other profile's engine and its setting come over; what it played before stays with its engine."""
    before = Profile("a", "", {"kokoro": Setting({"speed": 1.2})})
    other = Profile("b", "", {"fake": Setting({"work": 3})}, players={"speaking": "fake"})
    after = before.playing("speaking", other)
    assert (after.engine_of("speaking"), after["speaking"].values) == ("fake", {"work": 3})
    assert after.playing("speaking", before)["speaking"].values == {"speed": 1.2}


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ("hearing = 3", "must name engines"),
        ('listening = "whisper"', "no role listening"),
    ],
)
def test_a_table_of_roles_that_is_none_is_refused(tmp_path, one_line, roles, said):
    """A role that nobody knows, or an engine that is no name, is named with the file."""
    path = tmp_path / "mine.toml"
    path.write_text(f"[roles]\n{roles}\n")
    with pytest.raises(InputError) as caught:
        profiles.load(str(path))
    one_line(caught.value, "mine.toml", said)


@pytest.mark.parametrize(
    ("engine", "said"), [("llama", "llama plays thinking, not hearing"), ("nobody", "no engine 'nobody'")]
)
def test_an_engine_that_cannot_play_the_role_is_refused(engine, said, one_line):
    """An engine of another role, or one that no package brings, is named."""
    with pytest.raises(ParameterError) as caught:
        of_profile(Profile("mine", "", {}, players={"hearing": engine}), "hearing")
    one_line(caught.value, said)


@pytest.mark.parametrize("line", ['A = "x\\u0000y"', '"A=B" = "1"', '"" = "1"', '"1A" = "1"'])
def test_an_environment_that_no_process_can_have_is_refused(tmp_path, line, one_line):
    """A null character, or a name that is none, before a process is started."""
    (tmp_path / "mine.toml").write_text(f"[whisper.env]\n{line}\n")
    with pytest.raises(InputError) as caught:
        profiles.load(str(tmp_path / "mine.toml"))
    one_line(caught.value, "mine.toml", "whisper.env")


@pytest.mark.parametrize("built", [True, False])
def test_values_for_cuda_count_where_an_engine_is_built_for_it(tmp_path, monkeypatch, built):
    """For each engine whose build computes on the GPU, over its processor's section, wherever it is in the file."""
    monkeypatch.setattr(profiles.sys, "platform", "linux")
    monkeypatch.setattr(profiles.gpu, "is_built_for", lambda engine: built and engine == "llama")
    path = tmp_path / "mine.toml"
    monkeypatch.setattr(profiles.machine, "processor", lambda: ("any", ("avx2",)))
    path.write_text(
        "[llama.linux.cuda]\nn_gpu_layers = -1\n[llama.linux.avx2]\nn_gpu_layers = 0\n"
        "[whisper.linux.cuda]\nuse_gpu = true\n"
    )
    found = profiles.load(str(path))
    assert found["llama"].values == {"n_gpu_layers": -1 if built else 0}
    assert found["whisper"].values == {}


@pytest.mark.parametrize("name", ["shipped", "upstream"])
def test_what_ships_hears_on_the_gpu_that_its_engines_are_built_for(monkeypatch, name):
    """It alone was judged to be faster and no worse there (docs/FINDINGS.md); the rest stays as without a GPU."""
    monkeypatch.setattr(profiles.sys, "platform", "linux")
    monkeypatch.setattr(profiles.machine, "processor", lambda: ("any", ("avx512_vnni",)))
    monkeypatch.setattr(profiles.gpu, "is_built_for", lambda _: True)
    found = profiles.load(name)
    hears, thinks, speaks = (of_profile(found, role).params for role in profiles.PLAYERS)
    assert (hears.use_gpu, hears.vnni_kernels, hears.silence_ctx) == (True, False, 0)
    assert (thinks.n_gpu_layers, speaks.providers) == (0, ("CPUExecutionProvider",))


@pytest.mark.parametrize(("system", "gpu", "layers"), [("darwin", True, -1), ("linux", False, 0)])
def test_shipped_uses_metal_on_a_mac_alone(monkeypatch, system, gpu, layers):
    """There the engines' builds have it by default."""
    monkeypatch.setattr(profiles.sys, "platform", system)
    monkeypatch.setattr(profiles.gpu, "is_built_for", lambda _: False)
    shipped = profiles.load("shipped")
    assert shipped["whisper"].values.get("use_gpu", False) is gpu
    assert shipped["llama"].values.get("n_gpu_layers", 0) == layers
