"""The documentation: builds as a site, and its generated page is the declarations'."""

import re
import subprocess
import sys

import pytest

from voiceperf.cli.parameters import _declared, tables
from voiceperf.report.parameters import parameters_markdown


@pytest.fixture
def docs(request):
    return request.config.rootpath / "docs"


def test_the_site_builds_without_a_warning(request, tmp_path):
    """Every page is in the navigation and every link leads somewhere."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=request.config.rootpath, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "index.html").is_file()


def test_the_site_asks_nobody_elses_server(request, tmp_path):
    """Pages bring their own scripts, styles and fonts."""
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path)]
    subprocess.run(command, cwd=request.config.rootpath, capture_output=True, check=True)
    for page in tmp_path.rglob("*.html"):
        assert re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//[^"]+"', page.read_text()) == [], page


def test_the_parameter_page_is_what_the_declarations_say(docs):
    """A parameter that was changed must be written down: voiceperf parameters --markdown > docs/PARAMETERS.md."""
    assert (docs / "PARAMETERS.md").read_text() == parameters_markdown(
        _declared(name) for name in tables() if name != "fake"
    )


def test_every_saved_run_that_a_page_names_is_in_the_repository(request, docs):
    """A figure's run can be looked at: `.benchmarks` ignores runs, so one has to be added by hand."""
    root = request.config.rootpath
    pages = [root / "README.md", *docs.rglob("*.md")]
    named = {number for page in pages for number in re.findall(r"\bruns? (\d{4})\b", page.read_text())}
    there = subprocess.run(["git", "ls-files", ".benchmarks"], cwd=root, capture_output=True, text=True, check=True)
    assert named <= set(re.findall(r"/(\d{4})_\w+\.json", there.stdout))
    assert named
