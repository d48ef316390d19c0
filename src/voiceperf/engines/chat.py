"""A conversation as a model's chat template writes it, and as tokens that nobody in it can fake."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import llama_cpp
from llama_cpp.llama_chat_format import Jinja2ChatFormatter

from voiceperf.conversation import Message
from voiceperf.errors import ModelError

_PLACE = "\ue000{}\ue001"  # stands for one message's words; both characters are for private use
_MARK = re.compile(r"<.+>|\[.+\]")  # how models spell the begin and the end of a turn
_PLACES = re.compile("\ue000([0-9]+)\ue001")

Tokenise = Callable[[str, bool, bool], list[int]]
"""A text, whether it begins the context, and whether control tokens in it count."""


def steering(vocabulary: Any, ends: Collection[int]) -> tuple[list[str], list[str]]:
    """The texts of a vocabulary's tokens that steer a conversation; and of those that are the file's own, and look so.

    llama.cpp finds the latter in a text whatever it is asked.

    Args:
        vocabulary: llama.cpp's.
        ends: its tokens that end a reply.
    """
    controls: list[str] = []
    own: list[str] = []
    for token in range(llama_cpp.llama_vocab_n_tokens(vocabulary)):
        text: str = llama_cpp.llama_vocab_get_text(vocabulary, token).decode(errors="replace")
        if llama_cpp.llama_vocab_get_attr(vocabulary, token) & llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED:
            own += [text] if token in ends or _MARK.fullmatch(text) else []
        elif token in ends or llama_cpp.llama_vocab_is_control(vocabulary, token):
            controls.append(text)
    return controls, own


class ChatFormat:
    """One model's template.

    Args:
        model: what an error calls it.
        template: Jinja, as the model's file carries it.
        ends: the texts of its tokens for the end and the begin of a sequence.
        controls: the texts of all tokens that steer a conversation.
        tokenise: the model's tokeniser.
        own: the texts of tokens that it finds in a text whatever it is asked, and that look as if they steered.
        told: what the template is told beside the conversation, by name.
    """

    def __init__(
        self,
        model: str,
        template: str,
        ends: tuple[str, str],
        controls: Collection[str],
        tokenise: Tokenise,
        *,
        own: Collection[str] = (),
        told: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self._model, self._tokenise, self._told = model, tokenise, dict(told)
        self._own, self._all = _any_of(own), _any_of((*controls, *own))
        self._by_reply = {
            reply_follows: Jinja2ChatFormatter(template, *ends, add_generation_prompt=reply_follows)
            for reply_follows in (True, False)
        }

    def tokens(self, messages: Sequence[Message], *, reply_follows: bool) -> list[int]:
        """The conversation as tokens.

        What looks like a control token in somebody's words is text: a caller cannot end his turn and go on as the
        system.

        Raises:
            ModelError: the template takes no such conversation.
        """
        if not any(self._all.search(message["content"]) for message in messages):
            text, is_begun = self._written(messages, reply_follows=reply_follows)
            return self._tokenise(text, not is_begun, True)
        places = [{**message, "content": _PLACE.format(n)} for n, message in enumerate(messages)]
        text, is_begun = self._written(places, reply_follows=reply_follows)
        found: list[int] = []
        for number, part in enumerate(_PLACES.split(text)):
            is_words = number % 2 == 1
            words = self._apart(messages[int(part)]["content"]) if is_words else [part]
            for place, some in enumerate(filter(None, words)):
                found += self._tokenise(some, number == place == 0 and not is_begun, not is_words)
        return found

    def _apart(self, words: str) -> list[str]:
        """Somebody's words, in parts of which none has such a token whole: they are cut in the middle."""
        parts = [words]
        while True:  # what is left of one may be the begin of another
            cut = [half for part in parts for half in self._halves(part)]
            if len(cut) == len(parts):
                return parts
            parts = cut

    def _halves(self, words: str) -> Iterator[str]:
        begin = 0
        for found in self._own.finditer(words):
            middle = found.start() + len(found[0]) // 2
            if middle > begin:
                yield words[begin:middle]
                begin = middle
        yield words[begin:]

    def _written(self, messages: Sequence[Message], *, reply_follows: bool) -> tuple[str, bool]:
        """The conversation as text, and whether it begins with the token that begins a sequence."""
        formatter = self._by_reply[reply_follows]
        try:
            formatted = formatter(messages=list(messages), **self._told)
        except Exception as as_is:  # whatever a template raises; most say it by a ValueError
            try:
                formatted = formatter(messages=without_system(messages), **self._told)
            except Exception:
                reason = " ".join(str(as_is).split()) or type(as_is).__name__
                raise ModelError(
                    f"{self._model}: its chat template takes no conversation of system, user and assistant ({reason});"
                    " use an instruct model with another template"
                ) from None
        return formatted.prompt, formatted.added_special


def _any_of(texts: Iterable[str]) -> re.Pattern[str]:
    """Finds whichever of some texts stands somewhere, the longest first; of none, nothing."""
    return re.compile("|".join(map(re.escape, sorted(filter(None, texts), key=len, reverse=True))) or r"(?!)")


def without_system(messages: Sequence[Message]) -> list[Message]:
    """For templates without a system role: its words begin what the user says, and roles take turns."""
    found: list[Message] = []
    for message in messages:
        role = "user" if message["role"] == "system" else message["role"]
        if found and found[-1]["role"] == role:
            found[-1] = {"role": role, "content": f"{found[-1]['content']}\n\n{message['content']}"}
        else:
            found.append({"role": role, "content": message["content"]})
    return found
