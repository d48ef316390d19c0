"""Whatever a file can be, a command ends in one line with a documented exit code, and leaves nothing half written."""

import contextlib
import copy
import io
import json
import math
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voiceperf import cli
from voiceperf.errors import ServiceError, WorkerError

ROOT = Path(__file__).parents[3]
DOCUMENTED = {0, 1, 2, 3, 4, 5, 10, 11, 12}
CLIP = (ROOT / "fixtures" / "calls" / "call61_4.wav").read_bytes()
SAVED = json.loads(sorted((ROOT / ".benchmarks").glob("*/0009_*.json"))[0].read_text())
SAVED["benchmarks"] = SAVED["benchmarks"][:2]  # as long as it must be, so that a change hits something
CALL = {
    "name": "n",
    "system_prompt": "Be brief.",
    "greeting": "Hello.",
    "voice": "af_heart",
    "turn": [{"chunk": "clip.wav", "transcript": "Hi.", "reply": "Hello."}],
}
RECORDING = {"file": "clip.wav", "text": "hi abby", "speaker": "a", "kind": "command", "seconds": 1.2}
TALK = {"use": "evaluation", "system": "s", "turns": [["Hi.", "Hello.", "hello"], ["Bye.", "Bye."]]}
SERVED = {"roles": {"thinking": "openai_thinking"}, "openai_thinking": {"url": "http://127.0.0.1:9/v1", "model": "m"}}
PROFILE = {"summary": "s", "whisper": {"n_threads": 2, "env": {"A": "b"}, "linux": {"idle_spins": 1}}, "origin": {}}

ODD_VALUES = st.one_of(
    st.sampled_from(
        [None, True, "", "x" * 300, -1, 0, 10**30, 1e308, math.nan, math.inf, -math.inf, [], {}, [[]], "\0"]
    ),
    st.text(max_size=5),
    st.integers(),
)


def places(document, path=()):
    """Every place of a nested document."""
    yield path
    items = (
        document.items() if isinstance(document, dict) else enumerate(document if isinstance(document, list) else ())
    )
    for key, value in items:
        yield from places(value, (*path, key))


