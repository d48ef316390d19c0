"""Word error rates by kind of utterance: single words are lost otherwise than sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from voiceperf.judge.text import rates_by_kind, score, word_error_rate


def rates_of_examples(
    examples: Mapping[str, Mapping[str, Any]], profiles: Sequence[str]
) -> dict[str, list[float | None]]:
    """Of a run's kept transcripts: by kind, and of all, the word error rate of each profile.

    Empty for a run that kept no transcripts, or not of what kind they are.
    """
    entries = [entry for entry in examples.values() if "kind" in entry and set(profiles) <= set(entry["by_profile"])]
    scored = [
        [score(entry["reference"], entry["by_profile"][profile]["text"]) for entry in entries] for profile in profiles
    ]
    if not entries:
        return {}
    return rates_by_kind([entry["kind"] for entry in entries], *scored) | {"all": list(map(word_error_rate, scored))}


def kinds_table(rates: Mapping[str, Sequence[float | None]], profiles: Sequence[str]) -> Table:
    """One row a kind, a column a profile."""
    table = Table("kind", *(f"WER {profile}" for profile in profiles))
    for kind, of_profiles in rates.items():
        if kind == "all":
            table.add_section()
        table.add_row(kind, *map(percent, of_profiles))
    return table


def percent(rate: float | None) -> str:
    """A rate, or a dash where there are no words."""
    return "-" if rate is None else f"{rate:.1%}"
