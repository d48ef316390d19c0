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
_DAY_ALONE = re.compile(rf"{_DAY}(?=,\s+\d|,?\s+(?:{'|'.join(month[:3] for month in _MONTHS)})[a-z]*\.?\s+\d)")
_DAYS_TO = re.compile(rf"{_DAY}\s?(?:[-\u2013]|to)\s?{_DAY}")
_MONTH_DAY = re.compile(
    rf"\b({'|'.join(f'{month[:3]}(?:{month[3:]}|t)?' for month in _MONTHS)})\.?\s(\d\d?)(?:st|nd|rd|th)?"
    r"(?:\s?[-\u2013]\s?(\d\d?)(?:st|nd|rd|th)?)?(?:,?\s(\d{4}))?(?![\d:]|[.,]\d)"
)
_ENDINGS = {1: "st", 2: "nd", 3: "rd"}  # of ordinals
_DECADES = {"2": "twenties", "3": "thirties", "4": "forties", "5": "fifties", "6": "sixties", "7": "seventies"}
_DECADES |= {"0": "hundreds", "1": "tens", "8": "eighties", "9": "nineties"}
_APOSTROPHES = "'\u2019"
_ERA = rf"(?<!\w)[{_APOSTROPHES}]|\b(?:the|mid|early|late|his|her|their|my)[ -][{_APOSTROPHES}]?"  # no seconds
_UNITS = {"V": "volt", "W": "watt", "kW": "kilowatt", "kWh": "kilowatt hour", "mAh": "milliampere hour", "L": "liter"}
_UNITS |= {"l": "liter", "m": "meter", "hr": "hour", "hrs": "hour", "h": "hour", "sec": "second", "secs": "second"}
_UNITS |= {"mins": "minute", "in.": "inch", "yd": "yard", "yds": "yard", "sq ft": ""}
_PLURALS = {"inch": "inches", "": "square feet"}
_PLACES = (
    "seat|row|gate|exit|apartment|apt|room|flight|grade|unit|suite|press|section|bus|line|route|level|platform|track"
)
_SIGNS = "|".join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))
_QUANTITY = re.compile(rf"(\b(?:{_PLACES})\s|[A-Z]-)?\b(\d+(?:\.\d+)?)\s?({_SIGNS})(?![\w'])")
_NUMBERED = "room|flight|suite|gate|unit|extension|ext|code|pin|zip|order|account|confirmation|reference|ticket|apt"
_NAMED = "code|number|pin|zip|extension|#"  # what is a number for sure, also where it "is" one
_CODED = re.compile(
    rf"\b((?:(?:{_NUMBERED})\s?(?:{_NAMED})?[\s#:]+(?:no\.?\s)?|(?:{_NAMED})\s?(?:number\s)?is\s))(\d[\d-]{{2,}}\d|\d{{3}})\b"
    # no count of something: nothing follows, or what goes on with the sentence
    r"(?=\s*(?:$|[.,;:!?)\]])|\s(?:is|and|at|on|please|to|for|or|in|now|before|by|as|when|if|from|with|today|has|was|will|"
    r"departs|leaves|boards|arrives|lands|opens|expires)\b)",
    re.IGNORECASE,
)

