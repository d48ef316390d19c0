import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.judge.text import (
    Heard,
    Word,
    compare_hearing,
    normalise,
    rates_by_kind,
    score,
    word_differences,
    word_error_rate,
)
from voiceperf.judge.verdict import Verdict
from voiceperf.loops import is_loop


@pytest.mark.parametrize(
    ("reference", "transcript"),
    [("eight", "8."), ("the seventh", "The 7th"), ("colour", "Color!"), ("it's two o'clock", "It is 2 o'clock")],
)
def test_spelling_and_numerals_are_no_errors(reference, transcript):
    """What a listener would call the same words scores zero."""
    assert score(reference, transcript).errors == 0


@pytest.mark.parametrize(
    ("reference", "transcript", "errors"),
    [("press one now", "press one", 1), ("press one", "press one now please", 2), ("yes", "no", 1), ("yes", "", 1)],
)
def test_errors_are_counted_in_words(reference, transcript, errors):
    """Deletions, insertions and substitutions count one each."""
    assert score(reference, transcript).errors == errors


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("five five three five", ["5535", "5-5-3-5", "5 5 3 5", "five five 35"]),
        ("oh four one", ["041", "0 4 1", "0-4-1"]),
        ("one", ["1", "One."]),
        ("ten thirty", ["10:30", "1030", "10 30"]),
        ("G L E N N", ["GLENN", "G-L-E-N-N.", "Glenn"]),
        ("X G I C two", ["X-G-I-C 2", "x g i c two", "XGIC two"]),
    ],
)
def test_how_a_number_or_a_spelled_word_is_written_is_no_error(said, written):
    """Digits written together or apart, and letters with hyphens or without, are what was said."""
    assert [score(said, text).errors for text in written] == [0] * len(written)


@pytest.mark.parametrize(
    ("language", "reference", "transcript", "errors", "words"),
    [
        ("de", "Größer als drei Straßen!", "größer als drei strassen", 0, 4),
        ("fr", "L'été est là.", "l\N{RIGHT SINGLE QUOTATION MARK}été est las", 1, 3),
        ("hi", "नमस्ते, आप कैसे हैं?", "नमस्ते आप कैसे है", 1, 4),
        ("ja", "こんにちは。元気ですか", "こんにちわ 元気ですか", 1, 10),
        ("th", "สวัสดีครับ", "สวัสดีคับ", 2, 7),
        ("zh-CN", "你好世界", "你好", 2, 4),
        ("es", "Tengo 23 años", "tengo 2 3 años", 0, 4),
    ],
)
def test_other_languages_are_counted_as_they_are_written(language, reference, transcript, errors, words):
    """Words where they are written apart, else characters with their marks; case and punctuation are no matter."""
    assert score(reference, transcript, language) == Heard(errors, words, empty=False, loop=False)


def test_a_number_counts_digit_by_digit():
    """One wrong digit of seven is one error in seven words."""
    assert score("two six eight five nine five two", "268-5942") == Heard(1, 7, empty=False, loop=False)
    assert score("four four four seven", "4447").loop is False


def test_wer_pools_words_not_utterances():
    """A long utterance weighs by its words."""
    assert word_error_rate([Heard(1, 1, False, False), Heard(0, 9, False, False)]) == pytest.approx(0.1)
    assert word_error_rate([]) is None


def test_rates_stand_apart_by_kind():
    """Each kind has its own rate for each set of scores, in the order in which kinds appear."""
    right, wrong, wordless = Heard(0, 4, False, False), Heard(1, 4, False, False), Heard(0, 0, False, False)
    rates = rates_by_kind(["word", "digit", "word", "noise"], [right, wrong, wrong, wordless], [right] * 3 + [wordless])
    assert rates == {"word": [0.125, 0.0], "digit": [0.25, 0.0], "noise": [None, None]}
    assert list(rates) == ["word", "digit", "noise"]


@pytest.mark.parametrize(
    ("transcript", "reference", "loop"),
    [
        ("ask ask ask ask ask", "ask", True),
        ("thank you thank you thank you thank you", "thank you", True),
        ("one five two two one", "one five two two one", False),
        ("two two two two", "two two two two", False),
        ("ask what you can do ask what you can do", "", False),
        ("", "", False),
    ],
)
def test_loops_are_told_from_repetition(transcript, reference, loop):
    """A phrase said four times in a row is a loop, unless the speaker said it so."""
    assert is_loop(transcript, reference) is loop


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=4), st.integers(4, 8))
def test_every_short_phrase_repeated_is_a_loop(phrase, times):
    """Any phrase of up to four words, four or more times over, is seen."""
    assert is_loop(" ".join(phrase * times))


