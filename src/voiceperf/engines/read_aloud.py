"""Numbers, dates, times, telephone numbers, units and abbreviations as a person reads them aloud.

WeText's grammars (Apache 2.0) read most of them. What they read otherwise than people do, or refuse, is put into words
before. Only English is read so: other languages stay as they are written, and the voice's own rules read them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Protocol

from voiceperf.errors import InputError

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_MONTHS: tuple[str, ...] = ("January", "February", "March", "April", "May", "June", "July", "August", "September")
_MONTHS += ("October", "November", "December")
_DAYS = {"Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday"}
_DAYS |= {"Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday"}
_DAY = rf"\b({'|'.join(_DAYS)})\b\.?"
_DAY_ALONE = re.compile(rf"{_DAY}(?=,?\s+(?:\d|{'|'.join(month[:3] for month in _MONTHS)}))")
_DAYS_TO = re.compile(rf"{_DAY}\s?(?:[-\u2013]|to)\s?{_DAY}")
_MONTH_DAY = re.compile(
    rf"\b({'|'.join(f'{month[:3]}(?:{month[3:]}|t)?' for month in _MONTHS)})\.?\s(\d\d?)(?:st|nd|rd|th)?"
    r"(?:\s?[-\u2013]\s?(\d\d?)(?:st|nd|rd|th)?)?(?:,?\s(\d{4}))?(?![\d:]|[.,]\d)"
)
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}  # of ordinals
_DECADES = {"2": "twenties", "3": "thirties", "4": "forties", "5": "fifties", "6": "sixties", "7": "seventies"}
_DECADES |= {"8": "eighties", "9": "nineties"}
_UNITS = {"V": "volt", "W": "watt", "kW": "kilowatt", "kWh": "kilowatt hour", "A": "ampere", "mAh": "milliampere hour"}
_UNITS |= {"L": "liter", "l": "liter", "m": "meter", "hr": "hour", "hrs": "hour", "h": "hour", "sec": "second"}
_UNITS |= {"secs": "second", "mins": "minute", "in.": "inch", "yd": "yard", "yds": "yard", "sq ft": ""}
_PLURALS = {"inch": "inches", "": "square feet"}
_NUMBERED = (
    "room|flight|suite|gate|unit|extension|ext|code|pin|zip|order|account|confirmation|reference|ticket|apartment"
)
_CODED = rf"\b(?:{_NUMBERED})(?:\s(?:code|number|no\.?|is|#))*[\s#:]+"

_ISO_DATE = re.compile(r"\b(\d{4})-(\d\d?)-(\d\d?)\b")
_SLASHED_DATE = re.compile(r"(?<![\d/])(\d\d?)/(\d\d?)/(\d{4}|\d\d)(?![\d/])")
_DAY_OF_YEAR = re.compile(r"\b(on|by|before|after|until|till|from|since|through|and|to)\s(\d\d?)/(\d\d?)(?![\d/])")
_REGNAL = re.compile(r"\b([A-Z][a-z]+)\s(II|III|IV|VI{1,3}|IX|XI{1,3}|XIV|XV|XVI)\b")
_ROMAN = {"II": 2, "III": 3, "IV": 4, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "XI": 11, "XII": 12, "XIII": 13}
_ROMAN |= {"XIV": 14, "XV": 15, "XVI": 16}
_COUNTED = ("War", "Chapter", "Part", "Phase", "Type", "Section", "Act", "Level", "Stage", "Volume", "Class", "Bowl")
_FRACTION = re.compile(r"(\d?)([\u00bc-\u00be\u2150-\u215e])")
_PHONE = re.compile(
    r"(?<![\w.,:/$€£-])(?:\+\d{1,3}(?:[\s.-]?\(?\d{1,4}\)?)(?:[\s.-]\d{2,4}){1,4}|(?:1[\s.-])?\(\d{3}\)\s?\d{3}[\s.-]\d{4}"
    r"|(?:1[.-])?\d{3}[.-]\d{3}[.-]\d{4}|\d{3}-\d{4})(?![\w:/%-]|[.,]\d)"
)
_EMAIL = re.compile(r"\b([\w.+-]+)@([\w-]+(?:\.[\w-]+)+)")
_REWRITES: tuple[tuple[str, str], ...] = (
    (r"\bCtrl\s?[+-]\s?", "control "),
    (r"\bCmd\s?[+-]\s?", "command "),
    (r"(?<!\S)--(?=\w)", "dash dash "),
    (r"(?<=\w)\.(?=(?:json|toml|ya?ml|txt|pdf|csv|html?|zip|exe|docx?|xlsx?|jpe?g|png|mp[34]|py|sh|md)\b)", " dot "),
    (r"(?<=\d\s)N\.(?=\s)", "North"),
    (r"(?<=\d\s)S\.(?=\s)", "South"),
    (r"(?<=\d\s)E\.(?=\s)", "East"),
    (r"(?<=\d\s)W\.(?=\s)", "West"),
    (r"\bext\.?(?=\s?\d)", "extension"),
    (r"(?<=[\w)])/(?=(?:night|hour|day|week|month|year|person|minute|second|item)\b)", " per "),
    (r"\bw/o\b", "without"),
    (r"\bw/\s?(?=\w)", "with "),
    (r"\be\.g\.,?", "for example,"),
    (r"\bi\.e\.,?", "that is,"),
    (r"\bvs\.?(?=\s)", "versus"),
    (r"\b[Aa]pprox\.?(?=\s)", "approximately"),
    (r"\b[Aa]ppt\b\.?", "appointment"),
    (r"\b([Mm])in\.(?=\s\d)", r"\1inimum"),
    (r"\b([Mm])ax\.(?=\s\d)", r"\1aximum"),
    (r"\bNo\.\s(?=\d)", "number "),
    (r"№\s?", "number "),
    (r"(\d+\s(?:[A-Z]\w+\s){1,2}|\d(?:st|nd|rd|th)\s)St\b\.?", r"\1Street"),
    (r"\bSt\.(?=\s[A-Z])", "Saint"),
    (r"\b([A-Z]\w+\s)St\b\.?", r"\1Street"),
    (r"\b(\w+\s)Ave\b\.?", r"\1Avenue"),
    (r"\b(\w+\s)Blvd\b\.?", r"\1Boulevard"),
    (r"\b(\w+\s)Rd\b\.?", r"\1Road"),
    (r"(\d+\s(?:[A-Z]\w+\s){1,2})Dr\b\.?", r"\1Drive"),
    (r"\bApt\b\.?", "apartment"),
    (r"\bDept\b\.?", "department"),
    (r"[~≈]\s?(?=\d)", "about "),
    (r"±\s?", "plus or minus "),
    (r"<\s?(?=\d)", "less than "),
    (r">\s?(?=\d)", "more than "),
    (r"(?<=\d)\+(?!\s?\d)", " plus"),
    (r"(?<=\d)'(\d\d?)\"", r" foot \1"),
    (r"\b24/7\b", "twenty four seven"),
    (r"\b50/50\b", "fifty fifty"),
    (r"(?<![\d,.])1,000(?![\d,])", "one thousand"),
    (r"(ft\s\d+)\sin\b", r"\1 inches"),
    (r"(?<![\d-])(\d{1,4})[-\u2013](\d{1,4})(?![\d-])", r"\1 to \2"),
)


class Normaliser(Protocol):
    """WeText's, of one language."""

    def normalize(self, text: str) -> str: ...


