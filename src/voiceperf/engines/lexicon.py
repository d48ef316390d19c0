"""How some names are said: a TOML file of words, each with a respelling, or with its phonemes between slashes.

Siobhan = "shi-vawn"
Nguyen = "/w\u02c8\u026an/"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from voiceperf.errors import ParameterError
from voiceperf.files import read_toml


@dataclass(frozen=True)
class Lexicon:
    """Words and how they are said; whole words, in capitals or not.

    Attributes:
        respelled: by word, what is written in its place.
        phonemes: by word, what the voice is given instead.
    """

    respelled: dict[str, str] = field(default_factory=dict)
    phonemes: dict[str, str] = field(default_factory=dict)

    def respell(self, text: str) -> str:
        """The text with each such word as it is said."""
        return _any_of(self.respelled).sub(lambda word: self.respelled.get(word[0].lower(), word[0]), text)

    def parts(self, text: str) -> Iterator[tuple[str, bool]]:
        """The text in parts: some to be read, and some that are phonemes already."""
        end = 0
        for word in _any_of(self.phonemes).finditer(text):
            yield text[end : word.start()], False
            phonemes = self.phonemes.get(word[0].lower())
            yield (word[0], False) if phonemes is None else (phonemes, True)
            end = word.end()
        yield text[end:], False

    def has_phonemes(self, text: str) -> bool:
        """Whether any of the words whose phonemes are given is in a text."""
        return _any_of(self.phonemes).search(text) is not None


def load(path: str) -> Lexicon:
    """Read a lexicon; an empty path is an empty one.

    Raises:
        InputError: there is no such file, or it is no TOML.
        ParameterError: a word's value is no text.
    """
    if not path:
        return Lexicon()
    words = read_toml(Path(path).expanduser())
    for word, said in words.items():
        if not isinstance(said, str) or not said.strip("/ "):
            raise ParameterError(f"{path}: {word}: write how it is said, as text or as /phonemes/")
    is_given = {word: said.startswith("/") and said.endswith("/") for word, said in words.items()}
    folded = {word: (word.lower(), said.strip("/ ")) for word, said in words.items()}
    return Lexicon(
        dict(folded[word] for word in words if not is_given[word]),
        dict(folded[word] for word in words if is_given[word]),
    )


def _any_of(words: dict[str, str]) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first)) or '(?!)'})(?!\w)", re.IGNORECASE)
