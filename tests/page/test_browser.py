"""The report as people see it: in a real browser, light and dark, on a desk, on a phone and on paper."""

import os
import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from voiceperf.cli import report as reports
from voiceperf.history.runs import STORAGE

PHONE, DESK = {"width": 375, "height": 812}, {"width": 1280, "height": 900}
# the project's own latest run; its storage holds the sounds


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        message = "no Chromium here; run: ci/browser.sh"
        pytest.fail(message, pytrace=False) if os.environ.get("CI") else pytest.skip(message)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    reports.report(out=path, storage=STORAGE)
    return path


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    return request.param


@pytest.fixture(params=[DESK, PHONE], ids=["desk", "phone"])
def shown(browser, written, scheme, request):
    """The page, with whatever its console said and whatever it asked the network for."""
    context = browser.new_context(viewport=request.param, color_scheme=scheme)
    page: Page = context.new_page()
    page.said, page.asked = [], []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda asked: page.asked.append(asked.url))
    page.goto(written.as_uri())
    for closed in page.locator("details").all():
        closed.evaluate("element => element.open = true")
    yield page
    context.close()


def test_it_renders_without_a_word_on_the_console(shown):
    """The verdict and every picture are there, nothing is fetched, and nothing is complained of."""
    assert shown.locator("h1").inner_text()
    assert shown.locator("section svg").count() >= 20
    assert shown.said == []
    assert [url for url in shown.asked if not url.startswith(("file:", "data:"))] == []


def test_no_accessibility_fault(shown):
    """axe-core finds nothing, in any theme and at any width."""
    found = Axe().run(shown)
    assert found.violations_count == 0, found.generate_report()


def test_nothing_is_wider_than_the_page(shown):
    """Nobody scrolls sideways, and no word of a picture is too small to read."""
    assert shown.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    smallest = shown.evaluate(
        """() => Math.min(...[...document.querySelectorAll('svg text')]
            .map(text => text.getBoundingClientRect().height).filter(height => height > 0))"""
    )
    assert smallest >= 8


def test_it_prints_whole(browser, written):
    """On paper the page is light, and has its pictures."""
    page = browser.new_context(color_scheme="dark").new_page()
    page.goto(written.as_uri())
    assert page.pdf().startswith(b"%PDF")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.close()
