"""A service's manners: who is let in, what is refused and how fast, and that nobody suffers from anybody else."""

import asyncio
import contextlib
import time

import psutil
import pytest
from fake_engine import FakeParams
from hypothesis import given, settings
from hypothesis import strategies as st

from voiceperf.errors import InputError
from voiceperf.live.info import FREED
from voiceperf.live.params import ServiceParams
from voiceperf.live.service import Service
from voiceperf.measure.contender import Contender

SLOW = FakeParams(work=30_000_000)  # about half a second


def test_a_request_is_answered(serve):
    """One event in, one event out."""

    async def test(served):
        async with served.client() as client:
            client.send("say", text="hello")
            kind, data = await client.receive()
            assert kind == "said"
            assert data["text"].startswith("hello")

    serve(test)


def test_describe_and_ping_are_answered(serve):
    """What every service is asked, whatever it does."""

    async def test(served):
        async with served.client() as client:
            client.send("describe")
            assert (await client.receive())[0] == "info"
            client.send("ping", text="there?")
            assert await client.receive() == ("pong", {"text": "there?"})

    serve(test)


def test_requests_of_one_client_are_answered_in_order(serve):
    """A client that asks ahead of its answers gets them in the order of its questions."""

    async def test(served):
        async with served.client() as client:
            for word in ("one", "two", "three"):
                client.send("say", text=word)
            answers = [(await client.receive())[1]["text"].split()[0] for _ in range(3)]
            assert answers == ["one", "two", "three"]

    serve(test)


def test_overload_is_refused_at_once(serve):
    """With one request at the engine and one waiting, the third is told so before either is answered."""

    async def test(served):
        async with contextlib.AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(served.client()) for _ in range(3)]
            for number, client in enumerate(clients):
                client.send("say", text=str(number))
                await asyncio.sleep(0.05)
            kind, data = await clients[2].receive()
            assert (kind, data["code"]) == ("error", "overloaded")
            assert [(await client.receive())[0] for client in clients[:2]] == ["said", "said"]

    serve(test, SLOW, max_waiting=1)


def test_a_vanished_clients_work_is_dropped(serve):
    """Who waits behind a client that hangs up in the queue is served as if that one had never come."""

    async def test(served):
        async with served.client() as first, served.client() as last:
            first.send("say", text="first")
            async with served.client() as vanishing:
                for _ in range(4):
                    vanishing.send("say", text="nobody hears this")
                await asyncio.sleep(0.05)
            last.send("say", text="last")
            assert (await first.receive())[0] == "said"
            assert (await last.receive())[0] == "said"
        assert served.service.metrics.registry.get_sample_value("voiceperf_fake_engine_seconds_count") <= 3

    serve(test, SLOW)


def test_a_service_says_how_long_its_engine_worked_for_nobody(serve):
    """A client that hangs up in its request ends it, and the time until the engine is free is told who asks for it."""

    async def test(served):
        async with served.client() as asking:
            async with served.client() as vanishing:
                vanishing.send("say", text="nobody hears this")
                while not served.service._shared.queue._inside:
                    await asyncio.sleep(0.01)
            async with asyncio.timeout(10):
                while not served.service._shared.queue._freed_ms:
                    await asyncio.sleep(0.01)
            asking.send(FREED)
            kind, data = await asking.receive()
            assert kind == FREED
            asking.send(FREED)
            assert await asking.receive() == (FREED, {"ms": []})  # it is said once
        (freed_ms,) = data["ms"]
        assert 0 < freed_ms < 5000
        count = served.service.metrics.registry.get_sample_value("voiceperf_fake_freed_seconds_count")
        assert count == 1

    serve(test, FakeParams(failure="hang"))


def test_one_client_too_many_is_told_so(serve):
    """Beyond the limit a client gets the reason and is hung up on; when one leaves, the next may come."""

    async def test(served):
        async with served.client() as first:
            first.send("ping")
            await first.receive()
            async with served.client() as second:
                kind, data = await second.receive()
                assert (kind, data["code"]) == ("error", "too-many-clients")
                assert await second.ended()
        await asyncio.sleep(0.05)
        async with served.client() as third:
            third.send("ping")
            assert (await third.receive())[0] == "pong"

    serve(test, max_clients=1)


def test_two_hundred_idle_clients_disturb_nobody(serve):
    """Connections that say nothing cost nothing: another is answered, and all are gone when they leave."""

    async def test(served):
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(200):
                await stack.enter_async_context(served.client())
            async with served.client() as client:
                client.send("say", text="still here")
                assert (await client.receive())[0] == "said"
            assert served.service.metrics.registry.get_sample_value("voiceperf_fake_clients") >= 200
        await asyncio.sleep(0.1)
        assert served.service.metrics.registry.get_sample_value("voiceperf_fake_clients") == 0

    serve(test)


