"""What of a written text is spoken: no markup, no emoji, no addresses, no letters that the voice cannot read.

Language models write for the eye. A voice that reads all of it says "asterisk asterisk". What is left out or said
otherwise here is what a person who reads aloud would not say either.
"""

from __future__ import annotations

import re
import unicodedata

_LATIN_LANGUAGES = ("en", "es", "fr", "it", "pt")  # of Kokoro's: the others have letters of their own
_READABLE = ("LATIN", "GREEK", "MICRO", "OHM", "FEMININE", "MASCULINE", "MODIFIER")  # first words of letters' names
_KEPT_SYMBOLS = "°©®™"  # a voice says them
_THOUGHT = ("<think>", "</think>")  # where one begins, and where it ends
_FENCE = re.compile(r"```\w+[ \t]*\n")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ADDRESS = re.compile(r"<?(?:https?://|www\.)([^\s/?#()<>]+)[^\s()<>]*>?")
_TAG = re.compile(r"</?[a-zA-Z][\w-]*(?:\s[^<>]*=[^<>]*)?\s*/?>")  # not of "x<y then z>w"
_ITEM = re.compile(
    r"(?:[-+*•‣◦]|#{1,6}|>)\s+|\|"
)  # how a line begins that is a bullet, a heading, a quotation or a table's
_NUMBERED = re.compile(r"(\d+)[.)]\s")
_RULER = re.compile(r"(?<!\S)[-*_=~+|:]{3,}(?!\S)")
_EMPHASIS = re.compile(r"(\*{1,3}|~~|(?<!\w)_{1,3})(?=\S)(.+?)(?<=\S)\1(?!\w)", re.DOTALL)
_POWER = re.compile(r"(?<=\d)\s*(?:\*\*|\^)\s*(?=\d)")
_MINUS = re.compile(r"(?<=\d)\s+[-\u2212]\s+(?=\d[\d.,]*\s*=)")
_UNTIL = re.compile(r"(?<=\d)\s+[-\u2013]\s+(?=\d)")
_TIMES = re.compile(r"(?<=\d)\s*[*\u00d7]\s*(?=\d)")
_BETWEEN = re.compile(r"\s+[*•|]+\s+|\s+-\s+")
_MARKS = re.compile(r"`{1,3}|\*+")
_NUMBER = r"\d+(?:,\d{3})*"
_MONEY = re.compile(
    rf"(?:\b(?:US|CA|C|A|AU|HK|NZ))?([$€£])\s?({_NUMBER})(?:\.(\d+))?(?:\s?[-\u2013]\s?\1?({_NUMBER}(?:\.\d+)?))?"
    r"(?: ?(k|K|m|M|bn|B|thousand|million|billion|trillion)\b)?(?!\.?\d|\w)"
)
_MANY = {"k": "thousand", "K": "thousand", "M": "million", "m": "million", "B": "billion", "bn": "billion"}
_COINS = {"$": ("dollar", "cent"), "€": ("euro", "cent"), "£": ("pound", "pence")}
_LOOSE = re.compile(r"\s+([,.;:!?])")


def spoken(text: str, lang: str) -> str:
    """What is spoken of a text, on one line; empty where that is nothing.

    Args:
        text: as a model has written it.
        lang: language code, such as en-us; what it cannot read is left out.
    """
    text = _FENCE.sub("", without_thoughts(text))
    text = _one_line(_RULER.sub(" ", _TAG.sub(" ", _ADDRESS.sub(_site, _LINK.sub(r"\1", text)))))
    text = _POWER.sub(" to the power of ", text)
    text = _UNTIL.sub(" to ", _MINUS.sub(" minus ", _TIMES.sub(" times ", _EMPHASIS.sub(r"\2", text))))
    text = _MARKS.sub("", _BETWEEN.sub(", ", text))
    text = _MONEY.sub(_in_words, "".join(c for c in text if not _is_picture(c)))
    words = [word for word in text.split() if not _is_unreadable(word, lang)]
    line = _LOOSE.sub(r"\1", " ".join(words)).replace(":,", ":").strip(" ,")
    return line if any(character.isalnum() for character in line) else ""