class Reader:
    """Reads what is written for one language.

    Args:
        lang: language code, such as en-us.

    Raises (on construction):
        InputError: the grammars are not installed.
    """

    def __init__(self, lang: str) -> None:
        self._is_american = not lang.lower().endswith(("gb", "uk"))
        self._normaliser = _english() if lang.split("-", maxsplit=1)[0] == "en" else None

    def read(self, text: str) -> str:
        """The same text in words, on one line; what no rule knows stays."""
        if self._normaliser is None:
            return text
        text = _EMAIL.sub(lambda email: f"{email[1]} at {email[2]}".replace(".", " dot "), text)
        text = _DAYS_TO.sub(lambda days: f"{_DAYS[days[1]]} to {_DAYS[days[2]]}", text)
        text = _DAY_ALONE.sub(lambda day: _DAYS[day[1]], text)
        text = _FRACTION.sub(_fraction, _REGNAL.sub(self._numeral, text))
        text = _ISO_DATE.sub(lambda date: _date(date[1], int(date[2]), int(date[3])) or date[0], text)
        text = _SLASHED_DATE.sub(self._slashed, _PHONE.sub(_phone, text))
        text = _DAY_OF_YEAR.sub(self._day_of_year, text)
        if self._is_american:
            text = _MONTH_DAY.sub(self._month_day, text)
        text = re.sub(r"#(\d+)", lambda number: f"number {_one_by_one(number[1], 3)}", text)
        text = re.sub(rf"({_CODED})(\d[\d-]{{2,}}\d|\d{{3}})\b", _code, text, flags=re.IGNORECASE)
        text = re.sub(r"\b([A-Z]{1,3})(\d{3,})\b", lambda code: f"{' '.join(code[1])} {_one_by_one(code[2])}", text)
        text = re.sub(r"\bv(?=\d+(?:\.\d+)+)", "version ", text)
        text = re.sub(r"(\d+(?:\.\d+){2,})", lambda version: version[1].replace(".", " point "), text)
        text = re.sub(r"\b(1[89]|20)(\d)0s\b", lambda years: f"{self._words(years[1])} {_decade(years[2])}", text)
        text = re.sub(r"(?<!\w)'?([2-9])0s\b", lambda years: _decade(years[1]), text)
        for written, said in _REWRITES:
            text = re.sub(written, said, text)
        text = re.sub(r"(?<![\d,.])1,(\d{3})(?![\d,])", lambda rest: f"one thousand {int(rest[1])}", text)
        units = "|".join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))
        text = re.sub(rf"(\d+(?:\.\d+)?)\s?({units})(?![\w'])", _measure, text)
        return " ".join(self._words(text).split()) if any(map(str.isdigit, text)) else text

    def _slashed(self, date: re.Match[str]) -> str:
        first, second = int(date[1]), int(date[2])
        month, day = (first, second) if self._is_american else (second, first)
        year = date[3] if len(date[3]) == 4 else f"20{date[3]}"
        return _date(year, month, day) or date[0]

    def _month_day(self, date: re.Match[str]) -> str:
        """November 28th, 2026, in that order."""
        month = next(month for month in _MONTHS if month.startswith(date[1][:3]))
        until = f" to {self._words(_ordinal(int(date[3])))}" if date[3] else ""
        year = f", {self._words(f'in {date[4]}').removeprefix('in ')}" if date[4] else ""
        return f"{month} {self._words(_ordinal(int(date[2])))}{until}{year}"

    def _day_of_year(self, date: re.Match[str]) -> str:
        first, second = int(date[2]), int(date[3])
        month, day = (first, second) if self._is_american else (second, first)
        said = _date("", month, day).rstrip(", ")
        return f"{date[1]} {said}" if said else date[0]

    def _numeral(self, found: re.Match[str]) -> str:
        """Of a king the ordinal, of a chapter the number."""
        number = _ROMAN[found[2]]
        said = str(number) if found[1] in _COUNTED else f"the {self._words(_ordinal(number))}"
        return f"{found[1]} {said}"

    def _words(self, text: str) -> str:
        """By the grammars; a text that they refuse stays as it is."""
        assert self._normaliser is not None
        try:
            said = self._normaliser.normalize(text).replace('\\"', '"')
        except AssertionError:  # their way to refuse
            return text
        return re.sub(r"\b(hundred|thousand|million) and\b", r"\1", said) if self._is_american else said


