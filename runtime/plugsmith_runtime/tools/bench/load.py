"""Calls a server for some seconds and notes how long each call takes."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from ...client import Client, connect, new_context
from ...errors import StartError

_WARM_UP = 20


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
        for _ in range(_WARM_UP):
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
