"""A reply's text handed on while it is made: no half characters, no text that ends it, no space around it."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextParts:
    """Takes tokens' bytes and gives text as soon as it is sure to stay.

    Args:
        stops: texts that end the reply and are no part of it.
    """

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._stops, self._held_back = stops, max(map(len, stops), default=1) - 1
        self._decode = codecs.getincrementaldecoder("utf-8")("replace")
        self._text, self._given = "", 0

    def add(self, token: bytes) -> str:
        """What can be given with one more token."""
        self._text += self._decode.decode(token)
        sure = self._whole()
        return self._give(sure[: max(0, len(self._text.lstrip()) - self._held_back)].rstrip())

    def rest(self) -> str:
        """What was held back, at the end."""
        self._text += self._decode.decode(b"", final=True)
        return self._give(self._whole())

    def _whole(self) -> str:
        text = self._text
        for stop in self._stops:
            text = text.split(stop, 1)[0]
        return text.strip()

    def _give(self, text: str) -> str:
        part, self._given = text[self._given :], max(self._given, len(text))
        return part
