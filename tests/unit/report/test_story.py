"""A run in plain words."""

import pytest

from voiceperf.errors import InputError
from voiceperf.history.runs import STORAGE, read_run, run_files
from voiceperf.report.story import story_of
from voiceperf.report.story_markdown import story_markdown


def change(document, title, **changes):
    for row in document["voiceperf"]["criteria"]:
        if row["criterion"].startswith(title):
            row.update(changes)


def test_the_headline_says_by_how_much_sooner_a_caller_is_answered(run):
    """The gain, both times, and whom it is held against stand in one sentence."""
    headline = story_of(run()).headline
    gain, quality = headline.split(", and ", maxsplit=1)
    assert gain == "shipped answers a caller 75% sooner than seed, after 100 ms instead of 401"
    assert quality == "hearing, thinking and speaking stay within their limits of quality."


def test_how_sure_it_is_names_both_ends(run):
    """The interval of the saving is told, with its confidence."""
    sure = story_of(run()).how_sure
    assert "98% certainty" in sure
    assert "between 72.0% and 78.0%" in sure


def test_the_hardest_baseline_to_beat_comes_first(document, run):
    """The headline holds itself against the baseline that leaves the least gain."""
    document["voiceperf"]["criteria"][3]["estimate"] = 0.27
    story = story_of(run())
    assert story.baselines == ["fair", "seed"]
    assert "sooner than fair" in story.headline


@pytest.mark.parametrize(
    ("verdict", "said"),
    [("FAIL", "shipped does not hold: Hearing"), ("INCONCLUSIVE", "cannot be told"), ("INVALID", "Not everything")],
)
def test_what_does_not_pass_is_the_headline(document, run, verdict, said):
    """A run that does not pass boasts of nothing, and says why."""
    change(document, "whisper", verdict=verdict, reason="WER difference: 0.03 at best, bar 0.02")
    story = story_of(run())
    assert story.verdict == verdict
    assert said in story.headline
    assert "sooner" not in story.headline
    assert any("0.03 at best" in reason for reason in story.reasons())


def test_a_run_without_criteria_is_no_story(document, run):
    """Without criteria there is nothing to tell, and the remedy is named."""
    del document["voiceperf"]["criteria"]
    with pytest.raises(InputError, match="voiceperf bench"):
        story_of(run())


def test_a_damaged_run_is_named(document, run):
    """A criterion that nobody knows is an error of the file's, in one line."""
    document["voiceperf"]["criteria"][0]["criterion"] = "unheard of"
    with pytest.raises(InputError, match=r"0007.*damaged"):
        story_of(run())


@pytest.mark.parametrize("path", run_files(STORAGE), ids=lambda path: path.name[:4])
def test_every_run_of_the_projects_history_can_be_told(path):
    """Runs that were saved before stages, examples and checks were are told as far as they go."""
    story = story_of(read_run(path))
    assert story.headline
    assert story.baselines


def test_markdown_has_every_criterion_and_the_reasons(document, run):
    """For a pull request: the verdict, a row for each criterion, and why one does not pass."""
    change(document, "kokoro", verdict="FAIL", reason="RTF: 0.7 at best, bar 0.6")
    text = story_markdown(story_of(run()))
    assert text.startswith("### voiceperf: FAIL")
    assert text.count("\n| ") == 2 * 2 + len(document["voiceperf"]["criteria"])
    assert "- FAIL: Speaking" in text
    assert "-75.0% [-78.0%, -72.0%]" in text


@pytest.mark.parametrize(
    "damage",
    [
        lambda record: record["stages_ms"]["fair"]["1"][0].pop("overall"),
        lambda record: record["stages_ms"]["fair"]["1"][0].update(ASR=None),
        lambda record: record["stages_ms"]["fair"].update({"1": [None]}),
        lambda record: record["stages_ms"]["fair"].update({"1": None}),
        lambda record: record["criteria"][0]["checks"][0].update(value=None),
        lambda record: record["criteria"][0].update(estimate=float("nan")),
        lambda record: record["criteria"][0].update(bar="high"),
        lambda record: record["examples"]["whisper"]["wav/a.wav"].update(reference=7),
        lambda record: record["examples"]["kokoro"]["turn 1"]["by_profile"]["fair"].pop("text"),
    ],
)
def test_what_cannot_be_drawn_is_a_damaged_run(document, run, damage):
    """A stage, a check, a figure or an example that is not what it must be is named with the file, before any page."""
    damage(document["voiceperf"])
    with pytest.raises(InputError, match=r"0007.*damaged"):
        story_of(run())
