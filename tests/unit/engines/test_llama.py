import pytest

from voiceperf.engines import llama
from voiceperf.engines.llama import LlamaParams, refuse_unsupported
from voiceperf.errors import ParameterError


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"type_v": "q8_0"}, "needs flash_attn"),
        ({"n_ubatch": 1024}, "cannot exceed n_batch"),
        ({"type_k": "q5_0"}, "one of"),
        ({"n_ctx": 1}, "at least 64"),
    ],
)
def test_settings_that_cannot_work_are_refused(values, said, one_line):
    """What llama.cpp would answer with a crash is refused by name beforehand."""
    with pytest.raises(ParameterError) as caught:
        LlamaParams.parse(values)
    one_line(caught.value, f"llama.{next(iter(values))}", said)


def test_gpu_layers_without_a_gpu_are_refused(one_line):
    """n_gpu_layers on a CPU build names the parameter and the remedy."""
    if next(c for c in llama.capabilities() if c.name == "GPU").available:
        pytest.skip("this build has a GPU")
    with pytest.raises(ParameterError) as caught:
        refuse_unsupported(LlamaParams(n_gpu_layers=10))
    one_line(caught.value, "llama.n_gpu_layers", "rebuild")
