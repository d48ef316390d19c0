"""Being found on the local network: by mDNS, as Home Assistant looks for Wyoming services."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from voiceperf.errors import InputError

SERVICE_TYPE = "_wyoming._tcp.local."
_MULTICAST = ("224.0.0.251", 1)  # mDNS's own; nothing is sent to find out which address would be used


def reachable(host: str) -> str:
    """The address by which others reach what listens on a host.

    Raises:
        InputError: nobody else does, or it is no IPv4 address.
    """
    if host in ("0.0.0.0", ""):  # all of them: the one that mDNS would go out by
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(_MULTICAST)
            except OSError as error:
                raise InputError(f"--announce: this machine has no network to be found on: {error}") from None
            return str(probe.getsockname()[0])
    try:
        address = ipaddress.IPv4Address(host)
    except ValueError:
        raise InputError(f"--announce: name an IPv4 address of this machine in --uri, not {host}") from None
    if address.is_loopback:
        raise InputError(f"--announce: nobody else reaches {host}; listen elsewhere, as in --uri tcp://0.0.0.0:10300")
    return host


@asynccontextmanager
async def announced(name: str, host: str, port: int) -> AsyncIterator[None]:
    """Announce a service under a name, and say that it is gone in the end.

    Raises:
        InputError: zeroconf is not installed, or the name is taken or none.
    """
    try:
        from zeroconf import BadTypeInNameException, NonUniqueNameException
        from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf
    except ImportError:
        raise InputError("--announce needs zeroconf: pip install zeroconf") from None
    network = AsyncZeroconf()
    try:
        try:
            info = AsyncServiceInfo(SERVICE_TYPE, f"{name}.{SERVICE_TYPE}", port, parsed_addresses=[host])
            await network.async_register_service(info)
        except BadTypeInNameException:
            raise InputError(f"--announce {name}: no name of a service; take letters and digits") from None
        except NonUniqueNameException:
            raise InputError(f"--announce {name}: another service here is called so; take another name") from None
        yield
        await (await network.async_unregister_service(info))  # the second: until all have been told
    finally:
        await network.async_close()
