"""How well an engine thinks: the distributions that it gives written conversations, or its answers to them."""

from __future__ import annotations

from collections.abc import Iterable

from voiceperf.engines.base import Passage, Prompt, Reply, Scores
from voiceperf.judge.answers import Answer
from voiceperf.judge.language import ThinkingComparison, compare_passage, summarise
from voiceperf.log import Progress, silent
from voiceperf.quality.corpus import Conversation
from voiceperf.quality.outputs import Asked


class OtherVocabularyError(Exception):
    """Two models cut the same text into other tokens: their distributions cannot be compared."""


def compare_scores(
    baseline: Asked, candidate: Asked, conversations: Iterable[Conversation]
) -> ThinkingComparison | None:
    """KL divergence, top-1 agreement and perplexity on the same conversations.

    Raises:
        OtherVocabularyError: the models have not the same tokens.
    """
    compared = []
    for conversation in conversations:
        passage = Passage(conversation.as_text())
        before = baseline.ask(passage)
        after = before if candidate is baseline else candidate.ask(passage)
        assert isinstance(before, Scores)
        assert isinstance(after, Scores)
        if before.token_ids != after.token_ids or before.log_probs.shape != after.log_probs.shape:
            raise OtherVocabularyError
        compared.append(compare_passage(before.log_probs, after.log_probs, before.token_ids))
    return summarise(compared)


def answers(worker: Asked, conversations: Iterable[Conversation], progress: Progress = silent) -> list[Answer]:
    """What a model answers at each turn, everything before it being as it is written."""
    asked = [(conversation, turn) for conversation in conversations for turn in range(len(conversation.turns))]
    found = []
    for number, (conversation, turn) in enumerate(asked, start=1):
        messages = conversation.messages(turn)
        reply = worker.ask(Prompt(messages))
        assert isinstance(reply, Reply)
        said = " ".join([*(message["content"] for message in messages), conversation.turns[turn][1]])
        found.append(Answer(reply.text, said, conversation.passes(turn, reply.text)))
        progress(f"{worker.contender.name} answers", number, len(asked))
    return found
