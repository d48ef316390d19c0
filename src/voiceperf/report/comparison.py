"""Two saved runs, or two sides, beside each other: a table for a terminal, and Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from voiceperf.history.compare import Comparison
from voiceperf.judge.runs import Row
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.measure.launch import BASELINE, CANDIDATE
from voiceperf.report.tables import as_change, as_markdown, bounded_table, in_colour, print_bounded
from voiceperf.suite.duel import Duel
from voiceperf.suite.sides import Judged, cpu_s, kernels, peak_rss_bytes

_COLUMNS = {"benchmark": 44, "change": 22, "would have been seen": 18}  # with their share of the width
_WORDS = {Verdict.FAIL: "ALARM", Verdict.PASS: "no alarm"}
"""What a verdict is called between two runs: no alarm is no proof that nothing has changed."""


def print_comparison(comparison: Comparison, console: Console) -> None:
    """One row a series and quality figure; then in words why each that does not pass does not."""
    table = bounded_table(f"{comparison.now.source} against {comparison.accepted.source}", _COLUMNS, console)
    for row in comparison.rows:
        table.add_row(
            row.name, _change(row.change, "\n"), _seen(row), in_colour(row.finding.verdict, _word(row.finding))
        )
    print_bounded(table, console)
    for line in _words(comparison):
        console.print(line, highlight=False)


def comparison_markdown(comparison: Comparison) -> str:
    """The same for a pull request."""
    rows = [(row.name, _change(row.change, " "), _seen(row), _word(row.finding)) for row in comparison.rows]
    lines = [f"- {line}" for line in _words(comparison)]
    head = f"### voiceperf: {_word(comparison.finding)}, against `{comparison.accepted.source}`"
    return "\n".join([head, "", as_markdown([*_COLUMNS, "verdict"], rows), "", *lines, ""])


def _words(comparison: Comparison) -> list[str]:
    lines = [f"changed since: {what}" for what in comparison.changed]
    failing = [row for row in comparison.rows if row.finding.verdict is not Verdict.PASS]
    return [
        *lines,
        *(f"{_word(row.finding)}: {row.name}: {row.finding.reason}" for row in failing),
        _seen_of_all(comparison),
    ]


def _seen_of_all(comparison: Comparison) -> str:
    """What the comparison as a whole could see."""
    seen = [row.least_seen for row in comparison.rows if row.least_seen is not None]
    word = _word(comparison.finding)
    if not seen:
        return f"{word}: {comparison.finding.reason}"
    least, most = (f"{share:.0%}" for share in (min(seen), max(seen)))
    shares = least if least == most else f"{least} to {most}, by benchmark,"
    return f"{word}; {shares} slower would have been seen 19 times in 20. What is smaller: voiceperf gate"


def _word(finding: Finding) -> str:
    return _WORDS.get(finding.verdict, str(finding.verdict))


def _change(interval: Interval | None, separator: str) -> str:
    return "-" if interval is None else as_change(interval).replace("\n", separator)


def _seen(row: Row) -> str:
    return "-" if row.least_seen is None else f"{row.least_seen:+.0%}"


_SIDES_COLUMNS = {"": 17, "time": 17, "CPU s": 16, "peak MB": 15, "quality": 24}  # with their share of the width


def print_sides(judged: Sequence[Judged], console: Console) -> None:
    """One row for each thing compared; baseline -> candidate."""
    table = bounded_table("candidate beside baseline", _SIDES_COLUMNS, console)
    for row in judged:
        table.add_row(*_cells(row, "\n"), in_colour(row.finding.verdict))
    print_bounded(table, console)
    for line in _sides_in_words(judged):
        console.print(line, highlight=False)


def sides_markdown(judged: Sequence[Judged], verdict: Verdict, between: str) -> str:
    """The same for a pull request."""
    lines = [f"- {line}" for line in _sides_in_words(judged)]
    rows = [[*_cells(row, " "), str(row.finding.verdict)] for row in judged]
    table = as_markdown([*_SIDES_COLUMNS, "verdict"], rows)
    return "\n".join([f"### voiceperf: {verdict}, {between}", "", table, "", *lines, ""])


def _cells(row: Judged, separator: str) -> list[str]:
    change = as_change(row.interval).replace("\n", separator) if row.interval else "-"
    if row.duel is None:
        time = f"{row.text}{separator}{change}" if row.interval else "-"
        return [row.what, time, "-", "-" if row.interval else row.text, "-"]
    duel, sides = row.duel, (BASELINE, CANDIDATE)
    time = f"{duel.change}{separator}{change}" if duel.interval else "not measured"
    cpu = _from_to([cpu_s(duel, side) for side in sides], 1.0, ".1f")
    memory = _from_to([peak_rss_bytes(duel, side) for side in sides], 1e6, ".0f")
    return [row.what, time, cpu, memory, row.quality.text if row.quality else "-"]


def _from_to(both: Sequence[float | None], unit: float, form: str) -> str:
    before, after = both
    return "-" if before is None or after is None else f"{before / unit:{form}} -> {after / unit:{form}}"


def _sides_in_words(judged: Sequence[Judged]) -> list[str]:
    found = [f"{row.finding.verdict}: {row.what}: {row.finding.reason}" for row in judged]
    duels = [row.duel for row in judged if row.duel]
    return found + [line for duel in duels for line in _kernels_in_words(duel)]


def _kernels_in_words(duel: Duel) -> list[str]:
    """Of each side whose kernels may be voiceperf's, how many operations were."""
    lines = []
    for side in (BASELINE, CANDIDATE):
        if shares := ", ".join(map(str, kernels(duel, side).values())):
            lines.append(f"voiceperf's kernels, {duel.what}, {side}: {shares}")
    return lines
