"""How likely whisper finds what was said: the reference, decoded by force on what the encoder has made of a chunk.

Counting word errors sees a loss only once a word tips over. The probability of each right token falls before that.
whisper.cpp has all of it (`whisper_decode`, `whisper_get_logits`), but pywhispercpp's binding hands out one logit of a
row; so the functions are called in the binding's own library, with the context that its object wraps.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from typing import Any

import _pywhispercpp as native
import numpy as np

from voiceperf.engines.base import Recited
from voiceperf.errors import EngineError

_MOST_TOKENS = 200  # of a reference; whisper's own context has 448 with its prompt


@cache
def _library() -> ctypes.CDLL:
    found = ctypes.CDLL(native.__file__)
    tokens = ctypes.POINTER(ctypes.c_int32)
    found.whisper_get_logits.restype = ctypes.POINTER(ctypes.c_float)
    found.whisper_get_logits.argtypes = (ctypes.c_void_p,)
    found.whisper_decode.argtypes = (ctypes.c_void_p, tokens, ctypes.c_int, ctypes.c_int, ctypes.c_int)
    found.whisper_tokenize.argtypes = (ctypes.c_void_p, ctypes.c_char_p, tokens, ctypes.c_int)
    found.whisper_n_vocab.argtypes = found.whisper_is_multilingual.argtypes = (ctypes.c_void_p,)
    return found


def recited(context: Any, text: str, language: str, threads: int) -> Recited:
    """The log probability of each token of a text, and of its end, given what the context's encoder was last run on.

    Raises:
        EngineError: whisper.cpp cannot tokenise the text or decode it.
    """
    library, pointer = _library(), _pointer(context)
    size = library.whisper_n_vocab(pointer)
    prompt = [native.whisper_token_sot(context)]
    if library.whisper_is_multilingual(pointer):
        prompt += [native.whisper_token_lang(context, native.whisper_lang_id(language))]
        prompt += [native.whisper_token_transcribe(context)]
    prompt += [native.whisper_token_not(context)]
    wanted = [*_tokens(pointer, f" {text.strip()}"), native.whisper_token_eot(context)]
    found, past = [], 0
    for given, token in zip([prompt, *([one] for one in wanted)], wanted, strict=False):
        if library.whisper_decode(pointer, (ctypes.c_int32 * len(given))(*given), len(given), past, threads) != 0:
            raise EngineError(f"whisper.cpp could not decode {text!r}")
        past += len(given)
        rows = np.ctypeslib.as_array(library.whisper_get_logits(pointer), (len(given), size))
        logits = rows[-1].astype(np.float64)  # the last token's alone are computed
        found.append(float(logits[token] - np.logaddexp.reduce(logits)))
    return Recited(tuple(found))


def _tokens(pointer: ctypes.c_void_p, text: str) -> Sequence[int]:
    room = (ctypes.c_int32 * _MOST_TOKENS)()
    count = _library().whisper_tokenize(pointer, text.encode(), room, _MOST_TOKENS)
    if count < 0:
        raise EngineError(f"whisper.cpp takes {_MOST_TOKENS} tokens of a reference at most; shorten {text[:40]!r}")
    return room[:count]


def _pointer(context: Any) -> ctypes.c_void_p:
    """whisper.cpp's context: the first member of what pybind11's object points to, right behind Python's own header.

    Raises:
        EngineError: this build of the binding keeps it elsewhere.
    """
    wrapper = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
    inner = ctypes.c_void_p.from_address(wrapper).value if wrapper else None
    if not inner:
        raise EngineError("this build of pywhispercpp keeps its context elsewhere; no text can be decoded by force")
    return ctypes.c_void_p(inner)
