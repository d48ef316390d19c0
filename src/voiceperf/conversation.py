"""A conversation as chat messages: what of it is kept where not all of it fits."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence

Message = dict[str, str]
ROLES = ("system", "user", "assistant")
_AT_ONCE = 4  # exchanges; dropped together, so that what is left begins alike for some turns and need not be read anew


def without_oldest(
    messages: Sequence[Message], fits: Callable[[Sequence[Message]], bool]
) -> tuple[list[Message], int] | None:
    """The messages with as many of the oldest exchanges dropped as it takes, and how many messages that were.

    What the system prompt says and what the caller said last are always kept. Several exchanges go at once: a
    conversation that was cut one by one would begin otherwise at every turn.

    Args:
        messages: the whole conversation, oldest first.
        fits: whether so much of it is short enough; what fits, fits with less of it too.

    Returns:
        None where even the system prompt and the last words are too long.
    """
    if fits(messages):
        return list(messages), 0
    system = [message for message in messages[:1] if message["role"] == "system"]
    rest = list(messages[len(system) :])
    # what is kept may begin with whatever the caller says
    begins = [number for number, message in enumerate(rest) if message["role"] == "user" and number > 0]

    def kept(dropped: int) -> list[Message]:
        return [*system, *rest[begins[dropped] :]]

    # by how many exchanges are dropped, less one; the fewer are left, the shorter it is
    enough = bisect_left(range(len(begins)), True, key=lambda dropped: fits(kept(dropped)))
    if enough == len(begins):
        return None
    together = (enough // _AT_ONCE + 1) * _AT_ONCE - 1
    number = together if together < len(begins) else enough
    return kept(number), begins[number]
