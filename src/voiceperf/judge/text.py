"""Transcripts judged: word error rate under one normaliser, empty and looping transcripts, non-inferiority."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import jiwer
from whisper_normalizer.english import EnglishTextNormalizer

from voiceperf.judge.speakers import ONE_SIDED, difference_over_speakers
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import Check, Finding, Verdict, at_most, point_at_most, worst
from voiceperf.loops import is_loop

WER_MARGIN = 0.02  # upper bound of the difference: 2 points, about one word in fifty
WER_SHIFT = 0.005  # the difference itself: half a point, so that many small losses do not hide in the margin
MIN_UTTERANCES = 30  # fewer cannot bound a difference of two points
ENGLISH = "en"
_NOT_APART = frozenset({"zh", "yue", "ja", "th", "lo", "my", "km", "bo"})  # languages that put no space between words
_CHARACTER = re.compile(r"\w\W*|\W+")  # a letter with the marks on it, in text without spaces
_LEADING_ZERO, _ONE = re.compile(r"\b0\d+\b"), re.compile(r"\bone\b")
_LETTERS, _BETWEEN_DIGITS = re.compile(r"\b[a-z](?: [a-z]\b)+"), re.compile(r"(?<=\d)(?=\d)")


@cache
def _normaliser() -> EnglishTextNormalizer:
    return EnglishTextNormalizer()


def normalise(text: str, language: str = ENGLISH) -> str:
    """Fold what may be written one way or another.

    Of English that is case, punctuation, numerals and spelling, as whisper's own evaluation folds them (Radford et al.
    2022, app. C); of other languages case and punctuation. Where words are not written apart, characters come apart:
    the error rate is then one of characters (CER).
    """
    code = _code(language)
    if code == ENGLISH:
        folded: str = _normaliser()(text)
        return folded.strip()
    kept = unicodedata.normalize("NFKC", text).casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    words = "".join(one if unicodedata.category(one)[0] in "LMN" or one == "'" else " " for one in kept).split()
    return " ".join(_CHARACTER.findall("".join(words)) if code in _NOT_APART else words)


def _code(language: str) -> str:
    """Of a language code with a region, as en-us, the language."""
    return language.casefold().replace("_", "-").partition("-")[0]


def words_of(text: str, language: str = ENGLISH) -> list[str]:
    """The words of a text as errors are counted in them, folded; characters, where words are not written apart.

    Numbers count digit by digit, and letters spelled one by one are one word: whether somebody who says "five five" is
    written 55 or 5-5 is no matter of hearing.
    """
    if _code(language) != ENGLISH:
        return _BETWEEN_DIGITS.sub(" ", normalise(text, language)).split()
    whole = _LEADING_ZERO.sub(lambda number: " ".join(number[0]), text)  # the normaliser would drop it
    folded = _ONE.sub("1", normalise(whole))
    spelled = _LETTERS.sub(lambda letters: letters[0].replace(" ", ""), folded)
    return _BETWEEN_DIGITS.sub(" ", spelled).split()


@dataclass(frozen=True)
class Heard:
    """One utterance's score: word errors against its reference, which has `words` words."""

    errors: int
    words: int
    empty: bool
    loop: bool


def score(reference: str, transcript: str, language: str = ENGLISH) -> Heard:
    """Count the word errors of one transcript, both sides folded."""
    wanted, got = words_of(reference, language), words_of(transcript, language)
    if not got:
        return Heard(len(wanted), len(wanted), empty=bool(wanted), loop=False)
    counts = jiwer.process_words(" ".join(wanted), " ".join(got))
    errors = counts.substitutions + counts.deletions + counts.insertions
    return Heard(
        errors, len(wanted), empty=False, loop=is_loop(normalise(transcript, language), normalise(reference, language))
    )


@dataclass(frozen=True)
class Word:
    """A word of a transcript beside its reference: `same`, `wrong` (for `wanted`), `extra`, or `missing`."""

    kind: str
    text: str
    wanted: str = ""