@st.composite
def changed(draw, document):
    """A document with some places holding something else, or nothing."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from([path for path in places(document) if path] or [("a",)]))
        with contextlib.suppress(KeyError, IndexError, TypeError, AttributeError):
            inner = document
            for key in above:
                inner = inner[key]
            if draw(st.booleans()):
                inner[last] = copy.deepcopy(draw(ODD_VALUES))  # the next change may be within
            else:
                del inner[last]
    return document


def as_toml(document):
    try:
        return tomli_w.dumps(document).encode()
    except (TypeError, ValueError, AttributeError):  # TOML knows no null
        return repr(document).encode()


def as_json(document):
    return json.dumps(document).encode()


DAMAGED = st.one_of(
    st.just(b""),
    st.binary(max_size=60),
    st.just("naïve café".encode("latin-1")),
    st.just("name = 'é'".encode("utf-16")),
    st.just(b"[" * 100_000),
    st.just(b'{"a":' * 50_000),
    st.just(b"a = " + b"9" * 5000),
    st.just(b"9" * 5000),
    st.just(b"\xef\xbb\xbf{}"),
    st.just(b"NaN"),
    st.just(b"\0" * 100),
    st.just(None),  # a folder
)


@st.composite
def cut_or_flipped(draw, content):
    """Bytes that break off, or of which some are others."""
    content = bytearray(content[: draw(st.integers(0, len(content)))])
    for _ in range(draw(st.integers(0, 4))):
        if content:
            content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(content)


SOUND = DAMAGED | cut_or_flipped(CLIP)
CALL_FILE = DAMAGED | changed(CALL).map(as_toml) | cut_or_flipped(as_toml(CALL))
PROFILE_FILE = DAMAGED | changed(PROFILE).map(as_toml) | cut_or_flipped(as_toml(PROFILE)) | changed(SERVED).map(as_toml)
TALKS = DAMAGED | changed({"conversation": [TALK]}).map(as_toml) | cut_or_flipped(as_toml({"conversation": [TALK]}))
MANIFEST = DAMAGED | changed(RECORDING).map(as_json) | cut_or_flipped(as_json(RECORDING))
RUN = DAMAGED | changed(SAVED).map(as_json) | cut_or_flipped(as_json(SAVED))
LEDGER = DAMAGED | changed({"m": {"run": "a", "sha256": "b", "series": {}}}).map(as_json)
JOURNAL = DAMAGED | st.lists(st.binary(max_size=30), max_size=3).map(b"\n".join)
PROJECT_FILE = DAMAGED | changed({"tool": {"voiceperf": {"call": "a", "baselines": ["fair"]}}}).map(as_toml)
RUN_PATH = ".benchmarks/Linux/0001_a.json"

COMMANDS = {
    "sound.wav": (SOUND, [["transcribe", "sound.wav"], ["call", "new", "made", "--from", "sound.wav"]]),
    "m.jsonl": (MANIFEST, [["transcribe", "--manifest", "m.jsonl"], ["quality", "--manifest", "m.jsonl"]]),
    "p.toml": (
        PROFILE_FILE,
        [
            ["transcribe", "clip.wav", "--profile", "p.toml"],
            ["speak", "hi", "--profile", "p.toml"],
            ["serve", "llama", "--profile", "p.toml"],
            ["compare", "--baseline", "p.toml"],
            ["replay", "--profile", "p.toml"],
            ["settle", "--profile", "p.toml"],
            ["profile", "show", "p.toml"],
            ["export", "p.toml", "--to", "env"],
            ["export", "p.toml", "--to", "llama-cpp-python"],
            ["profile", "diff", "shipped", "p.toml"],
        ],
    ),
    "talks.toml": (
        TALKS,
        [
            [*name, "--conversations", "talks.toml"]
            for name in (["quality"], ["compare", "--baseline", "fair"], ["settle"])
        ],
    ),
    "texts.txt": (DAMAGED, [["quality", "--texts", "texts.txt"], ["tune", "--explain", "--texts", "texts.txt"]]),
    "pyproject.toml": (PROJECT_FILE, [["parameters", "kokoro"], ["compare", "--baseline", "fair"]]),
    "call.toml": (
        CALL_FILE,
        [
            [*name, "--call", "call.toml"]
            for name in (["compare", "--baseline", "fair"], ["settle"], ["soak"], ["replay"])
        ]
        + [["replay", "--call", "."], ["tune", "--explain", "--call", "call.toml"]],
    ),
    RUN_PATH: (
        RUN,
        [
            ["history"],
            ["history", "--json"],
            ["history", "--markdown"],
            ["history", "--changed"],
            ["history", "turn"],
            ["history", "--export", "bencher"],
            ["history", "--export", "openmetrics"],
            ["accept"],
            ["accept", "0001"],
            ["compare", "0001", "0001"],
            ["compare", RUN_PATH, RUN_PATH],
            ["report", "0001", "--markdown", "r.md"],
            ["report"],
        ],
    ),
    ".benchmarks/accepted.json": (LEDGER, [["accept", "0002"], ["history"]]),
    ".benchmarks/noise.json": (LEDGER, [["compare", "0002", "0003"]]),
    ".benchmarks/tune.journal": (JOURNAL, [["tune", "--explain"], ["report", "0002"]]),
}
CASES = st.sampled_from([*COMMANDS]).flatmap(
    lambda name: st.tuples(st.just(name), COMMANDS[name][0], st.sampled_from(COMMANDS[name][1]))
)


def refuse_engines(*arguments, **options):
    raise WorkerError("this test starts no engine")


def refuse_services(*arguments, **options):
    raise ServiceError("this test starts no service")


@pytest.fixture(autouse=True)
def no_engines(monkeypatch, tmp_path):
    """Nothing that a command would start is started, and nothing of this machine is read or changed."""
    monkeypatch.setenv("VOICEPERF_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("voiceperf.measure.process.WorkerProcess.__init__", refuse_engines)
    monkeypatch.setattr("voiceperf.live.processes.ServicesOfProfile.__init__", refuse_services)
    monkeypatch.setattr("voiceperf.measure.fingerprint.file_sha256", lambda path: "0" * 64)
    monkeypatch.setattr("voiceperf.measure.fingerprint.locate", Path)


def run(arguments):
    """A command in this process: its exit code, and what it said."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    before, sys.argv = sys.argv, ["voiceperf", *arguments]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                cli.main()
                code = 0
            except SystemExit as ended:
                code = ended.code or 0
            out.flush()
            err.flush()
            said = err.buffer.getvalue().decode()
    finally:
        sys.argv = before
    return code, said


