"""The targets, and the ratios that are held against them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .subjects import FLOOR, OURS, PEER

MARGIN = 0.15

# (transport, against whom) -> at most this ratio of CPU time per small call
CPU = {
    ("http", PEER): 1 / 12,
    ("http", FLOOR): 2.5,
    ("unix", PEER): 1 / 3,
    ("grpc", PEER): 0.65,
    ("grpc", FLOOR): 1.3,
}
START = 1 / 4
MEMORY = {"unix": 0.45, "all": 0.75}
# transport -> at least this ratio of calls per second with the gateway's client, 16 in flight
END_TO_END = {"http": 1.5, "grpc": 1.25, "unix": 1.4}
# At least this ratio of the calls that one core answers in a second, version 2 of the Unix protocol to the peer's
# version 1, 16 in flight: 30,000 where the peer reaches 14,000.
VERSION_2 = 30 / 14
# transport -> at least this ratio of calls per second of two workers to one, on two cores
WORKERS = {"http": 1.6, "grpc": 1.6}
# transport -> at least this ratio of calls per second, connector to the framework's own client, 16 in flight
CONNECTOR = {"http": 4.0, "grpc": 1.4, "unix": 2.5}
# transport -> at most this ratio of the gateway's CPU for a call
CONNECTOR_CPU = {"unix": 0.5}


@dataclass(frozen=True)
class Ratio:
    """A ratio and its target.

    Attributes:
        name: what is compared.
        value: the ratio, ours to the other's.
        target: what it must reach.
        at_least: whether the target is a lower bound; otherwise it is an upper one.
    """

    name: str
    value: float
    target: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.value >= self.target if self.at_least else self.value <= self.target

    @property
    def failed(self) -> bool:
        """Whether the ratio is worse than the target by more than the margin."""
        if self.at_least:
            return self.value < self.target * (1 - MARGIN)
        return self.value > self.target * (1 + MARGIN)

    @property
    def text(self) -> str:
        """One line for people."""
        bound = "at least" if self.at_least else "at most"
        word = "met" if self.met else "FAILED" if self.failed else "missed, within the margin"
        return f"{self.name:48} {self.value:7.3f}   {bound} {self.target:.3f}   {word}"


def ratios(results: Mapping[str, Any]) -> list[Ratio]:
    """The ratios of what was measured.

    Args:
        results: "cpu", "start", "memory", "end_to_end", "versions", "workers" and "gateway_side" as the functions of
            those measurements return them; what was not measured is left out.
    """
    parts = (_cpu, _start, _memory, _end_to_end, _versions, _workers, _gateway_side)
    return [ratio for part in parts for ratio in part(results)]


def _cpu(results: Mapping[str, Any]) -> Iterator[Ratio]:
    for (transport, other), target in CPU.items():
        if costs := results.get("cpu", {}).get(transport, {}).get("small"):
            value = costs[OURS]["cpu"] / costs[other]["cpu"]
            yield Ratio(f"{transport}: CPU per call to the {other}'s", value, target)


def _start(results: Mapping[str, Any]) -> Iterator[Ratio]:
    for transport, seconds in results.get("start", {}).items():
        yield Ratio(f"{transport}: start to first answer", seconds[OURS] / seconds[PEER], START)


def _memory(results: Mapping[str, Any]) -> Iterator[Ratio]:
    if memory := results.get("memory"):
        one = memory["unix"][OURS] / memory["unix"][PEER]
        yield Ratio("unix: resident memory", one, MEMORY["unix"])
        # The peer serves one transport in a process; its smallest server is the harder one to beat.
        smallest = min(row[PEER] for row in memory.values() if PEER in row)
        yield Ratio("all transports: memory to the peer's smallest", memory["all"][OURS] / smallest, MEMORY["all"])


def _end_to_end(results: Mapping[str, Any]) -> Iterator[Ratio]:
    for transport, target in END_TO_END.items():
        if rows := results.get("end_to_end", {}).get(transport):
            value = rows[OURS]["16"] / rows[PEER]["16"]
            yield Ratio(f"{transport}: gateway's client, calls/s, 16 in flight", value, target, at_least=True)


def _versions(results: Mapping[str, Any]) -> Iterator[Ratio]:
    if rows := results.get("versions"):
        # A server is one thread: a second of its CPU is a core's. The clients' share of the machine does not count so.
        value = rows[PEER]["1"]["cpu"] / rows[OURS]["2"]["cpu"]
        yield Ratio("unix: calls/s of a core in version 2 to the peer's", value, VERSION_2, at_least=True)


def _workers(results: Mapping[str, Any]) -> Iterator[Ratio]:
    for transport, target in WORKERS.items():
        for size, rates in results.get("workers", {}).get(transport, {}).items():
            value = rates["2"] / rates["1"]
            yield Ratio(f"{transport}: calls/s of two workers to one's, {size}", value, target, at_least=True)


def _gateway_side(results: Mapping[str, Any]) -> Iterator[Ratio]:
    for transport, rows in results.get("gateway_side", {}).items():
        ours, peers = rows["connector"]["16"], rows["peer"]["16"]
        name = f"{transport}: connector to cpex's client"
        yield Ratio(f"{name}, calls/s", ours["rate"] / peers["rate"], CONNECTOR[transport], at_least=True)
        if transport in CONNECTOR_CPU:
            yield Ratio(f"{name}, CPU", ours["cpu"] / peers["cpu"], CONNECTOR_CPU[transport])
