"""`voiceperf profile`: where each value is from, and what two profiles differ in."""

import json
import sys

import pytest

from voiceperf import profiles
from voiceperf.cli import main


@pytest.fixture
def voiceperf(tmp_path, monkeypatch, capsys):
    """Run a command on a machine that has AVX-512 VNNI, in a folder with a profile of one's own."""
    monkeypatch.setattr(profiles.machine, "processor", lambda: ("any", ("avx512_vnni",)))
    profiles._say_overridden.cache_clear()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(
        "[llama]\nmodel = 'a'\nn_threads = 3\n[llama.env]\nA = 'b'\n[llama.linux]\nn_threads = 2\n"
        "[llama.linux.avx512_vnni]\nmodel = 'b'\n[llama.linux.neon]\nn_threads = 9\n"
    )

    def run(*arguments):
        monkeypatch.setattr(profiles.sys, "platform", "linux")
        monkeypatch.setattr(sys, "argv", ["voiceperf", "profile", *arguments])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = ended.code or 0
        return code, *capsys.readouterr()

    return run


def test_each_value_comes_with_the_table_that_it_is_from(voiceperf):
    """The section of this processor, of this system, the engine's own, or the default."""
    _, out, _ = voiceperf("show", "mine.toml", "--json")
    values = [json.loads(line) for line in out.splitlines()][1]["values"]
    assert values["model"] == {"value": "b", "from": "llama.linux.avx512_vnni"}
    assert values["n_threads"] == {"value": 2, "from": "llama.linux"}
    assert values["env.A"] == {"value": "b", "from": "llama.env"}
    assert values["flash_attn"]["from"] == "default"
    _, table, _ = voiceperf("show", "mine.toml")
    assert "llama.linux.avx512_vnni" in table


def test_a_value_that_has_no_effect_is_said(voiceperf):
    """Who edits a value that a section of this machine sets too learns it; what a section agrees with is no news."""
    _, _, said = voiceperf("show", "mine.toml")
    assert "mine.toml: llama.model = 'a' has no effect on this machine, because [llama.linux.avx512_vnni] sets" in said
    assert "llama.n_threads = 3 has no effect" in said
    assert len(said.splitlines()) == 2


def test_shipped_profiles_are_silent(voiceperf):
    """Their sections are meant so."""
    assert voiceperf("show", "shipped", "--json")[2] == ""


def test_two_profiles_differ_in_what_they_come_to(voiceperf, tmp_path):
    """Only values that differ here are shown, defaults included; of the same there is nothing to show."""
    (tmp_path / "plain.toml").write_text("[llama]\nmodel = 'b'\nn_threads = 2\nflash_attn = true\n")
    _, out, _ = voiceperf("diff", "mine.toml", "plain.toml", "--json")
    rows = {row["parameter"]: (row["before"], row["after"]) for row in map(json.loads, out.splitlines())}
    assert rows == {"flash_attn": (False, True), "env.A": ("b", None)}
    code, out, said = voiceperf("diff", "mine.toml", "mine.toml")
    assert (code, out) == (0, "")
    assert "the same" in said


def test_another_engine_is_the_difference(voiceperf, tmp_path):
    """Where a role is played by another engine, that is said and not its parameters."""
    (tmp_path / "other.toml").write_text('[roles]\nthinking = "kokoro"\n')
    _, out, _ = voiceperf("diff", "shipped", "other.toml", "--json")
    wanted = {"role": "thinking", "parameter": "engine", "before": "llama", "after": "kokoro"}
    assert wanted in map(json.loads, out.splitlines())
