"""The channel against servers that do what good ones do not, or seldom."""

from __future__ import annotations

import asyncio

import pytest
from plugsmith_runtime.grpc.channel import Channel
from plugsmith_runtime.grpc.channel_connection import ChannelOptions
from plugsmith_runtime.grpc.status import NotProcessedError, StatusCode, StatusError
from plugsmith_runtime.http2 import frames

from .fake_server import DATA, GOAWAY, HEADERS, RST_STREAM, WINDOW_UPDATE, FakeServer, Serve, fake_server

pytestmark = pytest.mark.asyncio

METHOD = "/test.Odd/Ask"
OK = (b":status", b"200"), (b"content-type", b"application/grpc")


async def ask(channel: Channel, timeout: float | None = None) -> bytes:
    return await channel.unary_unary(METHOD, b"question", bytes, bytes, timeout=timeout)


async def ask_once(serve: Serve) -> StatusError:
    """The error of a call of a server."""
    async with fake_server(serve) as target, Channel(target) as channel:
        with pytest.raises(StatusError) as failed:
            await ask(channel)
    return failed.value


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ([(b":status", b"503"), (b"content-type", b"text/html")], StatusCode.UNAVAILABLE),
        ([(b":status", b"404")], StatusCode.UNIMPLEMENTED),
        ([(b":status", b"200"), (b"content-type", b"text/html")], StatusCode.UNKNOWN),
        ([*OK], StatusCode.UNKNOWN),
        ([*OK, (b"grpc-status", b"77")], StatusCode.UNKNOWN),
        ([*OK, (b"grpc-status", b"soon")], StatusCode.UNKNOWN),
        ([*OK, (b"grpc-status", b"0")], StatusCode.INTERNAL),
    ],
)
async def test_answers_that_are_none(fields: list[tuple[bytes, bytes]], code: StatusCode) -> None:
    async def serve(server: FakeServer) -> None:
        await server.greet()
        _, _, stream, _ = await server.frame(HEADERS)
        server.headers(stream, *fields, ended=True)

    assert (await ask_once(serve)).code is code


@pytest.mark.parametrize("body", [b"", b"\0\0\0\0\5four", b"\0\0\0\0\1ab", b"\0\0\0\0\1a" * 2, b"\1\0\0\0\1a"])
async def test_bodies_that_are_not_one_message(body: bytes) -> None:
    async def serve(server: FakeServer) -> None:
        await server.greet()
        _, _, stream, _ = await server.frame(HEADERS)
        server.headers(stream, *OK)
        server.send(frames.frame(DATA, 0, stream, body))
        server.headers(stream, (b"grpc-status", b"0"), ended=True)

    assert (await ask_once(serve)).code is StatusCode.INTERNAL


@pytest.mark.parametrize(
    ("sent", "code"), [(8, StatusCode.CANCELLED), (11, StatusCode.RESOURCE_EXHAUSTED), (2, StatusCode.INTERNAL)]
)
async def test_resets(sent: int, code: StatusCode) -> None:
    async def serve(server: FakeServer) -> None:
        await server.greet()
        _, _, stream, _ = await server.frame(HEADERS)
        server.send(frames.frame(RST_STREAM, 0, stream, sent.to_bytes(4, "big")))

    error = await ask_once(serve)
    assert error.code is code
    assert not isinstance(error, NotProcessedError)


async def test_header_fields_that_are_too_large_end_their_call_alone() -> None:
    async def serve(server: FakeServer) -> None:
        await server.greet()
        _, _, stream, _ = await server.frame(HEADERS)
        # Many short references to one entry of the table: small on the wire, large when they are decoded.
        block = b"\x40\x01x\x7f\x81\x1e" + b"y" * 4000 + b"\xbe" * 1000
        server.send(frames.frame(HEADERS, frames.Flag.END_HEADERS, stream, block))
        assert (await server.frame(RST_STREAM))[2] == stream
        _, _, stream, _ = await server.frame(HEADERS)
        server.answer(stream, b"answer")

    async with fake_server(serve) as target, Channel(target) as channel:
        with pytest.raises(StatusError, match="header fields are too large"):
            await ask(channel)
        assert await ask(channel) == b"answer"


@pytest.mark.parametrize(
    "broken",
    [
        frames.frame(DATA, 0, 9, b"x"),
        frames.frame(HEADERS, 4, 2, b"\x88"),
        frames.frame(GOAWAY, 0, 0, b"short"),
        frames.frame(5, 4, 1, bytes(4)),
        frames.frame(WINDOW_UPDATE, 0, 0, bytes(4)),
        frames.frame(HEADERS, 4, 1, b"\x80"),
        frames.frame(DATA, 0, 0, bytes(10)),
    ],
)
async def test_a_server_that_breaks_the_protocol_is_left(broken: bytes) -> None:
    async def serve(server: FakeServer) -> None:
        await server.greet()
        await server.frame(HEADERS)
        server.send(broken)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            while True:
                await server.frame(HEADERS)

    error = await ask_once(serve)
    assert (error.code, error.message[:25]) == (StatusCode.UNAVAILABLE, "the server breaks HTTP/2:")


async def test_more_data_than_the_window_of_a_reader_who_takes_none() -> None:
    async def serve(server: FakeServer) -> None:
        await server.greet()
        _, _, stream, _ = await server.frame(HEADERS)
        server.headers(stream, *OK)
        part = frames.frame(DATA, 0, stream, b"\0\0\0\x3f\xfb" + bytes(16_379))
        # The window is 1 MiB.
        for _ in range(65):
            server.send(part)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            while True:
                await server.frame(HEADERS)

    async with (
        fake_server(serve) as target,
        Channel(target) as channel,
        channel.call(METHOD, bytes, bytes) as call,
    ):
        await call.initial_metadata()
        while not call.done:
            await asyncio.sleep(0)
        with pytest.raises(StatusError, match="more data than the window"):
            await call.receive()


async def test_the_server_takes_fewer_calls_later_on() -> None:
    async def serve(server: FakeServer) -> None:
        await server.greet()
        _, _, first, _ = await server.frame(HEADERS)
        server.send(frames.settings_frame({frames.Setting.MAX_CONCURRENT_STREAMS: 1}))
        await server.frame(4)
        server.answer(first, b"1")
        for number in (2, 3):
            _, _, stream, _ = await server.frame(HEADERS)
            server.send(frames.ping_frame(b"between!"))
            kind, _, _, _ = await server.frame(6, HEADERS)
            assert kind == 6
            server.answer(stream, b"%d" % number)

    async with fake_server(serve) as target, Channel(target) as channel:
        assert await ask(channel) == b"1"
        assert sorted(await asyncio.gather(ask(channel), ask(channel))) == [b"2", b"3"]


async def test_a_server_that_accepts_and_says_nothing() -> None:
    release = asyncio.Event()

    async def serve(server: FakeServer) -> None:
        await release.wait()

    async with fake_server(serve) as target:
        async with Channel(target, options=ChannelOptions(connect_timeout=0.2)) as channel:
            with pytest.raises(NotProcessedError, match=r"no connection within 0\.2 s"):
                await ask(channel)
        async with Channel(target) as channel:
            with pytest.raises(StatusError, match=r"DEADLINE_EXCEEDED: no answer within 0\.2 s"):
                await ask(channel, timeout=0.2)
        release.set()
