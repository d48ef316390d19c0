"""Call 61 replayed, by the suite that the package brings along."""

import pytest

from voiceperf.pytest_plugin.whole_suite import *  # noqa: F403

pytestmark = pytest.mark.models
