"""The channel's connections: flow control that follows readers, GOAWAY, stream ids that end, mutual TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from plugsmith_runtime.client.grpc import GrpcClient
from plugsmith_runtime.grpc.channel import Channel
from plugsmith_runtime.grpc.channel_connection import ChannelOptions
from plugsmith_runtime.grpc.server import Server, ServerOptions
from plugsmith_runtime.grpc.status import NotProcessedError, StatusError
from plugsmith_runtime.http2.client import ClientOptions
from plugsmith_runtime.testing.certificates import Certificates, throwaway_certificates
from plugsmith_runtime.tls.context import client_ssl_context, server_ssl_context

from .kinds import (
    COUNT,
    JOIN,
    LIMIT,
    REVERSE,
    WAIT,
    WAIT_STREAM,
    GrpcioKinds,
    Seen,
    grpcio_server,
    own_server,
    own_service,
)  # fmt: skip

# Two packages have types of grpcio, of different versions: what they disagree about is left open.
aio: Any = grpc.aio

MESSAGE_BYTES = 50_000
WINDOW_BYTES = 200_000
ROUND_TRIPS = 20


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return throwaway_certificates(tmp_path_factory.mktemp("certs"))


async def rest(channel: Channel) -> None:
    """Give whatever can still move the time to do so."""
    for _ in range(ROUND_TRIPS):
        assert await channel.unary_unary(REVERSE, b"ab", bytes, bytes, timeout=LIMIT) == b"ba"


@pytest.mark.asyncio
async def test_answers_that_nobody_reads_are_not_sent() -> None:
    seen = Seen()
    options = ChannelOptions(connection=ClientOptions(stream_window_bytes=WINDOW_BYTES))
    async with (
        own_server([own_service(seen)]) as (_, target),
        Channel(target, options=options) as channel,
        asyncio.timeout(LIMIT),
        channel.call(COUNT, bytes, bytes) as call,
    ):
        await call.send(b"1000 %d" % MESSAGE_BYTES)
        await call.done_writing()
        for number in range(3):
            assert await call.receive() == b"%d" % number + bytes(MESSAGE_BYTES)
        await rest(channel)
        assert seen.sent <= 3 + WINDOW_BYTES // MESSAGE_BYTES + 2
        numbers = [int(message.partition(b"\0")[0]) async for message in call]
        assert numbers == list(range(3, 1000))


@pytest.mark.asyncio
async def test_grpcio_is_held_back_too() -> None:
    seen = Seen()
    options = ChannelOptions(connection=ClientOptions(stream_window_bytes=WINDOW_BYTES))
    async with (
        grpcio_server(GrpcioKinds(seen)) as target,
        Channel(target, options=options) as channel,
        asyncio.timeout(LIMIT),
        channel.call(COUNT, bytes, bytes) as call,
    ):
        await call.send(b"1000 %d" % MESSAGE_BYTES)
        await call.done_writing()
        assert await call.receive() == b"0" + bytes(MESSAGE_BYTES)
        await rest(channel)
        # grpcio buffers some of its own.
        assert seen.sent * MESSAGE_BYTES < 10 * WINDOW_BYTES
        assert len([message async for message in call]) == 999


@pytest.mark.asyncio
async def test_requests_that_no_handler_reads_are_not_sent() -> None:
    seen = Seen()
    sent = 0

    async def requests() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b"wait"
        for number in range(200):
            sent += 1
            yield b"%d" % number + bytes(MESSAGE_BYTES)

    async with (
        own_server([own_service(seen)]) as (_, target),
        Channel(target) as channel,
        asyncio.timeout(LIMIT),
    ):
        task = asyncio.create_task(channel.stream_unary(JOIN, requests(), bytes, bytes))
        await seen.began.wait()
        await rest(channel)
        # The server's window is 1 MiB for each stream.
        assert sent <= (1 << 20) // MESSAGE_BYTES + 2
        seen.release.set()
        assert len((await task).split(b",")) == 201


@pytest.mark.asyncio
async def test_goaway_moves_the_channel_and_loses_no_call() -> None:
    seen = Seen()
    async with (
        own_server([own_service(seen)]) as (server, target),
        Channel(target) as channel,
        asyncio.timeout(LIMIT),
    ):
        waiting = asyncio.create_task(channel.unary_unary(WAIT, b"", bytes, bytes))
        await seen.began.wait()
        (first,) = server.connections
        first.drain(LIMIT)
        while channel.connected:
            await channel.unary_unary(REVERSE, b"ab", bytes, bytes)
        assert await channel.unary_unary(REVERSE, b"ab", bytes, bytes) == b"ba"
        assert len(server.connections) == 2
        seen.release.set()
        assert await waiting == b"released"
        await closed(server, 1)


@pytest.mark.asyncio
async def test_a_connection_is_replaced_before_its_stream_ids_end() -> None:
    seen = Seen()
    options = ChannelOptions(connection=ClientOptions(max_streams=3))
    async with (
        own_server([own_service(seen)]) as (server, target),
        Channel(target, options=options) as channel,
        asyncio.timeout(LIMIT),
        channel.call(WAIT_STREAM, bytes, bytes) as stream,
    ):
        assert await stream.receive() == b"began"
        for _ in range(2):
            assert await channel.unary_unary(REVERSE, b"ab", bytes, bytes) == b"ba"
        assert not channel.connected
        for _ in range(3):
            assert await channel.unary_unary(REVERSE, b"ab", bytes, bytes) == b"ba"
        assert len(server.connections) == 2
        seen.release.set()
        assert [message async for message in stream] == [b"released"]
        await closed(server, 1)


@pytest.mark.asyncio
async def test_more_calls_than_the_server_takes_wait_for_their_turn() -> None:
    seen = Seen()
    async with (
        own_server([own_service(seen)], ServerOptions(max_concurrent_streams=2)) as (_, target),
        Channel(target) as channel,
        asyncio.timeout(LIMIT),
    ):
        held = [asyncio.create_task(channel.unary_unary(WAIT, b"", bytes, bytes)) for _ in range(2)]
        await seen.began.wait()
        late = asyncio.create_task(channel.unary_unary(REVERSE, b"ab", bytes, bytes, timeout=0.2))
        given_up = asyncio.create_task(channel.unary_unary(REVERSE, b"ab", bytes, bytes))
        waiting = [asyncio.create_task(channel.unary_unary(REVERSE, b"ab", bytes, bytes)) for _ in range(10)]
        with pytest.raises(StatusError, match="DEADLINE_EXCEEDED"):
            await late
        given_up.cancel()
        seen.release.set()
        assert await asyncio.gather(*held, *waiting) == [b"released"] * 2 + [b"ba"] * 10
        assert given_up.cancelled()


@pytest.mark.asyncio
async def test_a_channel_that_is_closed() -> None:
    seen = Seen()
    async with own_server([own_service(seen)]) as (server, target), asyncio.timeout(LIMIT):
        channel = Channel(target)
        waiting = asyncio.create_task(channel.unary_unary(WAIT, b"", bytes, bytes))
        await seen.began.wait()
        await channel.close()
        with pytest.raises(StatusError, match="UNAVAILABLE: the connection was closed"):
            await waiting
        with pytest.raises(NotProcessedError, match="the channel is closed"):
            await channel.unary_unary(REVERSE, b"", bytes, bytes)
        await seen.cancelled.wait()
        await closed(server, 0)


@pytest.mark.asyncio
async def test_mutual_tls(certs: Certificates) -> None:
    seen = Seen()
    tls = server_ssl_context(certs.server_tls, "grpc")
    options = ServerOptions(secure=True)
    async with own_server([own_service(seen)], options, tls) as (server, target), asyncio.timeout(LIMIT):
        async with Channel(target, own_context(certs)) as channel:
            assert await channel.unary_unary(REVERSE, b"ab", bytes, bytes) == b"ba"
            (connection,) = server.connections
            assert connection.info.identity == "mcp-gateway"
        trusted, key, certificate = (
            path.read_bytes() for path in (certs.client.ca, certs.client.key, certs.client.certificate)
        )
        credentials = grpc.ssl_channel_credentials(trusted, key, certificate)
        async with aio.secure_channel(target, credentials) as judge:
            reverse: Any = judge.unary_unary(REVERSE)
            assert await reverse(b"ab") == b"ba"
        stranger = client_ssl_context(str(certs.client.ca))
        stranger.set_alpn_protocols(["h2"])
        async with Channel(target, stranger) as channel:
            with pytest.raises(NotProcessedError):
                await channel.unary_unary(REVERSE, b"ab", bytes, bytes)


@pytest.mark.asyncio
async def test_tls_against_grpcio(certs: Certificates) -> None:
    trusted, key, certificate = (
        path.read_bytes() for path in (certs.server.ca, certs.server.key, certs.server.certificate)
    )
    credentials = grpc.ssl_server_credentials([(key, certificate)], trusted, require_client_auth=True)
    async with grpcio_server(GrpcioKinds(Seen()), credentials=credentials) as target, asyncio.timeout(LIMIT):
        async with Channel(target, own_context(certs)) as channel:
            assert await channel.unary_unary(REVERSE, b"ab", bytes, bytes) == b"ba"
        # The name that the certificate must hold may be another than that of the target.
        wrong = ChannelOptions(server_hostname="elsewhere.example")
        async with Channel(target, own_context(certs), wrong) as channel:
            with pytest.raises(NotProcessedError, match="certificate verify failed"):
                await channel.unary_unary(REVERSE, b"ab", bytes, bytes)
        with pytest.raises(OSError, match="nobody answers there, or TLS failed"):
            await GrpcClient.connect(f"grpc://{target}")


def own_context(certs: Certificates) -> ssl.SSLContext:
    """The context of a client that the servers let in."""
    client = certs.client
    context = client_ssl_context(str(client.ca), str(client.certificate), str(client.key))
    context.set_alpn_protocols(["h2"])
    return context


async def closed(server: Server, count: int) -> None:
    """Wait until so many connections are left."""
    while len(server.connections) > count:
        await asyncio.sleep(0)


def test_paths_are_not_hosts(tmp_path: Path) -> None:
    """A relative path of a Unix socket stays one."""

    async def connect() -> None:
        with pytest.raises(NotProcessedError, match="No such file"):
            await Channel("unix:none/s").unary_unary(REVERSE, b"", bytes, bytes)

    asyncio.run(connect())
