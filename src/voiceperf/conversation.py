"""A conversation as chat messages: what of it is kept where not all of it fits."""

from __future__ import annotations

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
        fits: whether so much of it is short enough.

    Returns:
        None where even the system prompt and the last words are too long.
    """
    if fits(messages):
        return list(messages), 0
    system = [message for message in messages[:1] if message["role"] == "system"]
    rest = list(messages[len(system) :])
    # what is kept may begin with whatever the caller says
    begins = [number for number, message in enumerate(rest) if message["role"] == "user" and number > 0]
    kept = [[*system, *rest[begin:]] for begin in begins]  # by how many exchanges are dropped, less one
    enough = next((number for number, some in enumerate(kept) if fits(some)), None)
    if enough is None:
        return None
    together = (enough // _AT_ONCE + 1) * _AT_ONCE - 1
    number = together if together < len(kept) else enough
    return kept[number], begins[number]
