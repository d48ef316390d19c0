"""Where the three services of an agent are, and what they say of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from wyoming.event import Event

from voiceperf.errors import InputError
from voiceperf.live.client import Link
from voiceperf.live.info import FREED, OURS
from voiceperf.live.params import ServiceParams
from voiceperf.roles import SPEAKING, THINKING


@dataclass(frozen=True)
class Services:
    """Where the three are, and how they are talked to."""

    hears: str
    answers: str
    speaks: str
    params: ServiceParams = field(default_factory=ServiceParams)

    def interrupted(self) -> dict[str, str]:
        """By role, those that work on a reply."""
        return {THINKING: self.answers, SPEAKING: self.speaks}


async def freed(uri: str, params: ServiceParams) -> list[float]:
    """How long a service's engine was at work yet for each client that was gone, in ms; nothing of others' services.

    Raises:
        ServiceError: it cannot be reached.
    """
    link = await Link.to(uri, params)
    try:
        info = await link.info()
        if not any(program.name.startswith(OURS) for program in (*info.handle, *info.tts)):
            return []
        await link.send(Event(FREED))
        while (event := await link.receive(params.event_s)).type != FREED:
            pass
        return [float(time_ms) for time_ms in event.data["ms"]]
    finally:
        await link.close()


async def services_at(uris: Sequence[str]) -> Services:
    """The three parts of an agent among some URIs.

    Raises:
        ServiceError: one cannot be reached.
        InputError: nobody plays a part.
    """
    parts = {"asr": "", "handle": "", "tts": ""}
    for uri in uris:
        link = await Link.to(uri, ServiceParams())
        info = await link.info()
        await link.close()
        parts = {part: known or (uri if getattr(info, part) else "") for part, known in parts.items()}
    if missing := [part for part, uri in parts.items() if not uri]:
        raise InputError(f"none of {', '.join(uris)} offers {' or '.join(missing)}; name one more --uri")
    return Services(parts["asr"], parts["handle"], parts["tts"])