def check(case):
    """One file of some content, one command that reads it."""
    name, content, arguments = case
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("clip.wav").write_bytes(CLIP)
        Path(".benchmarks/Linux").mkdir(parents=True)
        for number in (2, 3):
            Path(f".benchmarks/Linux/000{number}_a.json").write_text(json.dumps(SAVED))
        path = Path(name)
        path.mkdir() if content is None else path.write_bytes(content)
        code, said = run(arguments)
        assert code in DOCUMENTED, (code, said)
        assert "Traceback" not in said
        if code in (2, 3, 4, 5):
            last = said.strip().splitlines()[-1]
            assert last.startswith("voiceperf:") or "Usage:" in said, said
        assert not list(Path().rglob("*.part"))
        assert content is None or path.read_bytes() == content or name.endswith("accepted.json")


QUIET = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=250, derandomize=True, **QUIET)
@given(CASES)
def test_no_file_makes_a_command_break(case):
    """Empty, cut, flipped, nested, in another encoding, with numbers that are none: an exit code and one line."""
    check(case)


@pytest.mark.slow
@settings(max_examples=10_000, **QUIET)
@given(CASES)
def test_ten_thousand_files_make_no_command_break(case):
    """The same, often enough to find what is rare."""
    check(case)


@pytest.mark.parametrize(
    "arguments",
    [
        ["speak", "hi", "--out", "/proc/x.wav"],
        ["speak", "hi", "--out", "folder"],
        ["speak", "hi", "--out", "gone/x.wav"],
        ["report", "0001", "--out", "/proc/x.html"],
        ["report", "0001", "--markdown", "folder"],
        ["report", "0001", "--picture", "/proc/x.png"],
        ["compare", "--baseline", "fair", "--markdown", "/proc/x.md"],
        ["replay", "--plot", "/proc/x.svg"],
        ["tune", "--explain", "--markdown", "/proc/x.md"],
        ["call", "new", "/proc/made", "--from", "clip.wav"],
    ],
    ids=" ".join,
)
def test_an_output_that_cannot_be_written_is_said_before_the_work(arguments, tmp_path):
    """A folder, a file system that takes nothing: one line that names the path, and no part of a file."""
    (tmp_path / "folder").mkdir()
    (tmp_path / ".benchmarks" / "Linux").mkdir(parents=True)
    (tmp_path / ".benchmarks" / "Linux" / "0001_a.json").write_text(json.dumps(SAVED))
    (tmp_path / "clip.wav").write_bytes(CLIP)
    with contextlib.chdir(tmp_path):
        code, said = run(arguments)
    assert code == 2, said
    (line,) = [line for line in said.splitlines() if line.startswith("voiceperf:")]
    assert Path(next(word for word in arguments if "/" in word or word == "folder")).name in line
    assert "engine" not in line  # nothing was begun
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("arguments", [["reply"], ["speak"], ["reply", "hi", "--system"]])
def test_text_in_another_encoding_is_one_line(arguments, tmp_path):
    """A word typed in Latin-1 is refused with the remedy, as what it is: bad input."""
    with contextlib.chdir(tmp_path):
        code, said = run([*arguments, "caf\udce9"])
    assert code == 2
    assert "'caf\\\\udce9' is not UTF-8" in said


def test_files_with_names_in_another_encoding_work(tmp_path):
    """A path with a byte that is no UTF-8 is opened as any other, and shown with the byte escaped."""
    with contextlib.chdir(tmp_path):
        shutil.copy(ROOT / "fixtures" / "calls" / "call61_4.wav", "caf\udce9.wav")
        code, said = run(["transcribe", "caf\udce9.wav"])
        assert (code, said.strip().splitlines()[-1]) == (4, "voiceperf: this test starts no engine")
        code, said = run(["transcribe", "gone\udce9.wav"])
    assert code == 2
    assert "gone\\udce9.wav: no such file" in said
