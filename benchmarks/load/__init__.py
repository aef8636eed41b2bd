"""Load: many calls for some seconds, 16 in flight, by a generator in another process."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ..inputs import Input

GENERATORS = {"http": "wrk", "grpc": "h2load", "unix": "unix"}


@dataclass(frozen=True)
class Load:
    """What a generator saw.

    Attributes:
        calls: answered calls.
        seconds: how long it ran.
        p50: median latency in milliseconds.
        p99: latency in milliseconds that 99 percent of the calls kept.
    """

    calls: int
    seconds: float
    p50: float
    p99: float


class InFlight(NamedTuple):
    """How many calls are in flight.

    Attributes:
        connections: how many connections.
        each: calls in flight on each of them.
    """

    connections: int
    each: int


class Generator(Protocol):
    """Calls a server.

    Args:
        address: the port or the socket's path.
        call: the input.
        seconds: how long to call.
        in_flight: how many calls at once; None for 16, over as many connections as the transport's clients use.

    Raises:
        RuntimeError: a call failed.
    """

    def __call__(self, address: str, call: Input, seconds: float, in_flight: InFlight | None = None) -> Load: ...


def generator(transport: str) -> Generator:
    """The generator of a transport."""
    drive: Generator = importlib.import_module(f".{GENERATORS[transport]}", __name__).drive
    return drive


def percentiles(milliseconds: list[float]) -> tuple[float, float]:
    """The 50th and the 99th percentile."""
    ordered = sorted(milliseconds)
    return ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
