"""What tests on real models share."""

import json

import pytest

from voiceperf import profiles
from voiceperf.live.processes import ServicesOfProfile
from voiceperf.places import fixtures_dir


@pytest.fixture(scope="module")
def running():
    """The three services as the profile `shipped` has them."""
    with ServicesOfProfile(profiles.load("shipped")) as services:
        yield services.services


@pytest.fixture
def few_recordings(tmp_path):
    """A manifest of one's own: every eleventh recording, which may both choose and judge."""
    manifest = fixtures_dir() / "audio" / "manifest.jsonl"
    rows = [json.loads(line) for line in manifest.read_text().splitlines()][::11]
    for row in rows:
        row["file"] = str(manifest.parent / row.pop("file"))
        del row["use"]
    path = tmp_path / "few.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path
