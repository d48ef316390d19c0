import numpy as np

from voiceperf.mel import mel_filters


def test_filters_have_whispers_shape_and_area():
    """80 filters over 201 bins; Slaney's normalisation gives each an area of one, in Hz."""
    filters = mel_filters(16_000, 400, 80)
    assert filters.shape == (80, 201)
    fine = mel_filters(16_000, 40_000, 80)
    assert np.allclose(fine.sum(axis=1) * 16_000 / 40_000, 1, atol=0.01)


def test_filters_are_single_peaked_and_in_order():
    """Each filter rises once and falls once, and their peaks go up in frequency."""
    filters = mel_filters(16_000, 40_000, 80)
    assert (np.diff(filters.argmax(axis=1)) > 0).all()
    for row in filters:
        signs = np.sign(np.diff(row[row > 0]))
        assert (np.diff(signs) <= 0).all()
