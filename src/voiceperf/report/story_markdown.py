"""A run for a pull request: the verdict, what got faster, what it cost."""

from __future__ import annotations

from voiceperf.report.markdown import as_markdown
from voiceperf.report.story import Row, Story
from voiceperf.report.terminal import as_change

_COLUMNS = ("what", "against", "before", "after", "figure", "bar", "what it cost", "verdict")


def story_markdown(story: Story) -> str:
    """One row a criterion and baseline, then why those that do not pass do not."""
    table = as_markdown(_COLUMNS, [_cells(row) for row in story.rows])
    where = f"Run `{story.run.source}`, commit {story.run.commit[:9]}, {story.run.fingerprint.get('cpu', '')}"
    reasons = [f"- {reason}" for reason in story.reasons()]
    parts = [f"### voiceperf: {story.verdict}", "", story.headline, story.how_sure, "", table, "", *reasons, where, ""]
    return "\n".join(parts)


def _cells(row: Row) -> list[str]:
    figure, bar = "-", f"{row.bar:g} {row.unit}"
    if row.figure is not None and row.is_saving:
        figure, bar = as_change(row.figure).replace("\n", " "), f"{row.bar - 1:+.0%}"
    elif row.figure is not None:
        figure = f"{row.figure.estimate:.3f} [{row.figure.low:.3f}, {row.figure.high:.3f}]"
    times = [f"{time:.0f} ms" if time else "-" for time in (row.before_ms, row.after_ms)]
    return [row.plain.title, row.baseline, *times, figure, bar, row.quality, str(row.verdict)]
