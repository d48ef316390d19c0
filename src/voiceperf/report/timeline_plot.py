"""A picture of a call: what each stage did when, turn by turn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from voiceperf.live.record import TurnRecord
from voiceperf.report.chart import save

_LANES = ("hears", "answers", "speaks", "heard")
_COLOURS = {"hears": "#4c72b0", "answers": "#dd8452", "speaks": "#55a868", "heard": "#c44e52"}
_LABELS = {
    "hears": "hearing: speech end to transcript",
    "answers": "thinking: transcript to last word",
    "speaks": "speaking: first word to first sound",
    "heard": "the rest of the speech arrives",
}


def draw(records: Sequence[TurnRecord], title: str, path: Path) -> None:
    """One row a turn of the first call, one lane a stage; PNG or SVG as the path's ending says."""
    first = min(record.call for record in records)
    turns = [record for record in records if record.call == first]
    figure = Figure(figsize=(10, 0.8 + 0.7 * len(turns)), layout="constrained")
    axes = figure.subplots()
    named: set[str] = set()
    for row, record in enumerate(turns):
        for lane, (begin, end) in _spans(record).items():
            height = 0.8 / len(_LANES)
            top = row - 0.4 + _LANES.index(lane) * height
            label = None if lane in named else _LABELS[lane]
            axes.broken_barh([(begin, end - begin)], (top, height), color=_COLOURS[lane], label=label)
            named.add(lane)
        if record.first_audio_ms is not None:
            middle = row - 0.4 + (_LANES.index("speaks") + 0.5) * 0.8 / len(_LANES)
            text = f" {record.first_audio_ms:.0f} ms"
            axes.text(record.first_audio_ms, middle, text, fontsize="x-small", va="center")
    axes.set_yticks(range(len(turns)), [f"turn {record.turn}" for record in turns])
    axes.invert_yaxis()
    axes.set(title=title, xlabel="ms after the caller's last sample", xlim=(0, None))
    axes.grid(axis="x", alpha=0.3)
    axes.legend(fontsize="small", loc="lower right")
    save(figure, path)


def _spans(record: TurnRecord) -> dict[str, tuple[float, float]]:
    moments = {
        "hears": (0.0, record.transcript_ms),
        "answers": (record.transcript_ms, record.all_text_ms),
        "speaks": (record.first_text_ms, record.first_audio_ms),
        "heard": (record.first_audio_ms, record.all_audio_ms),
    }
    return {lane: (a, b) for lane, (a, b) in moments.items() if a is not None and b is not None}
