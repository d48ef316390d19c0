"""A run for a pull request: the verdict, what got faster, what it cost."""

from __future__ import annotations

from voiceperf.report.story import SURE, Row, Story
from voiceperf.report.tables import as_markdown

_LEGEND = (
    f"Before and after: the mean over the turns of their medians. Figure: the mean saving of the pairs with its {SURE}"
    " interval, all of which must be beyond the bar. WER: word error rate. RTF: seconds of computing for a second of"
    " speech."
)


def story_markdown(story: Story) -> str:
    """A row for each criterion beside the hardest baseline, the others folded away; then why what fails does."""
    hardest, *others = (f"{_table(story, baseline)}\n" for baseline in story.baselines)
    folded = [
        f"<details><summary>against {baseline}</summary>\n\n{table}\n</details>\n"
        for baseline, table in zip(story.baselines[1:], others, strict=True)
    ]
    where = f"Run `{story.run.source}`, commit {story.run.commit[:9]}, {story.run.fingerprint.get('cpu', '')}"
    reasons = [f"- {reason}" for reason in story.reasons()]
    parts = [
        f"### voiceperf: {story.verdict}",
        "",
        story.headline,
        story.how_sure,
        "",
        hardest,
        *folded,
        *reasons,
        "",
        _LEGEND,
        "",
        where,
        "",
    ]
    return "\n".join(parts)


def _table(story: Story, baseline: str) -> str:
    columns = ("what", baseline, story.candidate, "figure", "bar", "what it cost", "verdict")
    return as_markdown(columns, [_cells(row) for row in story.rows_beside(baseline)])


def _cells(row: Row) -> list[str]:
    figure = f"{row.figure_in_words} {row.interval_in_words}".rstrip()
    bar = row.bar_in_words if row.is_saving else f"{row.bar_in_words} {row.asked.unit}"
    times = [f"{time:.0f} ms" if time else "-" for time in (row.before_ms, row.after_ms)]
    return [row.asked.plain, *times, figure, bar, row.quality, str(row.verdict)]
