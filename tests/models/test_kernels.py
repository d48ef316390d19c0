"""voiceperf's kernels inside the real engines: as many operations are theirs as the model has.

Whoever switches them off by stealth, or breaks their way into ggml, fails here.
"""

from collections import Counter
from pathlib import Path

import gguf
import pytest

from voiceperf import profiles
from voiceperf.audio import read_speech
from voiceperf.cli.doctor import _facts
from voiceperf.engines.base import Prompt, Utterance
from voiceperf.engines.preload import ENCODER_KERNELS
from voiceperf.measure.contender import of_profile
from voiceperf.measure.process import WorkerProcess
from voiceperf.measure.resources import usage_between
from voiceperf.models.store import locate

pytestmark = [
    pytest.mark.models,
    pytest.mark.skipif(ENCODER_KERNELS.unavailable() is not None, reason=str(ENCODER_KERNELS.unavailable())),
]

SPEECH = Path(__file__).parents[2] / "fixtures" / "audio" / "flac" / "jfk_d001.flac"
LAYERS = 6  # of the encoder and of the decoder of whisper base


def computed(worker, request):
    """What one run of a request adds to the counts: (ours, the library's) by operation."""
    worker.once(request)  # whatever is done once has been done
    before = worker.resources()
    worker.once(request)
    kernels = usage_between(before, worker.resources()).kernels
    return {one.operation: (one.ours, one.theirs) for one in kernels}


def of_profiles(engine, **changes):
    return WorkerProcess(of_profile(profiles.load("shipped"), engine, changes))


@pytest.mark.parametrize("kind", ["q4_1", "q8_0"])
def test_every_product_of_a_reply_is_ours(kind):
    """A token more is one product more with each matrix of the file, none of them the library's."""
    model = f"smollm2-135m-instruct-{kind}"
    matrices = [tensor for tensor in gguf.GGUFReader(locate(model)).tensors if min(tensor.shape[:2]) > 1]
    by_type = Counter(tensor.tensor_type.name.lower() for tensor in matrices if len(tensor.shape) > 1)
    messages = ({"role": "user", "content": "When do you open?"},)
    with of_profiles("llama", model=model) as worker:
        short, long = (computed(worker, Prompt(messages, n_tokens)) for n_tokens in (4, 9))
    for name, count in by_type.items():
        (ours, theirs), (more, still) = (found[f"product of {name}"] for found in (short, long))
        assert (more - ours, theirs, still) == (5 * count, 0, 0), name


def test_of_a_type_that_is_not_ours_all_is_the_librarys():
    """Weights in Q4_0 are never taken for others; the output matrix, in Q8_0, is ours all the same."""
    with of_profiles("llama", model="smollm2-135m-instruct-q4_0") as worker:
        found = computed(worker, Prompt(({"role": "user", "content": "When do you open?"},), 4))
    assert found.get("product of q4_0", (0, 0))[0] == 0


def test_whispers_layers_are_ours():
    """Of each layer of the encoder the attention, and every product and activation of both halves."""
    with of_profiles("whisper") as worker:
        found = computed(worker, Utterance(read_speech(SPEECH)))
    attended, by_library = found["attention"]
    assert (attended % LAYERS, by_library) == (0, 0)
    assert attended > 0
    assert found["product of q8_0"][1] == 0
    assert found["activation"][1] == 0
    encodings, tokens = attended // LAYERS, found["activation"][0] // LAYERS - attended // LAYERS
    of_encoder, of_decoder = 6 * LAYERS + 2 * LAYERS, 8 * LAYERS + 1  # with the keys and values of what is heard
    assert found["product of q8_0"][0] == encodings * of_encoder + tokens * of_decoder


def test_without_the_setting_nothing_is_counted():
    """A profile that does not ask for them reports none."""
    with of_profiles("llama", vnni_kernels=False, static_split=False) as worker:
        assert computed(worker, Prompt(({"role": "user", "content": "Hello."},), 2)) == {}


def test_the_doctor_tries_each_engine_and_counts():
    """Under the shipped profile all three run, and of two of them it says how many operations are ours."""
    facts = _facts()
    assert all(row["available"] for row in facts["runs"].values())
    assert "product of q8_0" in facts["runs"]["hearing"]["text"]
    assert "product of q4_1" in facts["runs"]["thinking"]["text"]
