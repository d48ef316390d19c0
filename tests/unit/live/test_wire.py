"""Events on a stream: both ways with the protocol's own package, and whatever else may come over a socket."""

import asyncio
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wyoming.event import Event, async_read_event, async_write_event

from voiceperf.errors import InputError, ServiceError
from voiceperf.live.params import ServiceParams
from voiceperf.live.wire import address, encoded, read_event, write_event

PARAMS = ServiceParams(max_event_bytes=4096)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.builds(
    Event,
    st.text(min_size=1, max_size=20),
    st.dictionaries(st.text(max_size=8), JSON, max_size=4),
    st.none() | st.binary(min_size=1, max_size=200),
)


def stream(data, *, ended=True):
    """A stream that holds some bytes."""
    reader = asyncio.StreamReader(limit=2**16)
    reader.feed_data(data)
    if ended:
        reader.feed_eof()
    return reader


def read(data, params=PARAMS, *, ended=True):
    async def within():
        return await read_event(stream(data, ended=ended), params)

    return asyncio.run(within())


class Written:
    """A writer that keeps every write."""

    def __init__(self):
        self.writes = []

    def write(self, data):
        self.writes.append(bytes(data))

    def writelines(self, parts):
        self.writes += [bytes(part) for part in parts]

    async def drain(self): ...


@given(EVENTS)
def test_what_is_written_is_read(event):
    """Type, data and payload come back as they were, from our reader and from the package's."""
    data = b"".join(encoded(event))
    theirs = asyncio.run(_theirs(data))
    for found in (read(data), theirs):
        assert (found.type, found.data, found.payload) == (event.type, event.data, event.payload)


def test_half_a_character_becomes_the_one_for_what_is_unknown():
    """Half an emoji, which JSON can spell, would break every engine behind; a whole one in two halves is one again."""
    event = Event("pong", {"text": "hi \ud83d there", "more": [{"\udc00": "\ud83d\ude00"}]})
    assert read(b"".join(encoded(event))).data == {"text": "hi \ufffd there", "more": [{"\ufffd": "\U0001f600"}]}


async def _theirs(data):
    return await async_read_event(stream(data))


@given(EVENTS)
def test_what_the_package_writes_is_read(event):
    """An event of the package's own writer is the same event."""
    writer = Written()
    asyncio.run(async_write_event(event, writer))
    found = read(b"".join(writer.writes))
    assert (found.type, found.data, found.payload) == (event.type, event.data, event.payload)


@given(st.binary(max_size=300))
def test_noise_is_an_error_or_the_end(noise):
    """Whatever bytes come, reading ends with an event, with None at the end, or with an error of ours."""
    with contextlib.suppress(ServiceError):
        event = read(noise)
        assert event is None or isinstance(event.type, str)


@given(EVENTS, st.data())
def test_a_cut_event_is_truncated(event, data):
    """Cut anywhere, an event is no event."""
    whole = b"".join(encoded(event))
    place = data.draw(st.integers(1, len(whole) - 1))
    headed = whole[:place]
    if b"\n" in headed and not event.data and not event.payload:
        return
    with pytest.raises(ServiceError) as refused:
        read(headed)
    assert refused.value.code == "truncated"


HUGE = {"type": "audio-chunk", "payload_length": 2**40}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"[1, 2]", "malformed"),
        (b"{}", "malformed"),
        (b'{"type": 5}', "malformed"),
        (b'{"type": "x", "data": [1]}', "malformed"),
        (b'{"type": "x", "payload_length": -1}', "malformed"),
        (b'{"type": "x", "payload_length": "12"}', "malformed"),
        (b'{"type": "x", "payload_length": true}', "malformed"),
        (b'{"type": "x", "data_length": 1.5}', "malformed"),
        (b'{"type": "x", "data_length": 3}\nnot', "malformed"),
        (b"\xff\xfe", "malformed"),
        (b"[" * 50_000, "malformed"),
        (json.dumps(HUGE).encode(), "too-large"),
        (b'{"type": "x", "data_length": 4000, "payload_length": 4000}', "too-large"),
        (b"x" * 70_000, "too-large"),
    ],
)
def test_a_bad_event_is_refused_with_its_code(line, code):
    """Wrong types, impossible lengths and noise are told apart, and nothing is read that a length promises."""
    with pytest.raises(ServiceError) as refused:
        read(line + b"\n", ended=False)
    assert refused.value.code == code


def test_the_end_between_events_is_none():
    """A client that hangs up after an event has done nothing wrong."""
    assert read(b"") is None


def test_an_event_that_never_ends_is_given_up():
    """A half-open connection does not hold a reader for ever."""
    with pytest.raises(ServiceError, match="took more than") as refused:
        read(b'{"type":', ServiceParams(event_s=0.1), ended=False)
    assert refused.value.code == "too-slow"


def test_silence_is_a_timeout():
    """A client that says nothing is let go after a while."""
    with pytest.raises(TimeoutError):
        read(b"", ServiceParams(idle_s=0.1), ended=False)


@pytest.mark.parametrize(("whole", "writes"), [(True, 1), (False, 3)])
def test_an_event_is_one_write_or_one_for_each_part(whole, writes):
    """Header, data and payload go to the socket together, unless they shall not."""
    writer = Written()
    event = Event("audio-chunk", {"rate": 16000}, b"12")
    asyncio.run(write_event(event, writer, ServiceParams(whole_events=whole)))
    assert len(writer.writes) == writes
    assert b"".join(writer.writes) == b"".join(encoded(event))


def test_an_address_is_host_and_port():
    """`tcp://host:port`, for names, IPv4 and IPv6."""
    assert address("tcp://127.0.0.1:10300") == ("127.0.0.1", 10300)
    assert address("tcp://[::1]:0") == ("::1", 0)


@pytest.mark.parametrize("uri", ["127.0.0.1:10300", "tcp://127.0.0.1", "http://localhost:80", "tcp://:1", "tcp://h:x"])
def test_another_address_is_refused(uri):
    """What is no TCP address is named, with an example of one."""
    with pytest.raises(InputError, match=r"tcp://127.0.0.1:10300"):
        address(uri)


@pytest.mark.parametrize("rounds", range(4))
def test_a_reader_that_is_cancelled_ends(rounds):
    """Whenever it is told so, also when a byte has just come: a service that is told to end lets a busy client go."""

    async def cancelled():
        reader = asyncio.StreamReader()
        reading = asyncio.create_task(read_event(reader, PARAMS))
        await asyncio.sleep(0)
        reader.feed_data(b"{")
        for _ in range(rounds):
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading], timeout=1)
        return reading.cancelled()

    assert asyncio.run(cancelled())
