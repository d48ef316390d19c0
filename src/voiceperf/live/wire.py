"""Wyoming events on a stream: a line of JSON, more JSON, and bytes. Read within limits, written in one go.

The format is that of the `wyoming` package, whose event classes are used; its own reader believes every length.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from typing import Any
from urllib.parse import urlsplit

from wyoming.event import Event
from wyoming.version import __version__ as wyoming_version

from voiceperf.errors import InputError, ServiceError
from voiceperf.live.params import ServiceParams

LOOPBACK = "127.0.0.1"
HEADER_BYTES = 2**16  # asyncio's own limit of a line
_LENGTHS = ("data_length", "payload_length")


async def read_event(reader: asyncio.StreamReader, params: ServiceParams) -> Event | None:
    """The next event, or None where the other side hung up instead.

    Raises:
        ServiceError: it is none, or larger or slower than the limits allow.
        TimeoutError: nothing has come for `idle_s`.
    """
    async with asyncio.timeout(params.idle_s):
        first = await reader.read(1)
    if not first:
        return None
    try:
        async with asyncio.timeout(params.event_s):
            return await _rest(reader, first, params.max_event_bytes)
    except TimeoutError:
        raise ServiceError(f"an event took more than {params.event_s:g} s to arrive", "too-slow") from None
    except asyncio.IncompleteReadError:
        raise ServiceError("the connection ended within an event", "truncated") from None
    except asyncio.LimitOverrunError:
        raise ServiceError(f"an event's header has more than {HEADER_BYTES} bytes", "too-large") from None


async def _rest(reader: asyncio.StreamReader, first: bytes, max_bytes: int) -> Event:
    header = _object(first if first == b"\n" else first + await reader.readuntil(b"\n"), "header")
    name, data = header.get("type"), header.get("data") or {}
    if not isinstance(name, str) or not isinstance(data, dict):
        raise ServiceError("an event needs a type, which is a text, and data, which is an object", "malformed")
    data_bytes, payload_bytes = (_length(header, field) for field in _LENGTHS)
    if data_bytes + payload_bytes > max_bytes:
        raise ServiceError(f"an event of {data_bytes + payload_bytes} bytes; {max_bytes} are allowed", "too-large")
    if data_bytes:
        data = {**data, **_object(await reader.readexactly(data_bytes), "data")}
    return Event(name, data, await reader.readexactly(payload_bytes) if payload_bytes else None)


def _object(text: bytes, what: str) -> dict[str, Any]:
    try:
        found = _whole(json.loads(text))
    except (ValueError, RecursionError):
        raise ServiceError(f"an event's {what} is not JSON", "malformed") from None
    if not isinstance(found, dict):
        raise ServiceError(f"an event's {what} is no JSON object", "malformed")
    return found


def _whole(value: Any) -> Any:
    """JSON whose texts are whole: half a character, which JSON can spell, is one that stands for what is unknown."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {_whole(name): _whole(inner) for name, inner in value.items()}
        case list():
            return [_whole(inner) for inner in value]
        case _:
            return value


def _length(header: dict[str, Any], field: str) -> int:
    value = header.get(field) or 0
    if type(value) is not int or value < 0:
        raise ServiceError(f"an event's {field} must be a number of bytes, not {value!r}", "malformed")
    return value


async def write_event(event: Event, writer: asyncio.StreamWriter, params: ServiceParams) -> None:
    """Send an event; returns once the system has taken it.

    Raises:
        TimeoutError: the other side has not taken what it was sent for `send_s`.
        ConnectionError: it is gone.
    """
    parts = encoded(event)
    if params.whole_events:
        writer.write(b"".join(parts))
    else:
        for part in parts:
            writer.write(part)
    async with asyncio.timeout(params.send_s):
        await writer.drain()


def encoded(event: Event) -> list[bytes]:
    """An event as it goes over the wire: header, data, payload."""
    data = json.dumps(event.data).encode() if event.data else b""
    payload = event.payload or b""
    lengths = {field: len(part) for field, part in zip(_LENGTHS, (data, payload), strict=True) if part}
    header = json.dumps({"type": event.type, "version": wyoming_version, **lengths})
    return [part for part in (header.encode() + b"\n", data, payload) if part]


def configure(connection: socket.socket, params: ServiceParams) -> None:
    """Set a TCP connection's delay and buffers; other kinds of socket have no delay."""
    for option, size in ((socket.SO_SNDBUF, params.send_buffer_bytes), (socket.SO_RCVBUF, params.receive_buffer_bytes)):
        if size:
            connection.setsockopt(socket.SOL_SOCKET, option, size)
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, int(params.nodelay))


def address(uri: str) -> tuple[str, int]:
    """Host and port of a `tcp://host:port`.

    Raises:
        InputError: it is none.
    """
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
        is_address = parts.scheme == "tcp" and bool(host and host.encode("idna"))
    except ValueError:  # also of a host name that none can be
        is_address = False
    if not is_address or host is None or port is None:
        raise InputError(f"{uri}: write it as tcp://{LOOPBACK}:10300")
    return host, port