@given(st.text())
def test_normalising_twice_changes_nothing_to_judge(text):
    """A transcript always agrees with itself."""
    assert score(text, text).errors == 0 or not normalise(text)


def scores(errors, words=5):
    return [Heard(e, words, empty=False, loop=False) for e in errors]


def speakers(count):
    return [f"s{n % 40}" for n in range(count)]


def test_equal_hearing_is_not_inferior():
    """The same errors on both sides pass."""
    same = scores([1, 0, 0, 0] * 40)
    assert compare_hearing(same, same, speakers(160)).finding().verdict is Verdict.PASS


def test_surely_worse_hearing_fails():
    """A loss of ten points over all speakers is a FAIL."""
    compared = compare_hearing(scores([0, 0] * 80), scores([1, 0] * 80), speakers(160))
    assert compared.finding().verdict is Verdict.FAIL


def test_few_utterances_are_invalid():
    """Ten utterances cannot prove anything about two points."""
    same = scores([0] * 10)
    assert compare_hearing(same, same, speakers(10)).finding().verdict is Verdict.INVALID


def test_one_new_loop_fails_whatever_the_rate():
    """A hallucination loop that the baseline did not have is never traded for speed."""
    before = scores([1] * 160)
    after = [*scores([0] * 159), Heard(1, 5, empty=False, loop=True)]
    compared = compare_hearing(before, after, speakers(160))
    assert compared.new_loops == 1
    assert compared.finding().verdict is Verdict.FAIL


def test_heavy_noise_is_inconclusive():
    """Gains and losses that cancel out over few speakers leave a doubt, not a pass."""
    before, after = scores([5, 0] * 80), scores([0, 5] * 80)
    finding = compare_hearing(before, after, [f"s{n % 2}{n % 6}" for n in range(160)]).finding()
    assert finding.verdict is Verdict.INCONCLUSIVE


def test_a_single_speaker_is_no_certainty():
    """One error more in 120 words of one speaker is a doubt, not a loss: their utterances are what varies."""
    before, after = ([Heard(errors, 3, False, False) for errors in row] for row in ([0] * 40, [1] + [0] * 39))
    compared = compare_hearing(before, after, ["me"] * 40)
    assert compared.difference.low < compared.difference.estimate < compared.difference.high
    assert compared.finding().verdict is Verdict.INCONCLUSIVE


def test_differences_name_what_was_said_and_what_was_heard():
    """A wrong word stands with the one that was wanted; others are extra or missing."""
    assert word_differences("My name is Ann Lee", "my name was ann lee too") == [
        Word("same", "my"),
        Word("same", "name"),
        Word("wrong", "was", "is"),
        Word("same", "ann"),
        Word("same", "lee"),
        Word("extra", "too"),
    ]
    assert word_differences("yes", "") == [Word("missing", "yes")]


@given(
    st.lists(st.sampled_from(["red", "blue", "green"]), min_size=1, max_size=6),
    st.lists(st.sampled_from(["red", "blue", "tall"]), max_size=6),
)
def test_as_many_differences_are_shown_as_errors_are_counted(said, heard):
    """What a reader sees marked is what the word error rate counts."""
    shown = word_differences(" ".join(said), " ".join(heard))
    assert sum(word.kind != "same" for word in shown) == score(" ".join(said), " ".join(heard)).errors


def test_silence_where_words_were_heard_is_a_loss_and_where_none_were_is_not():
    """A transcript without words fails where the baseline hears some right; where it makes them up, nothing is lost."""
    right, wrong, silent = Heard(0, 5, False, False), Heard(5, 5, False, False), Heard(5, 5, True, False)
    speakers = [f"s{number}" for number in range(40)]
    lost, spared = (compare_hearing([*[right] * 39, one], [*[right] * 39, silent], speakers) for one in (right, wrong))
    assert (lost.new_empty, spared.new_empty) == (1, 0)
    assert spared.finding().verdict is Verdict.PASS