def test_an_idle_client_is_let_go(serve):
    """A client that says nothing for long is hung up on."""

    async def test(served):
        async with served.client() as client:
            assert await client.ended()

    serve(test, idle_s=0.1)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"not json\n", "malformed"),
        (b'{"type": "x", "payload_length": 99999999999}\n', "too-large"),
        (b"x" * 100_000, "too-large"),
        (b'{"type": "x", "data_length": 10}\n{}', "too-slow"),
    ],
)
def test_nonsense_ends_its_own_connection_only(serve, sent, code):
    """Who sends what is no event is told why and hung up on, while another client is answered."""

    async def test(served):
        async with served.client() as good, served.client() as bad:
            bad.writer.write(sent)
            kind, data = await bad.receive()
            assert (kind, data["code"]) == ("error", code)
            good.send("say", text="undisturbed")
            assert (await good.receive())[0] == "said"

    serve(test, event_s=0.2)


def test_a_request_without_its_field_is_refused(serve):
    """An event that lacks what it must carry is named, and the connection goes on."""

    async def test(served):
        async with served.client() as client:
            client.send("say")
            kind, data = await client.receive()
            assert (kind, data["code"]) == ("error", "malformed")
            client.send("say", text="again")
            assert (await client.receive())[0] == "said"

    serve(test)


def test_noise_on_many_connections_leaves_the_service_whole(serve):
    """Hundreds of connections of random bytes, cut and hung up on anywhere: the next request is answered."""
    noises = st.binary(max_size=400) | st.builds(
        lambda size: b'{"type":"say","data_length":%d}\n' % size, st.integers(-9, 2**70)
    )

    def disturb(connect):
        @settings(max_examples=150, deadline=None)
        @given(noises)
        def one(noise):
            with connect() as connection, contextlib.suppress(OSError):
                connection.sendall(noise)

        one()

    async def test(served):
        await asyncio.get_running_loop().run_in_executor(None, disturb, served.raw)
        async with served.client() as client:
            client.send("say", text="whole")
            assert (await client.receive())[0] == "said"
        await asyncio.sleep(0.1)
        assert served.service.metrics.registry.get_sample_value("voiceperf_fake_clients") == 0

    serve(test)


def flood(connection):
    """Ask and ask, and read nothing."""
    connection.settimeout(2)
    ping = b'{"type": "ping", "data": {"text": "%s"}}\n' % (b"x" * 4000)
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(ping * 10)


def test_a_client_that_takes_no_answers_is_let_go(serve):
    """A slow client holds neither the engine nor memory: once its buffers are full it is hung up on."""

    async def test(served):
        with served.raw() as deaf:
            async with served.client() as good:
                flooding = asyncio.get_running_loop().run_in_executor(None, flood, deaf)
                good.send("say", text="undisturbed")
                assert (await good.receive())[0] == "said"
                await flooding
                assert served.service.metrics.registry.get_sample_value("voiceperf_fake_clients") == 1

    serve(test, send_s=0.3)


def test_a_deaf_clients_socket_is_closed(serve):
    """What it did not take is dropped with the connection: no descriptor stays behind for as long as it sits there."""

    async def test(served):
        before = psutil.Process().num_fds()
        with served.raw() as deaf:
            await asyncio.get_running_loop().run_in_executor(None, flood, deaf)
            async with asyncio.timeout(10):
                while psutil.Process().num_fds() > before + 1:  # the client's own end
                    await asyncio.sleep(0.05)

    serve(test, send_s=0.3)


def test_a_client_that_stays_does_not_hold_up_the_end(serve):
    """Told to stop, a service hangs up on a busy client once it is answered, though the client would stay."""
    stays, begun = [], []

    async def test(served):
        stays.append(await asyncio.open_connection(served.host, served.port))
        stays[0][1].write(b'{"type": "say", "data": {"text": "busy"}}\n')
        await asyncio.sleep(0.1)
        begun.append(time.monotonic())

    serve(test, SLOW)
    assert time.monotonic() - begun[0] < 4


def test_a_crashed_engine_fails_its_request_and_serves_the_next(serve):
    """A native crash is an error event with the signal's name; the engine is started anew."""

    async def test(served):
        async with served.client() as client:
            for _ in range(2):
                client.send("say", text="boom")
                kind, data = await client.receive()
                assert kind == "error"
                assert "SIGSEGV" in data["text"]
            assert served.service.metrics.registry.get_sample_value("voiceperf_fake_failed_total") == 2

    serve(test, FakeParams(failure="crash"))


def test_what_is_under_way_ends_before_the_service_does(serve):
    """Told to stop, a service answers what it has begun, and takes nobody in any more."""
    answers = []

    async def test(served):
        async def ask():
            async with served.client() as client:
                client.send("say", text="before the end")
                answers.append(await client.receive())

        asking.append(asyncio.create_task(ask()))
        await asyncio.sleep(0.1)

    asking = []

    async def whole(served):
        await test(served)
        await asyncio.gather(*asking)

    serve(whole, SLOW)
    assert answers[0][0] == "said"


def test_a_taken_port_is_named(serve):
    """Where somebody listens already, the address and the remedy are told."""

    async def test(served):
        other = Service(Contender("other", FakeParams()), ServiceParams(), "")
        with pytest.raises(InputError, match="--uri"):
            await other.run(served.host, served.port, print, asyncio.Event())

    serve(test)
