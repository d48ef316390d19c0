"""What tests on real models share."""

import pytest

from voiceperf import profiles
from voiceperf.live.processes import ServicesOfProfile


@pytest.fixture(scope="module")
def running():
    """The three services as the profile `tuned` has them."""
    with ServicesOfProfile(profiles.load("tuned")) as services:
        yield services.services
