"""`voiceperf serve`: one role as a Wyoming service."""

from __future__ import annotations

import asyncio
import ipaddress
import signal
import sys
from typing import Annotated

import typer

from voiceperf import profiles
from voiceperf.cli import complete
from voiceperf.cli.app import Group, app
from voiceperf.cli.engines import Changes, ProfileName, contender
from voiceperf.engines import role_named
from voiceperf.engines.base import require_text
from voiceperf.log import say
from voiceperf.roles import ROLES
from voiceperf.suite import standing

_SYSTEM_PROMPT = "You answer the phone. Be brief and friendly."


@app.command(rich_help_panel=Group.USE)
def serve(
    what: Annotated[
        str,
        typer.Argument(
            help=f"A role ({', '.join(ROLES)}), or the engine that plays it.",
            autocompletion=complete.role_names,
        ),
    ],
    uri: Annotated[
        str | None, typer.Option(help="Where to listen; port 0 takes a free one (default: loopback, the usual port).")
    ] = None,
    profile: ProfileName = None,
    changes: Changes = None,
    service: Annotated[
        list[str] | None, typer.Option(help="Change one limit, as in --service max_clients=10; may be repeated.")
    ] = None,
    system: Annotated[str, typer.Option(help="The system prompt of its conversations.")] = _SYSTEM_PROMPT,
    announce: Annotated[
        str, typer.Option(metavar="NAME", help="Be found under this name on the local network, by mDNS.")
    ] = "",
    metrics_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Serve Prometheus metrics on this port; 0: none.")
    ] = 0,
) -> None:
    """Serve one role over TCP by the Wyoming protocol, to any client that speaks it. Ctrl-C ends it.

    Nobody is asked who they are: leave it on loopback, or where only your own programs reach it.
    """
    from voiceperf.live.announce import reachable
    from voiceperf.live.params import ServiceParams
    from voiceperf.live.service import PORTS, Service
    from voiceperf.live.wire import LOOPBACK, address

    require_text(system)
    role = role_named(what)
    host, port = address(uri or f"tcp://{LOOPBACK}:{PORTS[role]}")
    if not _is_loopback(host):
        say(f"{host} is not loopback: whoever reaches it can use this service")
    if announce:
        reachable(host)
    chosen = profiles.load(profile) if profile is not None else standing.in_force()[0]
    limits = ServiceParams.parse({**chosen[ServiceParams.engine].values, **ServiceParams.parse_changes(service or ())})
    serving = Service(contender(role, profile, changes), limits, system)
    if metrics_port:
        serving.metrics.publish(LOOPBACK, metrics_port)
    asyncio.run(_until_stopped(serving, host, port, announce))


async def _until_stopped(serving, host: str, port: int, name: str) -> None:  # type: ignore[no-untyped-def]  # imported late
    stop, listens_on = asyncio.Event(), asyncio.get_running_loop().create_future()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    def ready(uri: str) -> None:
        sys.stdout.write(f"ready {uri}\n")
        sys.stdout.flush()
        listens_on.set_result(uri)

    if name:
        await asyncio.gather(serving.run(host, port, ready, stop), _announce(name, host, listens_on, stop))
    else:
        await serving.run(host, port, ready, stop)


async def _announce(name: str, host: str, listens_on: asyncio.Future[str], stop: asyncio.Event) -> None:
    """From when the service listens until it is told to end."""
    from voiceperf.live.announce import announced, reachable
    from voiceperf.live.wire import address

    _, port = address(await listens_on)
    async with announced(name, reachable(host), port):
        await stop.wait()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
