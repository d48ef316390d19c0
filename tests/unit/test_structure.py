"""The house's rules, read off the source."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "voiceperf"
FLOORS = (
    {
        "errors",
        "files",
        "conversation",
        "places",
        "log",
        "mel",
        "gpu",
        "machine",
        "params",
        "audio",
        "lines",
        "loops",
        "vad",
        "roles",
    },
    {"call", "profiles", "models", "project"},
    {"engines", "judge"},
    {"measure", "history"},
    {"live", "newcall", "quality"},
    {"suite"},
    {"tune"},
    {"report"},
    {"pytest_plugin", "cli"},
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted(SOURCE.rglob("*.py"))


def room_of(path):
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("voiceperf"):
            names = [node.module] if node.module != "voiceperf" else [f"voiceperf.{a.name}" for a in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names if alias.name.startswith("voiceperf.")]
        yield from (name.split(".")[1] for name in names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_rooms_import_only_from_below(path):
    """A room takes from lower floors and from itself, never from above; neighbours do not know each other."""
    room = room_of(path)
    if room in {"__init__", "__main__"}:
        return
    for other in set(imported_rooms(path)) - {room, "__version__"}:
        allowed = FLOOR_OF[other] < FLOOR_OF[room] or (FLOOR_OF[room] <= 1 and FLOOR_OF[other] <= 1)
        assert allowed, f"{room} must not import {other}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_only_measuring_reads_a_clock(path):
    """No room but those that measure or apply load imports the time module; log lines are stamped by datetime."""
    imports = {
        alias.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    allowed = {"measure/clock.py", "suite/stability.py"}
    assert "time" not in imports or str(path.relative_to(SOURCE)) in allowed


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_modules_stay_short(path):
    """No module outgrows 300 lines."""
    assert len(path.read_text().splitlines()) <= 300


TESTS = sorted(Path(__file__).parents[1].rglob("test_*.py"))


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(TESTS[0].parents[1])))
def test_every_test_states_its_behaviour(path):
    """Each test function has a docstring."""
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    silent = [f.name for f in functions if f.name.startswith("test_") and not ast.get_docstring(f)]
    assert silent == []


@pytest.mark.parametrize("entry", ["voiceperf.cli", "voiceperf.pytest_plugin", "voiceperf.measure.worker"])
def test_what_takes_long_to_load_waits_until_it_is_asked_for(entry):
    """Help, completion, services and other people's pytest sessions do without statistics, plots and engines."""
    heavy = [
        "scipy.stats",
        "scipy.signal",
        "ruptures",
        "optuna",
        "matplotlib",
        "onnxruntime",
        "llama_cpp",
        "pywhispercpp",
    ]
    program = f"import json, sys, {entry}; print(json.dumps(sorted(set({heavy}) & set(sys.modules))))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == []


ENGINES = re.compile("whisper|llama|kokoro", re.IGNORECASE)
TEXTS_FOR_PEOPLE = ("profiles", "models")  # the catalogue, and which engine plays a role where nothing else is named


def words_of(tree):
    """Every name, and every text that is no sentence."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.keyword(arg=str(word)):
                yield word
            case ast.FunctionDef(name=word) | ast.ClassDef(name=word):
                yield word
            case ast.Constant(value=str(word)) if " " not in word:
                yield word
            case ast.ImportFrom(module=str(module)) if module.startswith("voiceperf."):
                yield module


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_no_room_but_their_own_names_an_engine(path):
    """Outside engines/, code knows roles; only profiles, the catalogue of models and sentences name who plays them."""
    if room_of(path) not in ("engines", *TEXTS_FOR_PEOPLE):
        assert [word for word in words_of(ast.parse(path.read_text())) if ENGINES.search(word)] == []
