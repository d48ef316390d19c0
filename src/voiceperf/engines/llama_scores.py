"""How likely llama.cpp takes written text to be: every token at every place, or one answer as a whole."""

from __future__ import annotations

import ctypes
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from voiceperf.engines.base import Recited, Scores
from voiceperf.errors import EngineError, ParameterError


def scores_of(llm: llama_cpp.Llama, text: str) -> Scores:
    """Every token's log probability at every place of a text, whose marks of turns count as such.

    Raises:
        ParameterError: it is longer than what is read in one go.
        EngineError: llama.cpp cannot read it.
    """
    tokens = llm.tokenize(text.encode(), add_bos=True, special=True)
    return Scores(tuple(tokens), _log_softmax(_logits(llm, tokens, 0)[:-1]))


def recited(llm: llama_cpp.Llama, prompt: list[int], answer: str) -> Recited:
    """The log probability of each token of an answer, after a prompt that is tokens already.

    Raises: as `scores_of`.
    """
    tokens = llm.tokenize(answer.encode(), add_bos=False, special=False)
    logits = _logits(llm, [*prompt, *tokens], len(prompt) - 1)[:-1]
    return Recited(tuple(float(row[token]) for row, token in zip(_log_softmax(logits), tokens, strict=True)))


def _logits(llm: llama_cpp.Llama, tokens: list[int], first: int) -> NDArray[np.float32]:
    """Of the places from `first` on, shape (places, vocabulary), read in one batch; the context holds nothing else."""
    if not 2 <= len(tokens) <= llm.n_batch:
        raise ParameterError(f"a passage of {len(tokens)} tokens cannot be scored; llama.n_batch is {llm.n_batch}")
    llm.reset()
    llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(llm.ctx), True)
    batch = llama_cpp.llama_batch_init(len(tokens), 0, 1)
    try:
        batch.n_tokens = len(tokens)
        for place, token in enumerate(tokens):
            batch.token[place], batch.pos[place], batch.logits[place] = token, place, place >= first
            batch.n_seq_id[place], batch.seq_id[place][0] = 1, 0
        if llama_cpp.llama_decode(llm.ctx, batch) != 0:
            raise EngineError(f"llama.cpp could not score a passage of {len(tokens)} tokens")
        found = ctypes.cast(llama_cpp.llama_get_logits(llm.ctx), ctypes.POINTER(ctypes.c_float))
        return np.ctypeslib.as_array(found, (len(tokens) - first, llm.n_vocab())).copy()
    finally:
        llama_cpp.llama_batch_free(batch)


def _log_softmax(logits: NDArray[np.float32]) -> Any:
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
