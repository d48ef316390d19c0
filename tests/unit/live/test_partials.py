"""Which words are sure while they are still being said."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from wyoming.asr import TranscriptChunk

from voiceperf.live.partials import Partials

WORDS = st.lists(st.sampled_from(["A", "table", "for", "two", "on", "Friday", "Fry"]), max_size=6).map(" ".join)


def told(*transcripts, end=True):
    """What a client gets while such transcripts come, one after the other."""
    sent = []

    async def send(event):
        sent.append(event)

    async def all_of_it():
        partials = Partials(None, send, 0.5)
        for transcript in transcripts:
            await partials.add(transcript)
        if end:
            await partials.end()

    asyncio.run(all_of_it())
    return sent


def text_of(sent):
    return "".join(TranscriptChunk.from_event(event).text for event in sent if TranscriptChunk.is_type(event.type))


def test_words_are_handed_out_once_two_transcripts_agree():
    """As the later one writes them; what is new goes on from there."""
    sent = told("A table", "a table, for", "A table for two", "A table for two people on")
    assert [event.type for event in sent] == [
        "transcript-start",
        *["transcript-chunk"] * 3,
        "transcript-stop",
    ]
    assert text_of(sent) == "a table, for two"


def test_a_single_transcript_is_not_sure():
    """Nothing begins, and so nothing ends."""
    assert told("A table") == []
    assert told("A table", "Able") == []


def test_words_that_were_handed_out_are_not_taken_back():
    """Where later transcripts contradict them nothing more is said of it."""
    assert text_of(told("A table", "A table", "Able for two", "Able for two")) == "A table"


@given(st.lists(WORDS, max_size=8))
def test_what_is_handed_out_only_grows(transcripts):
    """However they change, each client text begins with the one before; and it is a beginning of some transcript."""
    before = ""
    for count in range(len(transcripts) + 1):
        now = text_of(told(*transcripts[:count]))
        assert now.startswith(before)
        assert not now or any(transcript.startswith(now) for transcript in transcripts[:count])
        before = now
