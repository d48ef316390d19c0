"""The sounds of saved runs."""

import numpy as np
import soundfile

from voiceperf.history import sounds


def test_a_sound_is_kept_without_loss_and_once(tmp_path):
    """What is kept is what was judged, to the last bit of 16; kept again it is left as it is."""
    sound = (0.3 * np.sin(np.arange(4800) / 7)).astype(np.float32)
    sounds.keep(tmp_path, "ab" * 32, sound, 24_000)
    path = sounds.path_of(tmp_path, "ab" * 32)
    kept, rate_hz = soundfile.read(path, dtype="float32")
    assert rate_hz == 24_000
    np.testing.assert_allclose(kept, sound, atol=2**-15)
    written = path.stat().st_mtime_ns
    sounds.keep(tmp_path, "ab" * 32, sound * 0, 24_000)
    assert path.stat().st_mtime_ns == written
