"""The service that answers: a transcript in, the reply out as it is made."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial
from typing import Any

from wyoming.asr import Transcript
from wyoming.event import Event
from wyoming.handle import Handled, HandledChunk, HandledStart, HandledStop

from voiceperf.conversation import ROLES, Message, without_oldest
from voiceperf.engines.base import Prompt, Reply
from voiceperf.errors import ServiceError, VoicePerfError
from voiceperf.live.queue import Answer
from voiceperf.live.session import Session
from voiceperf.log import log_event
from voiceperf.roles import SCRIPT


class Thinking(Session):
    """A connection is a conversation, unless `context.conversation_id` names one that goes on over several.

    A client that keeps it itself sends all of it as `context.messages`. What does not end with the user's words is read
    ahead and answered by an empty `handled`, so that the next turn finds it read; of a conversation that is kept here
    this happens by itself. `context.n_tokens` fixes a reply's length and `context.script` its words, for measuring.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._begin: list[Message] = [{"role": "system", "content": self.shared.system_prompt}]
        self._messages = self._begin  # so far, of the conversation that has no name

    async def on_event(self, event: Event) -> None:
        if Transcript.is_type(event.type):
            await self.start(partial(self._reply, Transcript.from_event(event)))

    async def _reply(self, heard: Transcript) -> None:
        prompt = self._prompt(heard)
        answer = await self._streamed(prompt)
        assert isinstance(answer.output, Reply)
        text = answer.output.text
        messages: list[Message] = [*prompt.messages, {"role": "assistant", "content": text}]
        is_kept_here = "messages" not in _context(heard)
        if is_kept_here:  # before the client has it all, and may be gone
            self._keep(heard, messages)
        await self.send(Handled(text, context=answer.as_context()).event())
        if text:
            await self.send(HandledStop().event())
        if is_kept_here:
            with contextlib.suppress(VoicePerfError):  # nobody asked for it, so nobody is told
                await self.queue.ask(Prompt(tuple(messages)))

    def _so_far(self, heard: Transcript) -> list[Message]:
        name = _name(heard)
        return self._messages if name is None else self.shared.conversations.get(name, self._begin)

    def _keep(self, heard: Transcript, messages: list[Message]) -> None:
        name = _name(heard)
        if name is None:
            self._messages = messages
        else:
            self.shared.conversations[name] = messages

    async def _streamed(self, prompt: Prompt) -> Answer:
        """The engine's answer, its parts sent as they come."""
        parts: asyncio.Queue[str | None] = asyncio.Queue()
        asking = asyncio.create_task(self.queue.ask(prompt, parts.put_nowait))
        asking.add_done_callback(lambda _: parts.put_nowait(None))
        begun = False
        try:
            while (part := await parts.get()) is not None:
                if not begun:
                    await self.send(HandledStart().event())
                    begun = True
                await self.send(HandledChunk(part).event())
        finally:
            asking.cancel()
        return await asking

    def _prompt(self, heard: Transcript) -> Prompt:
        context = _context(heard)
        if not isinstance(heard.text, str):
            raise ServiceError("a transcript's text must be one", "malformed")
        messages = context.get("messages", [*self._so_far(heard), {"role": "user", "content": heard.text}])
        n_tokens, script = context.get("n_tokens"), context.get("script", "")
        if not _are_messages(messages) or not isinstance(script, str):
            raise ServiceError(f"context.messages must be a list of {{role, content}}, roles {ROLES}", "malformed")
        if n_tokens is not None and (type(n_tokens) is not int or n_tokens < 1):
            raise ServiceError("context.n_tokens must be a number above 0", "malformed")
        most = self.params.max_characters
        found = without_oldest(messages, lambda some: _characters(some) + len(script) <= most)
        if found is None:
            raise ServiceError(f"the system prompt and the last words have more than {most} characters", "too-long")
        if found[1]:
            log_event("dropped", engine=self.shared.engine.engine, messages=found[1], max_characters=most)
        follows = SCRIPT in self.shared.engine.can  # else it answers in its own words
        return Prompt(tuple(found[0]), n_tokens, script=script if follows else "")


def _characters(messages: Sequence[Message]) -> int:
    """An empty message counts as well: its role is read."""
    return sum(max(1, len(message["content"])) for message in messages)


def _context(heard: Transcript) -> dict[str, Any]:
    return heard.context if isinstance(heard.context, dict) else {}


def _name(heard: Transcript) -> str | None:
    """Of the conversation, where the client gives it one."""
    name = _context(heard).get("conversation_id")
    return name if isinstance(name, str) and name else None


def _are_messages(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, dict) and set(one) == {"role", "content"} for one in value)
        and all(one["role"] in ROLES and isinstance(one["content"], str) for one in value)
    )
