"""What tests on real models share."""

import pytest

from voiceperf import profiles
from voiceperf.live.processes import ServicesOfProfile


@pytest.fixture(scope="module")
def running():
    """The three services as the profile `shipped` has them."""
    with ServicesOfProfile(profiles.load("shipped")) as services:
        yield services.services