def _english() -> Normaliser:
    try:
        from wetext import Normalizer
    except ImportError:
        raise InputError("reading numbers aloud needs wetext: pip install wetext, or set kokoro.filter_text") from None
    normaliser: Normaliser = Normalizer(lang="en", operator="tn")
    normaliser.normalize("1")  # loads the grammars
    return normaliser


def _date(year: str, month: int, day: int) -> str:
    """In words that the grammars read; empty where there is no such day."""
    return f"{_MONTHS[month - 1]} {day}, {year}" if 1 <= month <= 12 and 1 <= day <= 31 else ""


def _ordinal(number: int) -> str:
    """As 21st."""
    return f"{number}{'th' if number % 100 in (11, 12, 13) else _ENDINGS.get(number % 10, 'th')}"


def _fraction(found: re.Match[str]) -> str:
    """A sign such as a half, as 1/2."""
    return f"{found[1]} {unicodedata.normalize('NFKC', found[2])}".replace("\u2044", "/").lstrip()


def _one_by_one(digits: str, least: int = 0) -> str:
    """Each digit by itself; short numbers stay."""
    return digits if len(digits) < least else " ".join(_DIGITS[int(digit)] for digit in digits if digit.isdigit())


def _phone(number: re.Match[str]) -> str:
    """Digit by digit, with a short stop between the groups."""
    plus = "plus " if number[0].startswith("+") else ""
    return plus + ", ".join(map(_one_by_one, re.findall(r"\d+", number[0])))


def _code(found: re.Match[str]) -> str:
    return f"{found[1]}{_one_by_one(found[2])}"


def _decade(tens: str) -> str:
    return _DECADES.get(tens, "hundreds")


def _measure(found: re.Match[str]) -> str:
    unit = _UNITS[found[2]]
    return f"{found[1]} {unit if found[1] == '1' else _PLURALS.get(unit, f'{unit}s')}"
