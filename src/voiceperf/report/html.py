"""A run as one page: everything in it, nothing fetched, in light and dark, on paper and on a phone."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from voiceperf import profiles
from voiceperf.history import sounds
from voiceperf.history.trend import Trend
from voiceperf.judge.text import Word, word_differences
from voiceperf.report.charts import history_chart, interval_strip, pairs_chart, stages_chart
from voiceperf.report.kinds import language_of, percent, rates_of_examples
from voiceperf.report.story import SURE, Row, Story
from voiceperf.report.tuning_plot import Panel, changes_chart, frontier_chart, importance_chart
from voiceperf.roles import HEARING, SPEAKING
from voiceperf.suite.workloads import WORKLOADS

_HINTS = {
    "WER difference": "WER, the word error rate: of 100 words said, how many are heard wrong. How many more, at worst.",
    "WER shift": "By how much the word error rate itself changed.",
    "new empty or looping transcripts": "Recordings of which nothing is heard any more, or a phrase over and over.",
    "mean KL divergence (nats)": "How far the next-word probabilities are from the unchanged model's; 0 is the same.",
    "perplexity ratio": "How surprised the model is by real text, over the unchanged model; 1 is the same.",
    "log-spectral distance (dB)": "How different the sound is from the unchanged voice's; 1 dB can just be heard.",
    "duration shift": "How much longer or shorter the same text sounds.",
    "shift of pace": "How much faster or slower a whole reply is spoken.",
}
_WITHOUT_LOSS = {"perplexity ratio": 1.0}  # where it is not 0


def page(story: Story, trends: Sequence[Trend], panels: Sequence[Panel], storage: Path, document: bytes) -> str:
    """The whole page.

    Args:
        story: the run.
        trends: of the candidate's benchmarks, over the runs of its machine.
        panels: what tuning on this machine has found; may be empty.
        storage: where the runs' sounds are kept.
        document: the saved run itself, which the page hands out.
    """
    environment = Environment(
        loader=PackageLoader("voiceperf.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html").render(
        story=story,
        sure=SURE,
        told=_told,
        groups={name: [_CriterionView.of(row) for row in story.rows_beside(name)] for name in story.baselines},
        checks=_checks(story),
        timeline=_timeline(story),
        pairs=[_pairs(story, baseline) for baseline in story.baselines],
        listening=_listening(story, storage),
        hearing=_hearing(story),
        tuning=[chart for panel in panels for chart in _tuning(panel)],
        history=list(_history(trends)),
        fingerprint=story.run.fingerprint,
        document=_data_uri("application/json", document),
    )


@dataclass(frozen=True)
class _CriterionView:
    """A row of the criteria table, every cell as it is shown."""

    row: Row
    strip: Markup | None

    @classmethod
    def of(cls, row: Row) -> _CriterionView:
        if row.figure is None:
            return cls(row, None)
        label = f"{row.figure_in_words} {row.interval_in_words}, the bar is {row.bar_in_words}"
        return cls(row, interval_strip(row).as_svg(f"strip-{row.key}-{row.baseline}", label))


def _told(name: str) -> str:
    """What a shipped profile is, behind its name."""
    return f" ({profiles.load(name).summary})" if name in profiles.shipped() else ""


def _checks(story: Story) -> list[dict[str, Any]]:
    """What quality may be lost and what was, each figure once for each engine."""
    found = {}
    for row in story.rows:
        if row.asked.role:
            for check in row.checks:
                lost, most = (value - _WITHOUT_LOSS.get(check.what, 0.0) for value in (check.value, check.bar))
                used = max(0.0, lost / most) if most else float(lost > 0)
                found[row.asked.plain.split(":")[0], check.what, check.value] = {
                    "engine": row.asked.plain.split(":")[0],
                    "what": check.what,
                    "hint": _HINTS.get(check.what, ""),
                    "value": f"{check.value:.3g}",
                    "bar": f"{check.bar:.3g}",
                    "used": used,
                }
    return list(found.values())


def _timeline(story: Story) -> Markup | None:
    shown = {name: story.stages_ms[name] for name in (*story.baselines[:1], story.candidate) if name in story.stages_ms}
    if not shown:
        return None
    label = "for every turn, how long each stage takes, from the caller's last sound to the first of the answer"
    return stages_chart(shown).as_svg("stages", label)


def _pairs(story: Story, baseline: str) -> dict[str, Any]:
    """Every pair against one baseline: a picture and a table for each workload."""
    shown = []
    for workload in WORKLOADS.values():
        pairs = story.pairs.get((workload.key, baseline))
        if pairs:
            label = f"{workload.words}: milliseconds of {baseline} and {story.candidate}, pair by pair"
            chart = pairs_chart(pairs, baseline, story.candidate).as_svg(f"pairs-{baseline}-{workload.key}", label)
            shown.append({"title": workload.words, "chart": chart, "pairs": pairs})
    return {"baseline": baseline, "workloads": shown}


def _listening(story: Story, storage: Path) -> list[dict[str, Any]]:
    """Each reply as the baseline says it and as the candidate does, where their sounds were kept."""
    listed = []
    for name, example in story.examples.get(SPEAKING, {}).items():
        voices = []
        for profile in _two(story, example):
            spoken = example["by_profile"][profile]
            path = sounds.path_of(storage, spoken["sound"])
            source = _data_uri("audio/flac", path.read_bytes()) if path.is_file() else None
            words = word_differences(example["reference"], spoken["text"], language_of(example))
            voices.append({"profile": profile, "source": source, "words": words})
        listed.append({"name": name, "text": example["reference"], "voices": voices})
    return listed


def _hearing(story: Story) -> dict[str, Any]:
    """The recordings that the two hear differently, the candidate's losses first, and how many they hear alike."""
    examples = story.examples.get(HEARING, {})
    listed: list[dict[str, Any]] = []
    for name, example in examples.items():
        language = language_of(example)
        said = {
            profile: word_differences(example["reference"], example["by_profile"][profile]["text"], language)
            for profile in _two(story, example)
        }
        before, after = (_errors(words) for words in said.values()) if len(said) == 2 else (0, 0)
        if len({tuple(words) for words in said.values()}) > 1:
            listed.append({"name": name, "said": said, "more": after - before})
    listed.sort(key=lambda entry: entry["more"], reverse=True)
    profiles = [*story.baselines[:1], story.candidate]
    return {
        "listed": listed,
        "total": len(examples),
        "alike": len(examples) - len(listed),
        "profiles": profiles,
        "kinds": {kind: list(map(percent, rates)) for kind, rates in rates_of_examples(examples, profiles).items()},
    }


def _errors(words: Sequence[Word]) -> int:
    return sum(word.kind != "same" for word in words)


def _two(story: Story, example: Mapping[str, Any]) -> list[str]:
    """The baseline that is hardest to beat, and the candidate."""
    return [name for name in (*story.baselines[:1], story.candidate) if name in example["by_profile"]]


def _history(trends: Sequence[Trend]) -> Iterator[dict[str, Any]]:
    for trend in trends:
        known = WORKLOADS.get(trend.benchmark)
        title = known.words if known else trend.benchmark
        label = f"{title}: {len(trend.points)} saved runs, oldest first"
        yield {
            "title": title,
            "chart": history_chart(trend).as_svg(f"history-{trend.benchmark}", label),
            "trend": trend,
        }


def _tuning(panel: Panel) -> Iterator[Markup]:
    engine = panel.space.engine
    yield frontier_chart(panel).as_svg(
        f"frontier-{engine}", f"{engine}: time against quality lost, a point for each setting that was tried"
    )
    yield changes_chart(panel).as_svg(f"changes-{engine}", f"{engine}: the time that each change alone leaves")
    yield importance_chart(panel).as_svg(f"importance-{engine}", f"{engine}: how much each parameter mattered")


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
