"""A user's own models through every command: the same weights under other token numbers, and in 4 bit K-quants.

So what is right is known.
"""

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

import gguf
import llama_cpp
import numpy as np
import optuna
import pytest

from voiceperf import places
from voiceperf.models.store import locate
from voiceperf.tune.study import storage_at

pytestmark = [pytest.mark.models, pytest.mark.slow]

MODEL = "smollm2-135m-instruct-q8_0"
KEPT = 300  # tokens at both ends keep their numbers: control tokens and single bytes
PROFILE = '[llama]\nmodel = "{model}"\nflash_attn = true\ntemperature = 0.0\n'


def with_other_tokens(source, target):
    """The same model, most of whose tokens have other numbers."""
    reader = gguf.GGUFReader(source)
    count = len(reader.fields["tokenizer.ggml.tokens"].contents())
    order = np.r_[0:KEPT, count - KEPT - 1 : KEPT - 1 : -1, count - KEPT : count]
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == "general.architecture":
            continue
        value, kind = field.contents(), field.types[0]
        if name in ("tokenizer.ggml.tokens", "tokenizer.ggml.token_type"):
            value = [value[number] for number in order]
        writer.add_key_value(name, value, kind, field.types[-1] if kind is gguf.GGUFValueType.ARRAY else None)
    for tensor in reader.tensors:
        data = tensor.data[order] if tensor.name == "token_embd.weight" else tensor.data
        writer.add_tensor(tensor.name, data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def in_k_quants(source, target):
    """The same model in the mix that most people download: llama.cpp's Q4_K_M."""
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.allow_requantize = llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_K_M, True
    assert llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(params)) == 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With a profile of each of the models, and a cache of its own that has the catalogue's."""
    found = tmp_path_factory.mktemp("models")
    with_other_tokens(locate(MODEL), found / "other.gguf")
    in_k_quants(locate(MODEL), found / "k.gguf")
    (found / "same.toml").write_text(PROFILE.format(model=MODEL))
    for name in ("other", "k"):
        (found / f"{name}.toml").write_text(PROFILE.format(model=found / f"{name}.gguf"))
    models = found / "cache" / "models"
    models.mkdir(parents=True)
    for file in filter(Path.is_file, (places.cache_dir() / "models").iterdir()):
        (models / file.name).symlink_to(file)
    return found


def run(folder, program, *arguments, codes=(0,), cwd=None):
    line = [f"{sys.prefix}/bin/{program}", *map(str, arguments)]
    own = {"VOICEPERF_CACHE": str(folder / "cache"), "VOICEPERF_DATA": str(folder / "data")}
    done = subprocess.run(
        line, capture_output=True, text=True, check=False, cwd=cwd or folder, timeout=900, env=os.environ | own
    )
    assert "Traceback" not in done.stderr
    assert done.returncode in codes, done.stdout + done.stderr
    return done


def rows(folder, *arguments, codes=(0,), cwd=None):
    done = run(folder, "voiceperf", *arguments, "--json", codes=codes, cwd=cwd)
    return [json.loads(text) for text in done.stdout.splitlines() if text.startswith("{")]


def test_they_say_the_same(folder):
    """The numbers of the tokens are nobody's business."""
    said = [
        rows(folder, "reply", "When do you open?", "--profile", name)[0]["text"] for name in ("same.toml", "other.toml")
    ]
    assert said[0] == said[1]


def test_they_are_compared_by_their_answers(folder):
    """Equal answers pass, with an equal speed; nothing is said of tokens."""
    sides = ("--baseline", "same.toml", "--candidate", "other.toml")
    (row,) = rows(folder, "compare", "thinking", *sides, codes=(0, 11))
    assert "answers, related +0.000" in row["quality"].replace("-0.000", "+0.000")
    assert "KLD" not in row["quality"]


def test_a_model_that_lost_its_bits_is_told_by_its_tokens(folder):
    """Of one vocabulary, the distributions still decide."""
    (folder / "worse.toml").write_text(PROFILE.format(model="smollm2-135m-instruct-q4_0"))
    sides = ("--baseline", "same.toml", "--candidate", "worse.toml")
    (row,) = rows(folder, "compare", "thinking", *sides, codes=(10,))
    assert "KL" in row["reason"]


@pytest.mark.parametrize(
    ("name", "codes", "measure"), [("other", (0, 11), "answers, related"), ("k", (0, 10, 11), "KLD")]
)
def test_their_quality_is_judged_by_what_can_be_compared(folder, name, codes, measure):
    """Another vocabulary by its answers, the same one by its distributions; worse only where bits were lost."""
    sides = ("--baseline", "same.toml", "--candidate", f"{name}.toml")
    (row,) = rows(folder, "quality", "thinking", *sides, codes=codes)
    assert measure in row["quality"]


@pytest.mark.parametrize("name", ["other", "k"])
def test_they_are_tuned_in_quantisations_of_themselves(folder, name):
    """The search ends well, and what it tries is the user's own model, as it is or in fewer bits."""
    storage = folder / f"tuned-{name}"
    rows(folder, "tune", "thinking", "--baseline", f"{name}.toml", "--budget", "40s", "--storage", storage)
    models = {str(trial["model"]) for study in optuna_trials(storage) for trial in study if "model" in trial}
    assert models
    assert all(Path(model).stem.split("-")[0] == name for model in models)


@pytest.mark.parametrize("name", ["other", "k"])
def test_the_suite_judges_them(folder, name):
    """Beside the same settings under the catalogue's own file: every row has a verdict or a reason why it has none."""
    options = ("--voiceperf-candidate", f"{name}.toml", "--voiceperf-baseline", "same.toml", "-p", "no:cacheprovider")
    chosen = ("-k", "(test_turn and turn_1 and thinking) or (test_criterion and thinking)")
    done = run(folder, "pytest", "--voiceperf-call=call61", *options, *chosen, codes=(0, 1))
    assert "INVALID" not in done.stdout
    assert "thinking" in done.stdout


@pytest.mark.parametrize("name", ["other", "k"])
def test_the_gate_finds_nothing_where_nothing_changed(folder, name, tmp_path):
    """A repository with the profile in it, beside itself: no slower and no worse, or it cannot be told."""
    (tmp_path / "mine.toml").write_text((folder / f"{name}.toml").read_text())
    identity = ["-c", "user.name=n", "-c", "user.email=e"]
    for command in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "a"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    asked = ("gate", "HEAD", "--profile", "mine.toml", "--only", "thinking")
    (thinking, *_) = rows(folder, *asked, codes=(0, 11), cwd=tmp_path)
    assert thinking["verdict"] in ("PASS", "INCONCLUSIVE")


def optuna_trials(storage):
    """What each study has tried."""
    kept = storage_at(storage)
    for study in optuna.get_all_study_names(kept):
        yield [trial.params for trial in optuna.load_study(study_name=study, storage=kept).trials]
