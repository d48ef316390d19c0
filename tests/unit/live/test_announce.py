"""Being found on the local network, as others' own library looks for it."""

import asyncio
import socket

import pytest
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from voiceperf.errors import InputError
from voiceperf.live.announce import SERVICE_TYPE, announced, reachable


@pytest.fixture(scope="module")
def here():
    """The address of our machine on the network."""
    try:
        address = reachable("0.0.0.0")
    except InputError as error:
        pytest.skip(str(error))
    if not hears_itself(address):
        pytest.skip(f"nothing that is sent to a group comes back to {address}")
    return address


def hears_itself(address):
    """Whether the network carries multicast at all; in some containers it does not."""
    group = "224.0.0.251"
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth,
    ):
        ear.bind(("", 0))
        ear.settimeout(2)
        try:
            ear.setsockopt(
                socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(address)
            )
            mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
            mouth.sendto(b"voiceperf", (group, ear.getsockname()[1]))
            return ear.recv(16) == b"voiceperf"
        except OSError:
            return False


def test_a_service_is_found_while_it_runs_and_gone_afterwards(here):
    """By its type and name, with address and port; its end is told at once."""
    seen = asyncio.Queue()

    def changed(zeroconf, service_type, name, state_change):
        if name.startswith("voiceperf unit"):
            seen.put_nowait(state_change.name)

    async def look():
        async with AsyncZeroconf() as network, asyncio.timeout(20):
            browser = AsyncServiceBrowser(network.zeroconf, SERVICE_TYPE, handlers=[changed])
            async with announced("voiceperf unit", here, 10399):
                assert await seen.get() == "Added"
                found = AsyncServiceInfo(SERVICE_TYPE, f"voiceperf unit.{SERVICE_TYPE}")
                assert await found.async_request(network.zeroconf, 5000)
                assert (found.parsed_addresses(), found.port) == ([here], 10399)
            while (change := await seen.get()) != "Removed":
                assert change == "Updated"
            await browser.async_cancel()

    asyncio.run(look())


def test_a_name_that_is_taken_is_refused(here):
    """With the remedy; the first service keeps it."""

    async def twice():
        async with announced("voiceperf twice", here, 10398), announced("voiceperf twice", here, 10397):
            pass

    with pytest.raises(InputError, match="another service here is called so"):
        asyncio.run(twice())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_what_nobody_reaches_is_not_announced(host):
    """A loopback address, or what is no IPv4 address, is refused before anything starts."""
    with pytest.raises(InputError, match="--announce: "):
        reachable(host)
