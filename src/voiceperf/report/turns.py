"""A replay's turns: where their time went, and what failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from voiceperf.judge.statistics import Interval
from voiceperf.live.agent import TurnRecord
from voiceperf.live.stages import OVERALL, Spread, spreads, stages_of
from voiceperf.report.tables import as_change


def stage_table(title: str, records: Sequence[TurnRecord]) -> Table:
    """One row a stage: median, 95th percentile and the slowest turn."""
    table = Table(title, "p50 ms", "p95 ms", "max ms")
    for column in table.columns[1:]:
        column.justify = "right"
    for stage, spread in spreads(records).items():
        table.add_row(stage, *_row(spread), style="bold" if stage == OVERALL else None)
    return table


def comparison_table(ratios: Mapping[str, Interval | None], records: Mapping[str, Sequence[TurnRecord]]) -> Table:
    """One row a candidate beside its baseline: overall latency, and its change."""
    table = Table("services", "p50 ms", "p95 ms", "max ms", "overall latency")
    for name, found in records.items():
        spread = spreads(found).get(OVERALL)
        ratio = ratios.get(name)
        change = as_change(ratio).replace("\n", " ") if ratio else "-"
        table.add_row(name, *(_row(spread) if spread else ("-", "-", "-")), change)
    return table


def failures(records: Sequence[TurnRecord]) -> list[str]:
    """In words what failed."""
    return [f"call {record.call}, turn {record.turn} failed: {record.error}" for record in records if record.error]


def as_json(record: TurnRecord) -> dict[str, Any]:
    """A turn, its stages with it."""
    return {**asdict(record), "stages_ms": stages_of(record)}


def summary(records: Sequence[TurnRecord]) -> dict[str, Any]:
    """All turns: by stage p50, p95 and max in ms, and what failed."""
    stages = {stage: asdict(spread) for stage, spread in spreads(records).items()}
    return {"turns": len(records), "stages_ms": stages, "failed": failures(records)}


def _row(spread: Spread) -> tuple[str, str, str]:
    return f"{spread.p50:.0f}", f"{spread.p95:.0f}", f"{spread.max:.0f}"
