"""`bench`: measure calls per second and latency on each transport, on this machine."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..cli import json_argument
from ..client import Client, connect, new_context
from ..errors import StartError
from ..host.loader import CALLS
from ..plugin_server import options
from .demo import load_cases
from .subprocess_server import subprocess_server

_TRANSPORTS = "http,grpc,unix,stdio"
_WARM_UP_CALLS = 20
_EIGHTHS = " ▏▎▍▌▋▊▉"
_BAR_WIDTH = 40


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("bench", help="measure how fast the plugin answers", description=__doc__)
    options.add_config_options(parser)
    option = parser.add_argument
    option("--transport", default=_TRANSPORTS, metavar="LIST", help="transports [default: %(default)s]")
    option("--hook", choices=CALLS, metavar="HOOK", help="the hook [default: the first call of the demo]")
    option("--payload", metavar="JSON", help="the payload; needs --hook")
    option("--seconds", type=float, default=2.0, help="seconds for each measurement [default: %(default)s]")
    option("--in-flight", type=int, default=8, metavar="N", help="calls at the same time [default: %(default)s]")
    option("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure each transport, one after the other."""
    if not 0 < arguments.seconds < float("inf") or arguments.in_flight < 1:
        raise StartError("--seconds and --in-flight must be above 0")
    path, file, settings = options.load(argparse.Namespace(**(vars(arguments) | {"transport": None})))
    hook, payload = _hook_and_payload(arguments)
    load = Load(file.plugins[0].name, hook, payload, arguments.seconds, arguments.in_flight)
    transports = [name.strip() for name in arguments.transport.split(",") if name.strip()]

    async def main() -> list[Figures]:
        async with subprocess_server(settings.package, transports, str(path.absolute())) as endpoints:
            return [await measure(endpoint, load, settings.http.token) for endpoint in endpoints]

    figures = options.run_event_loop(main)
    if arguments.json:
        print(json.dumps([asdict(item) for item in figures], indent=2))
    else:
        print("\n".join([_title(load), "", *table(figures), ""]))
        print("Client and server share this machine, and the client is written in Python: compare transports by it.")
    return 0


def _title(load: Load) -> str:
    each = f"{load.seconds:g} s each, {os.cpu_count()} cores"
    return f"{load.plugin} at {load.hook}: calls/s with {load.in_flight} calls at a time, latency with one; {each}"


def _hook_and_payload(arguments: argparse.Namespace) -> tuple[str, dict[str, Any]]:
    """The hook and the payload to call: those of the command line, or those of the demo's first case."""
    if arguments.payload and not arguments.hook:
        raise StartError("--payload is given without its hook; name it with --hook")
    if arguments.payload:
        return arguments.hook, json_argument(arguments.payload, "the payload")
    cases = [case for case in load_cases(Path("resources/demo.yaml")) if arguments.hook in (None, case.hook)]
    if not cases:
        raise StartError(f"resources/demo.yaml has no call of {arguments.hook}; give its payload with --payload")
    return cases[0].hook, cases[0].payload


@dataclass(frozen=True, slots=True)
class Load:
    """What to call, and how.

    Attributes:
        plugin: the plugin's name.
        hook: the hook's wire name.
        payload: the payload of every call.
        seconds: how long each of the two measurements takes.
        in_flight: calls at the same time, when calls per second are measured.
    """

    plugin: str
    hook: str
    payload: dict[str, Any]
    seconds: float
    in_flight: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured for one transport.

    Attributes:
        transport: http, stdio, grpc, grpc+unix or unix.
        calls_per_second: with several calls at the same time.
        p50_ms: milliseconds within which half of the calls are answered, one call at a time.
        p99_ms: the same for 99 of 100 calls.
    """

    transport: str
    calls_per_second: float
    p50_ms: float
    p99_ms: float


async def measure(endpoint: str, load: Load, token: str | None = None) -> Figures:
    """Measure one transport.

    Args:
        endpoint: where the server answers.
        load: what to call.
        token: what the server wants its callers to show.

    Raises:
        StartError: the plugin answers with an error, so that there is nothing to measure.
        OSError: the server does not answer.
    """
    client = await connect(endpoint, token=token)
    try:
        for _ in range(_WARM_UP_CALLS):
            reply = await _call(client, load)
        if "error" in reply:
            raise StartError(
                f"the plugin answers the call with {reply['error']['code']}: {reply['error']['message']}; "
                "give another hook or payload"
            )
        times = sorted(await _keep_calling(client, load, load.seconds))
        began = time.perf_counter()
        runs = await asyncio.gather(*(_keep_calling(client, load, load.seconds) for _ in range(load.in_flight)))
        rate = sum(map(len, runs)) / (time.perf_counter() - began)
    finally:
        await client.close()
    return Figures(endpoint.partition(":")[0], rate, 1000 * _share(times, 0.50), 1000 * _share(times, 0.99))


async def _keep_calling(client: Client, load: Load, seconds: float) -> list[float]:
    times = []
    now = time.perf_counter()
    end = now + seconds
    while now < end:
        began = now
        await _call(client, load)
        now = time.perf_counter()
        times.append(now - began)
    return times


async def _call(client: Client, load: Load) -> dict[str, Any]:
    return await client.invoke(load.hook, load.plugin, load.payload, new_context())


def _share(times: list[float], share: float) -> float:
    """The time that a share of the sorted times does not exceed."""
    return times[min(int(share * len(times)), len(times) - 1)]


def table(figures: Sequence[Figures]) -> list[str]:
    """Lay figures out as lines with bars for the calls per second.

    Args:
        figures: one for each transport.
    """
    most = max(item.calls_per_second for item in figures)
    width = max(len(item.transport) for item in figures)
    lines = [f"{'':{width}}  {'p50 ms':>7}  {'p99 ms':>7}  {'calls/s':>8}"]
    for item in figures:
        numbers = f"{item.p50_ms:7.2f}  {item.p99_ms:7.2f}  {item.calls_per_second:8,.0f}"
        lines.append(f"{item.transport:{width}}  {numbers}  {bar(item.calls_per_second / most, _BAR_WIDTH)}")
    return lines


def bar(share: float, width: int) -> str:
    """A bar in eighths of a character.

    Args:
        share: of the width, 0 to 1.
        width: characters of a whole bar.
    """
    full, rest = divmod(round(share * width * 8), 8)
    return ("█" * full + _EIGHTHS[rest]).rstrip()
