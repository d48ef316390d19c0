"""Which of some services is which: each is asked what it can do."""

from __future__ import annotations

from collections.abc import Sequence

from voiceperf.errors import InputError
from voiceperf.live.agent import Services
from voiceperf.live.client import Link
from voiceperf.live.params import ServiceParams


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
