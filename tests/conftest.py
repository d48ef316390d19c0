"""What every test may rely on."""

import os
import re
from pathlib import Path

import pytest

import voiceperf.pytest_plugin.session  # noqa: F401  # a session within the session must not be the first to load NumPy
from voiceperf.models.catalogue import CATALOGUE
from voiceperf.models.store import path_of

pytest_plugins = ["pytester"]

# engines of the tests' own, found as any other package's are, by worker processes too
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(Path(__file__).parent / "engines"), os.environ.get("PYTHONPATH")])
)


def pytest_runtest_setup(item):
    """A test on real models is skipped where they are missing; in CI that is a failure, not a skip."""
    if item.get_closest_marker("models") is None:
        return
    missing = [name for name, asset in CATALOGUE.items() if not path_of(asset).is_file()]
    if not missing:
        return
    message = f"missing models: {', '.join(missing)}; run: make models"
    if os.environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


@pytest.fixture
def one_line():
    """Check that an error says what it must, in a single line."""

    def check(error, *patterns):
        text = str(error)
        assert "\n" not in text
        for pattern in patterns:
            assert re.search(pattern, text), f"{pattern!r} not in {text!r}"

    return check
