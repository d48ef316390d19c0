"""How well an engine thinks: the distributions that it gives written conversations."""

from __future__ import annotations

from collections.abc import Iterable

from voiceperf.engines.base import Passage, Scores
from voiceperf.judge.language import ThinkingComparison, compare_passage, summarise
from voiceperf.quality.corpus import Conversation
from voiceperf.quality.outputs import Asked


def compare_scores(
    baseline: Asked, candidate: Asked, conversations: Iterable[Conversation]
) -> ThinkingComparison | None:
    """KL divergence, top-1 agreement and perplexity on the same conversations."""
    compared = []
    for conversation in conversations:
        passage = Passage(conversation.as_text())
        before = baseline.ask(passage)
        after = before if candidate is baseline else candidate.ask(passage)
        assert isinstance(before, Scores)
        assert isinstance(after, Scores)
        compared.append(compare_passage(before.log_probs, after.log_probs, before.token_ids))
    return summarise(compared)
