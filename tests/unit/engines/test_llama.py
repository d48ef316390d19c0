import pytest

from voiceperf.engines.llama import LlamaParams
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
