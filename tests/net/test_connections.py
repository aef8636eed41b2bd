"""The limit on connections, and their graceful end."""

from __future__ import annotations

import asyncio
import logging
import socket

import pytest
from plugsmith_runtime.net.connections import ConnectionLimiter, ConnectionSet


class _Line(asyncio.Protocol):
    """Answers a line with itself, not before it is told to."""

    def __init__(self, connections: ConnectionSet[_Line], answers: asyncio.Event) -> None:
        self._connections = connections
        self._answers = answers
        self._transport: asyncio.Transport
        self._tasks: set[asyncio.Task[None]] = set()
        self._draining = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        self._tasks.add(asyncio.get_running_loop().create_task(self._answer(data)))

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)

    def drain(self) -> None:
        self._draining = True
        if not self._tasks:
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    async def _answer(self, data: bytes) -> None:
        await self._answers.wait()
        self._transport.write(data)
        if self._draining:
            self._transport.close()


async def _drained(grace: float, answers: bool, *sent: bytes) -> list[bytes]:
    """Send a line on each connection, drain the server, and return what came back on each."""
    loop = asyncio.get_running_loop()
    connections, allowed = ConnectionSet[_Line]("test"), asyncio.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    server = await loop.create_server(lambda: _Line(connections, allowed), sock=listener)
    clients = [await asyncio.open_connection(*listener.getsockname()) for _ in sent]
    for (_, writer), data in zip(clients, sent, strict=True):
        writer.write(data)
    if answers:
        loop.call_later(0.1, allowed.set)
    await connections.drain([server], grace)
    assert len(connections) == 0
    assert listener.fileno() < 0
    try:
        return [await reader.read() for reader, _ in clients]
    finally:
        for _, writer in clients:
            writer.close()


def test_requests_in_flight_are_answered_and_idle_connections_closed() -> None:
    assert asyncio.run(_drained(30.0, True, b"one\n", b"", b"two\n")) == [b"one\n", b"", b"two\n"]


def test_what_takes_longer_than_the_grace_period_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    assert asyncio.run(_drained(0.05, False, b"one\n")) == [b""]
    assert "test: 1 connections are cut off after 0.05 s" in caplog.messages


def test_without_connections_no_grace_period_is_enough(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(_drained(0, False))
    assert caplog.messages == []


def test_a_limit_holds_for_each_transport(caplog: pytest.LogCaptureFixture) -> None:
    limiter = ConnectionLimiter(2, "SOME_LIMIT")
    seen: list[dict[str, int]] = []
    limiter.subscribe(lambda: seen.append(dict(limiter.counts)))
    with caplog.at_level(logging.WARNING):
        assert [limiter.acquire(name) for name in ("a", "a", "a", "a", "b")] == [True, True, False, False, True]
    assert caplog.messages == ["a: 2 connections are open, further ones are refused (SOME_LIMIT)"]
    assert limiter.refusal == "2 connections are open (SOME_LIMIT); try again later"
    limiter.release("a")
    assert limiter.acquire("a")
    assert seen == [{"a": 1}, {"a": 2}, {"a": 2, "b": 1}, {"a": 1, "b": 1}, {"a": 2, "b": 1}]