def _one_line(text: str) -> str:
    """The lines after each other, with a comma before and after what is a line of its own."""
    told = ""
    was_item = False
    for line in filter(None, map(str.strip, text.splitlines())):
        is_item = _ITEM.match(line) is not None or _NUMBERED.match(line) is not None
        apart = (is_item or was_item) and told and told[-1] not in ".,;:!?"
        told += f"{', ' if apart else ' '}{_without_bullet(line)}"
        was_item = is_item
    return told


def _without_bullet(line: str) -> str:
    if numbered := _NUMBERED.match(line):
        return f"{numbered[1]}, {line[numbered.end() :].strip()}"
    begin = _ITEM.match(line)
    return line[begin.end() :].strip("| ") if begin else line


def _site(address: re.Match[str]) -> str:
    """A page's site as it is said; a full stop behind it ends the sentence."""
    last = address[0].rstrip(">")[-1]
    end = last if last in ".,;:!" else ""
    return address[1].rstrip(".,;:!").replace(".", " dot ") + end


class Thoughts:
    """Takes a text in parts, and gives it without what a model thinks before it answers: <think> to </think>."""

    def __init__(self) -> None:
        self._held, self._is_thought = "", False

    def add(self, part: str) -> str:
        """What is answer for sure, with one more part."""
        self._held += part
        said = ""
        while (place := self._held.find(mark := _THOUGHT[self._is_thought])) >= 0:
            said += "" if self._is_thought else f"{self._held[:place]} "
            self._held, self._is_thought = self._held[place + len(mark) :], not self._is_thought
        kept = next(size for size in range(len(mark) - 1, -1, -1) if self._held.endswith(mark[:size]))  # it may go on
        sure, self._held = self._held[: len(self._held) - kept], self._held[len(self._held) - kept :]
        return said if self._is_thought else said + sure

    def rest(self) -> str:
        """What was held back, at the end; a thought that never ended is none of it."""
        said, self._held = "" if self._is_thought else self._held, ""
        return said


def without_thoughts(text: str) -> str:
    """A whole text without them."""
    thoughts = Thoughts()
    return thoughts.add(text) + thoughts.rest()


def unreadable(text: str, lang: str) -> list[str]:
    """The words of a text whose letters a voice of the language cannot read."""
    return [word for word in text.split() if _is_unreadable(word, lang)]


def _is_unreadable(word: str, lang: str) -> bool:
    """Whether two or more of its letters are of another script; a single one, as in a formula, is named."""
    if lang.split("-", maxsplit=1)[0] not in _LATIN_LANGUAGES:
        return False
    letters = [unicodedata.name(character, "") for character in word if character.isalpha()]
    return sum(not name.startswith(_READABLE) for name in letters) > 1


def _is_picture(character: str) -> bool:
    """Emoji and their modifiers, box drawing, dingbats."""
    if character in _KEPT_SYMBOLS:
        return False
    joins = character in "\u200d\ufe0e\ufe0f\u20e3"
    return joins or unicodedata.category(character) == "So" or 0x1F3FB <= ord(character) <= 0x1F3FF


def _in_words(money: re.Match[str]) -> str:
    """$9.50 as 9 dollars and 50 cents; $5M as 5 million dollars, $10-20 as 10 to 20 dollars."""
    (coin, small), whole, part, until, many = _COINS[money[1]], *money.group(2, 3, 4, 5)
    if until or many or len(part or "00") != 2:
        amount = f"{whole}.{part}" if part else whole
        return " ".join(filter(None, [amount, until and f"to {until}", _MANY.get(many, many), f"{coin}s"]))
    said = f"{whole} {coin}{'' if whole == '1' else 's'}"
    cents = (part or "00").lstrip("0")
    return f"{said} and {cents} {small}{'' if cents == '1' or small == 'pence' else 's'}" if cents else said
