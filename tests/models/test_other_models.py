"""Models that share no tokens: the same weights under other token numbers, so that what is right is known."""

import json
import subprocess
import sys

import gguf
import numpy as np
import pytest

from voiceperf.models.store import locate

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With a profile of each of the two models."""
    found = tmp_path_factory.mktemp("models")
    with_other_tokens(locate(MODEL), found / "other.gguf")
    (found / "same.toml").write_text(PROFILE.format(model=MODEL))
    (found / "other.toml").write_text(PROFILE.format(model=found / "other.gguf"))
    return found


def rows(folder, *arguments, codes=(0,)):
    line = [f"{sys.prefix}/bin/voiceperf", *arguments, "--json"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=folder, timeout=900)
    assert "Traceback" not in done.stderr
    assert done.returncode in codes, done.stdout + done.stderr
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