def word_differences(reference: str, transcript: str, language: str = ENGLISH) -> list[Word]:
    """A transcript word by word, aligned as its errors are counted, both sides folded."""
    wanted, got = words_of(reference, language), words_of(transcript, language)
    if not wanted or not got:
        return [Word("missing", word) for word in wanted] + [Word("extra", word) for word in got]
    words = []
    for part in jiwer.process_words(" ".join(wanted), " ".join(got)).alignments[0]:
        said = wanted[part.ref_start_idx : part.ref_end_idx]
        heard = got[part.hyp_start_idx : part.hyp_end_idx]
        if part.type == "substitute":
            words += [Word("wrong", b, a) for a, b in zip(said, heard, strict=True)]
        else:
            kind = {"equal": "same", "insert": "extra", "delete": "missing"}[part.type]
            words += [Word(kind, word) for word in heard or said]
    return words


def word_error_rate(scores: Sequence[Heard]) -> float | None:
    """Errors over words of the whole set; None without words."""
    words = sum(score.words for score in scores)
    return sum(score.errors for score in scores) / words if words else None


def rates_by_kind(kinds: Sequence[str], *scored: Sequence[Heard]) -> dict[str, list[float | None]]:
    """By kind of utterance the word error rate of each set of scores, all in the utterances' order."""
    return {
        kind: [
            word_error_rate([score for own, score in zip(kinds, scores, strict=True) if own == kind])
            for scores in scored
        ]
        for kind in dict.fromkeys(kinds)
    }


@dataclass(frozen=True)
class HearingComparison:
    """How a candidate hears beside a baseline, on the same utterances.

    `new_empty` counts transcripts without words where the baseline has heard some right, `new_loops` those that go
    round in circles where the baseline's does not.
    """

    baseline_wer: float
    candidate_wer: float
    difference: Interval
    new_empty: int
    new_loops: int
    candidate: tuple[Heard, ...]

    def finding(self, min_utterances: int = MIN_UTTERANCES) -> Finding:
        """Non-inferior, or not."""
        broken = self.new_empty + self.new_loops
        return worst(
            [
                at_most(self.difference, WER_MARGIN, "WER difference", min_samples=min_utterances),
                _shift(self.difference),
                point_at_most(broken, 0, "new empty or looping transcripts"),
            ]
        )


def _shift(difference: Interval) -> Finding:
    """The difference itself; above the bar it fails where it is surely a loss, else it leaves a doubt."""
    reason = f"WER shift {difference.estimate:+.4f}, bar {WER_SHIFT:g}"
    checks = (Check("WER shift", difference.estimate, WER_SHIFT),)
    if difference.estimate <= WER_SHIFT:
        return Finding(Verdict.PASS, reason, checks)
    return Finding(Verdict.FAIL if difference.low > 0 else Verdict.INCONCLUSIVE, reason, checks)


def compare_hearing(
    baseline: Sequence[Heard], candidate: Sequence[Heard], speakers: Sequence[str], confidence: float = ONE_SIDED
) -> HearingComparison | None:
    """Compare scores of the same utterances in the same order; None without any words.

    The rates are of all words; in the difference no speaker counts for more than a tenth.
    """
    errors = [(b.errors, c.errors) for b, c in zip(baseline, candidate, strict=True)]
    difference = difference_over_speakers(errors, [b.words for b in baseline], speakers, confidence)
    before, after = word_error_rate(baseline), word_error_rate(candidate)
    if difference is None or before is None or after is None:
        return None
    pairs = list(zip(baseline, candidate, strict=True))
    new_empty = sum(c.empty and b.errors < b.words for b, c in pairs)
    new_loops = sum(c.loop and not b.loop for b, c in pairs)
    return HearingComparison(before, after, difference, new_empty, new_loops, tuple(candidate))