_ISO_DATE = re.compile(r"\b(\d{4})-(\d\d?)-(\d\d?)\b")
_SLASHED_DATE = re.compile(r"(?<![\d/])(\d\d?)/(\d\d?)/(\d{4}|\d\d)(?![\d/])")
_DAY_OF_YEAR = re.compile(
    r"\b(on|by|before|after|until|till|from|since|through|and|to)\s(?!24/7)(\d\d?)/(\d\d?)(?![\d/]|\s(?:of|cup|tea|table))"
)
_SURELY_A_DAY = ("on", "before", "after", "until", "till", "since")  # words that no fraction follows
_REGNAL = re.compile(r"\b([A-Z][a-z]+)\s(II|III|IV|VI{1,3}|IX|XI{1,3}|XIV|XV|XVI)\b")
_ROMAN = {"II": 2, "III": 3, "IV": 4, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "XI": 11, "XII": 12, "XIII": 13}
_ROMAN |= {"XIV": 14, "XV": 15, "XVI": 16}
_KINGS: tuple[str, ...] = (
    "Henry",
    "Charles",
    "Louis",
    "George",
    "Edward",
    "William",
    "James",
    "Richard",
    "Elizabeth",
    "Catherine",
)
_KINGS += ("Philip", "Frederick", "Francis", "John", "Paul", "Benedict", "Pius", "Leo", "Gregory", "Napoleon", "Ramses")
_COUNTED = ("War", "Chapter", "Part", "Phase", "Type", "Section", "Act", "Level", "Stage", "Volume", "Class", "Bowl")
_FRACTION = re.compile(r"(\d?)([\u00bc-\u00be\u2150-\u215e])")
_PHONE = re.compile(
    r"(?<![\w.,:/$€£-])(?:\+\d{1,3}(?:[\s.-]?\(?\d{1,4}\)?)(?:[\s.-]\d{2,4}){1,4}|(?:1[\s.-])?\(\d{3}\)\s?\d{3}[\s.-]\d{4}"
    r"|(?:1[.-])?\d{3}[.-]\d{3}[.-]\d{4})(?![\w:/%-]|[.,]\d)"
)
_LOCAL_PHONE = re.compile(
    r"(\b(?:call|dial|phone|text|fax|number|at|on|is|or)\s)?(?<![\w.,:/$\u20ac\u00a3-])(\d{3})-(\d{4})(?![\w:/%-]|[.,]\d)",
    re.I,
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
    (r"\b([Cc]all|[Dd]ial|[Tt]ext) (\d)(\d)(\d)\b(?![-.,]\d)", r"\1 \2 \3 \4"),
    (r"\b10s of\b", "tens of"),
    (r"\b100s\b", "hundreds"),
    (r"\b1,?000s\b", "thousands"),
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
    (r"\bSt(?=\s[A-Z][a-z])", "Saint"),
    (r"\b([A-Z]\w+\s)St\b\.?", r"\1Street"),
    (r"\b((?:[A-Z]|\d)\w+\s)Ave\b\.?(?!\sMaria)", r"\1Avenue"),
    (r"\b(\w+\s)Blvd\b\.?", r"\1Boulevard"),
    (r"\b(\w+\s)Rd\b\.?", r"\1Road"),
    (r"(\d+\s(?:[A-Z]\w+\s){1,2})Dr\b(?!\.?\s[A-Z])\.?", r"\1Drive"),
    (r"\bApt\b\.?", "apartment"),
    (r"\bDept\b\.?", "department"),
    (r"[~≈]\s?(?=\d)", "about "),
    (r"±\s?", "plus or minus "),
    (r"(?<![-=<])<\s?(?=\d)", "less than "),
    (r"(?<![-=>])>\s?(?=\d)", "more than "),
    (r"(?<=\d)\+(?!\s?\d)", " plus"),
    (r"(?<=\d)'(\d\d?)\"", r" foot \1"),
    (r"\b24/7\b", "twenty four seven"),
    (r"\b50/50\b", "fifty fifty"),
    (r"\b([1-9]\d?)s\b", r"\1 seconds"),
    (r"(ft\s\d+)\sin\b(?!\s(?:the|a|an|my|your|his|her|our|their)\b)", r"\1 inches"),
    (r"(?<![\d-])(\d{1,4})[-\u2013](\d{1,4})(?![\d-])", r"\1 to \2"),
    (r"(?<![\d,.])1,?000(?![\d,])", "one thousand"),
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
        text = _SLASHED_DATE.sub(self._slashed, _LOCAL_PHONE.sub(_local_phone, _PHONE.sub(_phone, text)))
        text = _DAY_OF_YEAR.sub(self._day_of_year, text)
        if self._is_american:
            text = _MONTH_DAY.sub(self._month_day, text)
        text = re.sub(r"#(\d+)", lambda number: f"number {_one_by_one(number[1], 3)}", text)
        text = _CODED.sub(_code, text)
        text = re.sub(r"\b([A-Z]{1,3})(\d{3,})\b", lambda code: f"{' '.join(code[1])} {_one_by_one(code[2])}", text)
        text = re.sub(r"\bv(?=\d+(?:\.\d+)+)", "version ", text)
        text = re.sub(r"(\d+(?:\.\d+){2,})", lambda version: version[1].replace(".", " point "), text)
        text = re.sub(r"\b2000s\b", "two thousands", text)
        text = re.sub(r"\b(1\d|20)(\d)0s\b", lambda years: f"{self._words(years[1])} {_DECADES[years[2]]}", text)
        text = re.sub(
            rf"({_ERA})([2-9])0s\b", lambda years: f"{years[1].rstrip(_APOSTROPHES)}{_DECADES[years[2]]}", text
        )
        for written, said in _REWRITES:
            text = re.sub(written, said, text)
        text = re.sub(r"(?<![\d,.])1,(\d{3})(?![\d,])", lambda rest: f"one thousand {int(rest[1])}", text)
        text = _QUANTITY.sub(_measure, text)
        return " ".join(self._words(text).split()) if any(map(str.isdigit, text)) else text

    def _slashed(self, date: re.Match[str]) -> str:
        first, second = int(date[1]), int(date[2])
        month, day = (first, second) if self._is_american else (second, first)
        year = date[3] if len(date[3]) == 4 else f"20{date[3]}"
        return _date(year, month, day) or date[0]

    def _month_day(self, date: re.Match[str]) -> str:
        """November 28th, 2026, in that order."""
        month = next(month for month in _MONTHS if month.startswith(date[1][:3]))
        if not 1 <= int(date[2]) <= 31:
            return date[0]
        until = f" to {self._words(_ordinal(int(date[3])))}" if date[3] else ""
        year = f", {self._words(f'in {date[4]}').removeprefix('in ')}" if date[4] else ""
        return f"{month} {self._words(_ordinal(int(date[2])))}{until}{year}"

    def _day_of_year(self, date: re.Match[str]) -> str:
        first, second = int(date[2]), int(date[3])
        month, day = (first, second) if self._is_american else (second, first)
        said = _date("", month, day).rstrip(", ")
        is_day = date[1] in _SURELY_A_DAY or day > 12  # else it may be a fraction
        return f"{date[1]} {said}" if said and is_day and first != second else date[0]

    def _numeral(self, found: re.Match[str]) -> str:
        """Of a king the ordinal, else the number; a drip that is intravenous (IV) stays."""
        number = _ROMAN[found[2]]
        if found[1] in _KINGS:
            return f"{found[1]} the {self._words(_ordinal(number))}"
        return found[0] if found[2] in ("IV", "VI") and found[1] not in _COUNTED else f"{found[1]} {number}"

    def _words(self, text: str) -> str:
        """By the grammars; a text that they refuse stays as it is."""
        assert self._normaliser is not None
        try:
            said = self._normaliser.normalize(text).replace('\\"', '"').replace("\\\\", "\\")
        except (AssertionError, TypeError):  # their way to refuse, the second of half a character
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


def _local_phone(found: re.Match[str]) -> str:
    """A number of seven digits; 500-1000 is a range, unless somebody is told to call it."""
    before, first, second = found[1] or "", found[2], found[3]
    is_range = not before and int(first) < int(second) and second[0] != "0"
    return found[0] if is_range else f"{before}{_one_by_one(first)}, {_one_by_one(second)}"


def _code(found: re.Match[str]) -> str:
    return f"{found[1]}{_one_by_one(found[2])}"


def _measure(found: re.Match[str]) -> str:
    """A quantity; the seat 12L is none."""
    place, number, sign = found.groups()
    if place:
        return found[0]
    unit = _UNITS[sign]
    return f"{number} {unit if number == '1' else _PLURALS.get(unit, f'{unit}s')}"
