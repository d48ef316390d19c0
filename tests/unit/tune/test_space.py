"""What there is to try on which machine: threads by cores, values by what build and processor can do."""

import pytest

from voiceperf import machine
from voiceperf.engines import kokoro, llama, whisper
from voiceperf.engines.kokoro import KokoroParams
from voiceperf.engines.llama import LlamaParams
from voiceperf.engines.whisper import WhisperParams
from voiceperf.errors import ModelError, ParameterError
from voiceperf.machine import Cores
from voiceperf.tune import space as spaces
from voiceperf.tune.space import space_around, thread_counts

MODULES = {"whisper": whisper, "llama": llama, "kokoro": kokoro}


@pytest.fixture
def on(monkeypatch):
    """A machine made of cores, of what its builds lack, and of the models it has."""

    def make(cores, lacking=(), models=None):
        monkeypatch.setattr(machine, "cores", lambda: cores)
        for module in MODULES.values():
            monkeypatch.setattr(
                module,
                "missing",
                lambda params: {
                    name: f"no {name} here"
                    for name in lacking
                    if hasattr(params, name) and getattr(params, name) != getattr(type(params)(), name)
                },
            )

        def locate(name):
            if models is not None and name not in models:
                raise ModelError(f"{name}: pull it")

        monkeypatch.setattr(spaces, "locate", locate)

    return make


def test_apple_m4_has_its_performance_cores_and_its_gpu(on):
    """Four performance and six efficiency cores: up to four threads; the GPU, but nothing made for x86."""
    on(Cores(4, 6), lacking=("vnni_kernels", "static_split"))
    space = space_around(LlamaParams(n_threads=0))
    assert space.values["n_threads"] == (0, 1, 2)
    assert space.values["n_gpu_layers"] == (0, -1)
    assert {"vnni_kernels", "static_split"} & set(space.values) == set()
    assert space.left_out == {
        "vnni_kernels = True": "no vnni_kernels here",
        "static_split = True": "no static_split here",
    }
    assert space_around(KokoroParams()).values["intra_op_threads"] == (0, 1, 2)


def test_hybrid_x86_with_16_cores_has_up_to_eight_threads(on):
    """Eight performance and eight efficiency cores: no more than eight threads, no GPU, but our own kernels."""
    on(Cores(8, 8), lacking=("n_gpu_layers", "use_gpu"))
    space = space_around(LlamaParams(n_threads=0))
    assert space.values["n_threads"] == (0, 1, 2, 4, 6)
    assert space.values["vnni_kernels"] == (False, True)
    assert "n_gpu_layers" not in space.values
    assert "use_gpu = True" in space_around(WhisperParams()).left_out


@pytest.mark.parametrize(
    ("cores", "own", "counts"),
    [(1, 1, ()), (2, 2, (1,)), (6, 6, (1, 2, 4)), (12, 12, (1, 2, 4, 6, 8, 10)), (5, 2, (1, 4, 5)), (2, 4, (1, 2))],
)
def test_threads_never_exceed_the_performance_cores(cores, own, counts):
    """The plan's counts as far as the cores go, the cores themselves, and not what the baseline has anyway."""
    assert thread_counts(cores, own) == counts


def test_a_model_that_is_not_here_is_left_out_with_the_remedy(on):
    """Weights that were not pulled are named, not tried."""
    on(Cores(2, 0), models={"whisper-base-f16"})
    space = space_around(WhisperParams())
    assert "model" not in space.values
    assert space.left_out["model = whisper-base-q8_0"] == "whisper-base-q8_0: pull it"


def test_another_model_is_no_choice(on, monkeypatch):
    """Who runs a model of his own is offered settings, and its weights in fewer bits; never another model."""
    on(Cores(2, 0), models={"whisper-base-f16", "whisper-base-q8_0", "mine/whisper-small.bin"})
    assert "model" not in space_around(WhisperParams(model="mine/whisper-small.bin")).values
    assert "model" in space_around(WhisperParams()).values
    own, smaller = "mine/big.gguf", "cache/big-q4_0.gguf"
    on(Cores(2, 0), models={own, smaller})
    monkeypatch.setattr(LlamaParams, "other_weights", lambda params, making: [smaller])
    assert space_around(LlamaParams(model=own)).values["model"] == (own, smaller)


def test_a_single_change_differs_in_one_value(on):
    """Every value that is not the starting point's comes once, alone."""
    on(Cores(4, 0))
    space = space_around(WhisperParams())
    changes = list(space.single_changes())
    assert all(len(change) == 1 for change in changes)
    assert len(changes) == sum(len(values) - 1 for values in space.values.values())
    assert {"audio_ctx": 512} in changes


def test_values_that_exclude_one_another_are_no_candidate(on):
    """A combination that its engine refuses is None, and any other is the starting point with these values."""
    on(Cores(2, 0))
    space = space_around(WhisperParams(n_threads=2))
    assert space.at({"audio_ctx": 1024, "retry_ctx": 1024}) is None
    assert space.at({"audio_ctx": 512, "retry_ctx": 1024}) == WhisperParams(n_threads=2, audio_ctx=512, retry_ctx=1024)
    with pytest.raises(ParameterError):
        WhisperParams(audio_ctx=1024, retry_ctx=1024)


def test_what_can_be_judged_only_beside_others_is_kept_for_whole_turns(on):
    """How long llama's threads spin, and how far it lets others go first, is nothing that llama alone can tell."""
    on(Cores(2, 0))
    space = space_around(LlamaParams())
    assert space.beside == {"nice": (0, 10), "idle_spins": (-1, 10_000)}
    assert not set(space.beside) & set(space.values)


def test_what_can_be_judged_only_beside_others_is_taken_over_where_the_machine_has_the_means(on):
    """A shipped setting's waiting comes along with any setting; what the machine lacks does not."""
    shipped = LlamaParams(nice=10, idle_spins=10_000, flash_attn=True)
    on(Cores(2, 0))
    assert space_around(LlamaParams()).beside_as(shipped) == {"nice": 10, "idle_spins": 10_000}
    on(Cores(2, 0), lacking=("nice",))
    assert space_around(LlamaParams()).beside_as(shipped) == {"idle_spins": 10_000}
