"""The channel against grpcio's server: all kinds of call, metadata, statuses, deadlines, cancellation, compression."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from plugsmith_runtime.errors import EncodeError
from plugsmith_runtime.grpc.channel import Channel
from plugsmith_runtime.grpc.channel_connection import ChannelOptions
from plugsmith_runtime.grpc.status import Metadata, NotProcessedError, StatusCode, StatusError
from plugsmith_runtime.http2.client import ClientOptions

from .kinds import (
    COUNT,
    DOUBLE,
    FAIL,
    JOIN,
    LIMIT,
    REVERSE,
    WAIT,
    WAIT_STREAM,
    GrpcioKinds,
    Seen,
    grpcio_server,
    messages,
)  # fmt: skip

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def seen() -> Seen:
    return Seen()


@pytest_asyncio.fixture
async def channel(seen: Seen) -> AsyncIterator[Channel]:
    async with grpcio_server(GrpcioKinds(seen)) as target, Channel(target) as channel, asyncio.timeout(LIMIT):
        yield channel


async def test_the_four_kinds_of_call(channel: Channel) -> None:
    assert await channel.unary_unary(REVERSE, b"abc", bytes, bytes) == b"cba"
    counted = [message async for message in channel.unary_stream(COUNT, b"3 0", bytes, bytes)]
    assert counted == [b"0", b"1", b"2"]
    assert await channel.stream_unary(JOIN, messages(b"a", b"", b"c"), bytes, bytes) == b"a,,c"
    doubled = [message async for message in channel.stream_stream(DOUBLE, messages(b"a", b"b"), bytes, bytes)]
    assert doubled == [b"aa", b"bb"]


async def test_a_conversation(channel: Channel) -> None:
    async with channel.call(DOUBLE, str.encode, bytes.decode) as call:
        for word in ("one", "two", "three"):
            await call.send(word)
            assert await call.receive() == 2 * word
        await call.done_writing()
        assert await call.receive() is None
        assert call.done
        with pytest.raises(RuntimeError, match="no further messages"):
            await call.send("four")


async def test_metadata_both_ways(channel: Channel) -> None:
    metadata: Metadata = [("x-say", "hello, you"), ("x-raw-bin", bytes(range(256)))]
    async with channel.call(REVERSE, bytes, bytes, metadata=metadata) as call:
        await call.send(b"ab")
        await call.done_writing()
        initial = dict(await call.initial_metadata())
        assert (initial["x-said"], initial["x-raw-bin"]) == ("hello, you", bytes(range(256)))
        assert await call.receive() == b"ba"
        assert await call.receive() is None
        assert dict(call.trailing_metadata) == {"x-end": "over", "x-end-bin": b"\xff\x00"}


async def test_metadata_that_no_frame_holds(seen: Seen) -> None:
    handler = GrpcioKinds(seen)
    options = ChannelOptions(connection=ClientOptions(max_header_bytes=200_000))
    async with grpcio_server(handler, max_metadata=200_000) as target, Channel(target, options=options) as channel:
        value = bytes(range(256)) * 300
        async with channel.call(
            REVERSE, bytes, bytes, timeout=LIMIT, metadata=[("x-say", "a" * 20_000), ("x-raw-bin", value)]
        ) as call:
            await call.send(b"ab")
            await call.done_writing()
            initial = dict(await call.initial_metadata())
            assert (initial["x-said"], initial["x-raw-bin"]) == ("a" * 20_000, value)
            assert await call.receive() == b"ba"


@pytest.mark.parametrize(
    "metadata", [("X-Upper", "a"), ("x-line", "a\nb"), ("x-bin", "text"), ("grpc-timeout", "1S"), ("te", "x")]
)
async def test_metadata_that_is_not_allowed_is_not_sent(channel: Channel, metadata: tuple[str, str]) -> None:
    with pytest.raises(EncodeError, match="metadata"):
        await channel.unary_unary(REVERSE, b"", bytes, bytes, metadata=[metadata])
    assert await channel.unary_unary(REVERSE, b"ab", bytes, bytes) == b"ba"


async def test_statuses(channel: Channel) -> None:
    with pytest.raises(StatusError) as failed:
        await channel.unary_unary(FAIL, b"", bytes, bytes)
    assert (failed.value.code, failed.value.message) == (StatusCode.FAILED_PRECONDITION, "100 % no: é\n")
    assert dict(failed.value.trailing_metadata)["x-why-bin"] == b"\x01\x02"
    with pytest.raises(StatusError) as unknown:
        [message async for message in channel.unary_stream("/test.Kinds/Nothing", b"", bytes, bytes)]
    assert unknown.value.code is StatusCode.UNIMPLEMENTED


async def test_a_deadline_ends_the_call_on_both_sides(channel: Channel, seen: Seen) -> None:
    with pytest.raises(StatusError) as late:
        await channel.unary_unary(WAIT, b"", bytes, bytes, timeout=0.3)
    assert late.value.code is StatusCode.DEADLINE_EXCEEDED
    await seen.cancelled.wait()
    assert await channel.unary_unary(REVERSE, b"ab", bytes, bytes, timeout=LIMIT) == b"ba"
    with pytest.raises(StatusError) as late:
        async with channel.call(WAIT_STREAM, bytes, bytes, timeout=0.3) as call:
            while await call.receive():
                pass
    assert late.value.code is StatusCode.DEADLINE_EXCEEDED


async def test_the_server_sees_that_a_call_is_cancelled(channel: Channel, seen: Seen) -> None:
    task = asyncio.create_task(channel.unary_unary(WAIT, b"", bytes, bytes))
    await seen.began.wait()
    task.cancel()
    await seen.cancelled.wait()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_server_sees_that_a_stream_is_left(channel: Channel, seen: Seen) -> None:
    async with channel.call(WAIT_STREAM, bytes, bytes) as call:
        assert await call.receive() == b"began"
        await seen.began.wait()
    await seen.cancelled.wait()
    with pytest.raises(StatusError, match="CANCELLED"):
        await call.receive()


async def test_requests_that_fail_end_the_call(channel: Channel) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"a"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await channel.stream_unary(JOIN, broken(), bytes, bytes)
    assert await channel.unary_unary(REVERSE, b"ab", bytes, bytes) == b"ba"


async def test_large_messages_in_small_windows(seen: Seen) -> None:
    options = ChannelOptions(
        max_message_bytes=20_000_000,
        connection=ClientOptions(stream_window_bytes=20_000, connection_window_bytes=70_000),
    )
    async with grpcio_server(GrpcioKinds(seen)) as target, Channel(target, options=options) as channel:
        message = bytes(1000) + b"x" * 8_000_000
        assert await channel.unary_unary(REVERSE, message, bytes, bytes, timeout=LIMIT) == message[::-1]
        doubled = [one async for one in channel.stream_stream(DOUBLE, messages(message), bytes, bytes, timeout=LIMIT)]
        assert doubled == [message * 2]


async def test_an_answer_over_the_limit(seen: Seen) -> None:
    options = ChannelOptions(max_message_bytes=1000)
    async with grpcio_server(GrpcioKinds(seen)) as target, Channel(target, options=options) as channel:
        with pytest.raises(StatusError, match="a message of 1001 bytes; at most 1000 are read") as refused:
            await channel.unary_unary(REVERSE, bytes(1001), bytes, bytes, timeout=LIMIT)
        assert refused.value.code is StatusCode.RESOURCE_EXHAUSTED
        with pytest.raises(StatusError) as refused:
            [one async for one in channel.unary_stream(COUNT, b"2 2000", bytes, bytes, timeout=LIMIT)]
        assert refused.value.code is StatusCode.RESOURCE_EXHAUSTED
        assert await channel.unary_unary(REVERSE, bytes(1000), bytes, bytes, timeout=LIMIT) == bytes(1000)


async def test_compression_both_ways(seen: Seen) -> None:
    async with (
        grpcio_server(GrpcioKinds(seen), compression=grpc.Compression.Gzip) as target,
        Channel(target, options=ChannelOptions(compress=True)) as channel,
        asyncio.timeout(LIMIT),
    ):
        message = b"ab" * 100_000
        assert await channel.unary_unary(REVERSE, message, bytes, bytes) == message[::-1]
        doubled = [one async for one in channel.stream_stream(DOUBLE, messages(message), bytes, bytes)]
        assert doubled == [message * 2]


async def test_a_unix_socket(seen: Seen, short_path: Path) -> None:
    async with grpcio_server(GrpcioKinds(seen), address=f"unix:{short_path}/s") as target, Channel(target) as channel:
        assert await channel.unary_unary(REVERSE, b"ab", bytes, bytes, timeout=LIMIT) == b"ba"


async def test_nobody_there(short_path: Path) -> None:
    for target in (f"unix:{short_path}/none", "127.0.0.1:1"):
        async with Channel(target) as channel:
            with pytest.raises(NotProcessedError, match="no connection") as unreachable:
                await channel.unary_unary(REVERSE, b"", bytes, bytes, timeout=LIMIT)
            assert unreachable.value.code is StatusCode.UNAVAILABLE


async def test_a_server_that_comes_back(seen: Seen, short_path: Path) -> None:
    address = f"unix:{short_path}/s"
    async with Channel(address) as channel:
        for _ in range(2):
            async with grpcio_server(GrpcioKinds(Seen()), address=address):
                assert await channel.unary_unary(REVERSE, b"ab", bytes, bytes, timeout=LIMIT) == b"ba"


@pytest.mark.parametrize("target", ["", "localhost", "http://localhost:1", "localhost:1/x"])
async def test_what_is_no_target(target: str) -> None:
    with pytest.raises(ValueError, match="is no target"):
        Channel(target)
