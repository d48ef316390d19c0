"""What this build or machine has no means for: refused where it is measured, left out where work must go on."""

import pytest

from voiceperf.engines import missing, without_missing
from voiceperf.engines.base import refuse
from voiceperf.engines.kokoro import KokoroParams
from voiceperf.engines.llama import LlamaParams
from voiceperf.engines.whisper import WhisperParams
from voiceperf.errors import ParameterError

ASKING = [
    (WhisperParams(n_threads=2, use_gpu=True), "use_gpu", "no GPU; build pywhispercpp with"),
    (LlamaParams(n_threads=2, n_gpu_layers=10), "n_gpu_layers", "sees no GPU; rebuild with"),
    (KokoroParams(speed=1.5, providers=("NoSuchProvider",)), "providers", "has .*CPUExecutionProvider"),
]


@pytest.mark.parametrize(("params", "name", "reason"), ASKING, ids=lambda value: getattr(value, "engine", None))
def test_measuring_refuses_it_by_name(params, name, reason, one_line):
    """The parameter, its value and the remedy are named."""
    lacking = missing(params)
    if name not in lacking:
        pytest.skip(f"this build has what {name} asks for")
    with pytest.raises(ParameterError) as caught:
        refuse(params, lacking)
    one_line(caught.value, f"{params.engine}.{name} = ", reason)


@pytest.mark.parametrize(("params", "name", "reason"), ASKING, ids=lambda value: getattr(value, "engine", None))
def test_working_leaves_it_out(params, name, reason):
    """The parameter falls back to its default, which every build has, and every other stays."""
    able, lacking = without_missing(params)
    if name not in lacking:
        pytest.skip(f"this build has what {name} asks for")
    default = type(params)()
    assert getattr(able, name) == getattr(default, name)
    assert {**able.as_dict(), name: None} == {**params.as_dict(), name: None}
    assert missing(able) == {}
