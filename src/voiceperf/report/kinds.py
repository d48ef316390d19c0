"""Word error rates by kind of utterance and by line: single words and telephones lose words in ways of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from voiceperf.judge.text import ENGLISH, Heard, rates_by_kind, score, word_error_rate
from voiceperf.lines import CLEAN

_ALL, _LINE = "all", "line: "


def rates_of_examples(
    examples: Mapping[str, Mapping[str, Any]], profiles: Sequence[str]
) -> dict[str, list[float | None]]:
    """Of a run's kept transcripts: by kind, by line, and of all, the word error rate of each profile.

    Empty for a run that kept no transcripts, or not of what kind they are.
    """
    entries = [entry for entry in examples.values() if "kind" in entry and set(profiles) <= set(entry["by_profile"])]
    scored = [
        [score(entry["reference"], entry["by_profile"][profile]["text"], language_of(entry)) for entry in entries]
        for profile in profiles
    ]
    kinds, lines = [entry["kind"] for entry in entries], [entry.get("line", CLEAN) for entry in entries]
    return rates_by_kind_and_line(kinds, lines, *scored) if entries else {}


def language_of(example: Mapping[str, Any]) -> str:
    """The language of a kept transcript; older runs have English alone."""
    return str(example.get("language", ENGLISH))


def rates_by_kind_and_line(
    kinds: Sequence[str], lines: Sequence[str], *scored: Sequence[Heard]
) -> dict[str, list[float | None]]:
    """The word error rate of each set of scores, all in the utterances' order. Lines only where there are several."""
    by_line = rates_by_kind([f"{_LINE}{line}" for line in lines], *scored) if len(set(lines)) > 1 else {}
    return rates_by_kind(kinds, *scored) | by_line | {_ALL: list(map(word_error_rate, scored))}


def kinds_table(rates: Mapping[str, Sequence[float | None]], profiles: Sequence[str]) -> Table:
    """One row a kind, a column a profile."""
    table = Table("kind", *(f"WER {profile}" for profile in profiles))
    for before, (kind, of_profiles) in zip(["", *rates], rates.items(), strict=False):
        if kind == _ALL or (kind.startswith(_LINE) and not before.startswith(_LINE)):
            table.add_section()
        table.add_row(kind, *map(percent, of_profiles))
    return table


def percent(rate: float | None) -> str:
    """A rate, or a dash where there are no words."""
    return "-" if rate is None else f"{rate:.1%}"
