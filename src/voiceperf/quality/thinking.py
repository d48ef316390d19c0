"""How well an engine thinks: the distributions that it gives written conversations, or its answers to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from voiceperf.engines.base import Answered, Passage, Prompt, Recited, Reply, Scores
from voiceperf.judge.answers import Answer
from voiceperf.judge.language import BitsAByte, ThinkingComparison, compare_bits, compare_passage, summarise
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


def bits_a_byte(baseline: Asked, candidate: Asked, conversations: Sequence[Conversation]) -> BitsAByte | None:
    """What the written answers cost each model, in bits for a byte: so models of any vocabulary compare.

    Raises:
        EngineError, ParameterError: one of them cannot score an answer.
    """
    nats, sizes, places = [], [], []
    for place, conversation in enumerate(conversations):
        for turn, (_, answer) in enumerate(conversation.turns):
            asked = Answered(conversation.messages(turn), answer)
            nats.append((_cost_nats(baseline, asked), _cost_nats(candidate, asked)))
            sizes.append(len(answer.encode()))
            places.append(place)
    return compare_bits(nats, sizes, places)


def _cost_nats(side: Asked, asked: Answered) -> float:
    found = side.ask(asked)
    assert isinstance(found, Recited)
    return -sum(found.log_probs)


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
