"""Cutting a text into what is spoken at once: sentences, and a long first one after a clause."""

from __future__ import annotations

import re
from collections.abc import Iterable

import sentencex

_SPACE = re.compile(r"\s")
_CLAUSE_END = re.compile(r"(?<=[,;:])\s+(?!\d{4}\b)")  # not within a date
_BEFORE_NUMBER = re.compile(
    r"\b(?:approx|appt|apt|ext|min|max|no|vs|[A-Z][a-z]{2,3}|[ap]\.m|e\.g|i\.e)\.$"
)  # months, too
_LEAST_CHARACTERS = 15  # about a second: a shorter piece would be spoken slower than within its sentence
_MOST_CHARACTERS = 40  # of the piece that the caller waits for
_MOST_AT_ONCE = 300  # characters; Kokoro takes 510 phonemes and cuts the rest wherever it comes to be


def pieces_of(text: str, lang: str = "en", *, is_begin: bool = True, is_end: bool = True) -> list[str]:
    """A text's sentences, the first cut after a clause where it is long, and nothing too short or long to stand alone.

    Args:
        text: what shall be spoken.
        lang: language code, such as en-us.
        is_begin: whether the caller waits for its first piece; a later text is cut into sentences alone.
        is_end: whether the text ends here; else a short last piece may still grow.
    """
    sentences = _whole_sentences(sentencex.segment(lang.split("-", maxsplit=1)[0], text.strip()))
    whole = [part for sentence in sentences if sentence for part in bounded(sentence)]
    pieces = _joined(whole, is_end=is_end)
    if is_begin and pieces and len(pieces[0]) > _MOST_CHARACTERS:
        clauses = _joined(_CLAUSE_END.split(pieces[0]), is_end=is_end or len(pieces) > 1)
        pieces[:1] = [clauses[0], " ".join(clauses[1:])] if len(clauses) > 1 else clauses
    return pieces


def _whole_sentences(parts: Iterable[str]) -> list[str]:
    """The library's, without its cuts after abbreviations: where there are capitals sentences have them."""
    found: list[str] = []
    whole = [part for part in map(str.strip, parts) if part]
    has_capitals = any(part[0].isupper() for part in whole)
    for part in whole:
        goes_on = (has_capitals and part[0].islower()) or (
            part[0].isdigit() and found and _BEFORE_NUMBER.search(found[-1])
        )
        if found and goes_on:
            found[-1] = f"{found[-1]} {part}"
        else:
            found.append(part)
    return found


def bounded(text: str) -> list[str]:
    """A text in parts that can be synthesised at once: cut after a clause where there is one, else between words."""
    parts = []
    while len(text) > _MOST_AT_ONCE:
        within = text[: _MOST_AT_ONCE + 1]
        clauses = [found.end() for found in _CLAUSE_END.finditer(within) if found.end() > _MOST_AT_ONCE // 2]
        spaces = [found.start() for found in _SPACE.finditer(within)]
        place = (clauses or spaces or [0])[-1] or _MOST_AT_ONCE
        parts.append(text[:place].strip())
        text = text[place:].strip()
    return [*parts, text] if text else parts


def _joined(pieces: list[str], *, is_end: bool) -> list[str]:
    """The pieces, each that is too short with the next one; a short last one with the one before."""
    found: list[str] = []
    for piece in pieces:
        if found and len(found[-1]) < _LEAST_CHARACTERS:
            found[-1] = f"{found[-1]} {piece}"
        else:
            found.append(piece)
    if is_end and len(found) > 1 and len(found[-1]) < _LEAST_CHARACTERS:
        found[-2:] = [f"{found[-2]} {found[-1]}"]
    return found


class PieceStream:
    """Pieces of a text that is still being written, each as soon as it is whole.

    How the text is cut into additions does not matter: what has come is looked at after each word.

    Args:
        lang: language code, such as en-us.
        split: without it the whole text is one piece.
    """

    def __init__(self, lang: str = "en", *, split: bool = True) -> None:
        self._lang, self._split = lang, split
        self._rest, self._is_first = "", True

    def add(self, text: str) -> list[str]:
        """The pieces that are whole with some more text."""
        found: list[str] = []
        for character in text:
            if character.isspace() and self._split:
                found += self._whole()
            self._rest += character
        return found

    def rest(self) -> list[str]:
        """The pieces that are left when the text has ended."""
        text = self._rest.strip()
        if not self._split:
            return bounded(text)
        return pieces_of(text, self._lang, is_begin=self._is_first)

    def _whole(self) -> list[str]:
        *whole, last = pieces_of(self._rest, self._lang, is_begin=self._is_first, is_end=False) or [""]
        if not whole or len(last) < _LEAST_CHARACTERS:  # which would be spoken together with the one before
            return []
        self._rest, self._is_first = last, False
        return whole
