"""A replay's turns: where their time went, and what failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from voiceperf.call import CallRecording
from voiceperf.judge.statistics import Interval
from voiceperf.judge.text import score, word_error_rate
from voiceperf.live.record import TurnRecord
from voiceperf.live.replay import Crowd, SpokenInto
from voiceperf.live.stages import OVERALL, Spread, spread, spreads, stages_of
from voiceperf.report.tables import as_change


def stage_table(title: str, records: Sequence[TurnRecord]) -> Table:
    """One row a stage: median and 95th percentile with their 95% intervals, and the slowest turn."""
    table = _times(title)
    for stage, times in spreads(records).items():
        table.add_row(stage, *_row(times), style="bold" if stage == OVERALL else None)
    return table


def comparison_table(ratios: Mapping[str, Interval | None], records: Mapping[str, Sequence[TurnRecord]]) -> Table:
    """One row a candidate beside its baseline: overall latency, and its change."""
    table = Table("services", "p50 ms", "p95 ms", "max ms", "overall latency")
    for name, found in records.items():
        overall = spreads(found).get(OVERALL)
        ratio = ratios.get(name)
        change = as_change(ratio).replace("\n", " ") if ratio else "-"
        table.add_row(name, *(_row(overall) if overall else ("-", "-", "-")), change)
    return table


def spoken_into(found: SpokenInto) -> dict[str, Spread]:
    """By what happens after a caller has spoken into a reply, how long that takes."""
    times_ms: dict[str, Sequence[float]] = {"silent after the caller's first sound": found.silence_ms()}
    times_ms |= {f"engine that is {role} free after the hang-up": times for role, times in found.freed_ms.items()}
    return {what: spread(values) for what, values in times_ms.items() if values}


def spoken_into_table(title: str, found: SpokenInto) -> Table:
    """One row for each."""
    table = _times(title)
    for what, times in spoken_into(found).items():
        table.add_row(what, *_row(times))
    return table


def crowds_table(crowds: Sequence[Crowd]) -> Table:
    """One row for so many callers at once: how many turns they were answered, and how long they waited."""
    table = _times("callers at once, until the first sound")
    table.add_column("turns a second", justify="right")
    for crowd in crowds:
        overall = spreads(crowd.records).get(OVERALL)
        times = _row(overall) if overall else ("-", "-", "-")
        table.add_row(str(crowd.callers), *times, f"{crowd.turns_per_s:.2f}")
    return table


def failures(records: Sequence[TurnRecord]) -> list[str]:
    """In words what failed."""
    return [f"call {record.call}, turn {record.turn} failed: {record.error}" for record in records if record.error]


def cut_off(records: Sequence[TurnRecord]) -> list[str]:
    """Turns whose words were taken for finished too soon."""
    return [
        f"call {record.call}, turn {record.turn} was cut off {-record.end_of_turn_ms:.0f} ms before its end"
        for record in records
        if record.is_cut_off and record.end_of_turn_ms is not None
    ]


def remarks(records: Sequence[TurnRecord]) -> list[str]:
    """What there is to say of single turns."""
    return [*cut_off(records), *failures(records)]


def wer(call: CallRecording, records: Sequence[TurnRecord]) -> float | None:
    """The word error rate of what was heard, over all turns that did not fail; None without words."""
    written = {turn.number: turn.transcript for turn in call.turns}
    return word_error_rate([score(written[record.turn], record.transcript) for record in records if not record.error])


def as_json(record: TurnRecord) -> dict[str, Any]:
    """A turn, its stages with it."""
    return {**asdict(record), "stages_ms": stages_of(record)}


def summary(records: Sequence[TurnRecord]) -> dict[str, Any]:
    """All turns: by stage p50, p95 and max in ms, and what failed."""
    stages = {stage: asdict(spread) for stage, spread in spreads(records).items()}
    return {"turns": len(records), "stages_ms": stages, "cut_off": cut_off(records), "failed": failures(records)}


def _times(title: str) -> Table:
    table = Table(title, "p50 ms", "p95 ms", "max ms")
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _row(times: Spread) -> tuple[str, str, str]:
    quantiles = ((times.p50, times.p50_interval), (times.p95, times.p95_interval))
    p50, p95 = (f"{value:.0f} [{low:.0f}, {high:.0f}]" for value, (low, high) in quantiles)
    return p50, p95, f"{times.max:.0f}"
