"""What of a conversation is kept where not all of it fits."""

from hypothesis import given
from hypothesis import strategies as st

from voiceperf.conversation import without_oldest

SYSTEM = {"role": "system", "content": "Be brief."}
LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=30)


def conversation(lengths):
    """A greeting, then exchanges that end with the caller's words."""
    said = [{"role": "assistant", "content": "Hello."}]
    for number, length in enumerate(lengths):
        said.append({"role": "user", "content": f"{number}" + "x" * length})
        said.append({"role": "assistant", "content": "y" * length})
    return [SYSTEM, *said[:-1]]


def within(most):
    return lambda some: sum(len(message["content"]) for message in some) <= most


@given(LENGTHS, st.integers(0, 1500))
def test_what_is_kept_fits_and_ends_alike(lengths, most):
    """The system prompt and the last words stay, what is between is the newest part, and it fits; else nothing does."""
    messages = conversation(lengths)
    found = without_oldest(messages, within(most))
    if found is None:
        assert not within(most)([SYSTEM, messages[-1]])
        return
    kept, dropped = found
    assert kept[0] == SYSTEM
    assert kept[1:] == messages[1 + dropped :]
    assert kept[-1] == messages[-1]
    assert within(most)(kept)


@given(LENGTHS)
def test_what_fits_is_left_as_it_is(lengths):
    """Nothing is dropped without need."""
    messages = conversation(lengths)
    assert without_oldest(messages, within(10**9)) == (messages, 0)


def test_the_begin_of_what_is_kept_stays_for_some_turns():
    """A growing conversation is cut several exchanges at a time, so that most turns begin as the one before."""
    begins = []
    for turns in range(20, 40):
        kept, _ = without_oldest(conversation([10] * turns), within(300))
        begins.append(kept[1]["content"])
    assert len(set(begins)) <= 6


def test_a_conversation_without_a_system_prompt_keeps_its_end():
    """Where nobody has said how to behave, the newest messages are kept."""
    kept, dropped = without_oldest(conversation([10] * 9)[1:], within(60))
    assert kept[0]["role"] == "user"
    assert dropped > 0


def test_a_long_conversation_is_looked_at_a_few_times():
    """However many messages there are, some tens of looks find what fits, and none holds them all at once."""
    looks = []

    def fits(some):
        looks.append(len(some))
        return len(some) <= 5

    messages = [SYSTEM, *({"role": "user", "content": "a"} for _ in range(30_000))]
    kept, dropped = without_oldest(messages, fits)
    assert (len(kept), len(looks) < 20) == (len(messages) - dropped, True)
