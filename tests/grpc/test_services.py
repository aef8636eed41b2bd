"""A server made of services against grpcio's client: all kinds of call, metadata, statuses, deadlines, cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from plugsmith_runtime.grpc.server import ServerOptions, SettingNames
from plugsmith_runtime.grpc.server_call import ServerCall
from plugsmith_runtime.grpc.service import Service, stream_stream, unary_unary

from .kinds import (
    COUNT,
    DOUBLE,
    FAIL,
    JOIN,
    KINDS,
    LIMIT,
    REVERSE,
    WAIT,
    WAIT_STREAM,
    Seen,
    messages,
    own_server,
    own_service,
)  # fmt: skip

pytestmark = pytest.mark.asyncio

# Two packages have types of grpcio, of different versions: what they disagree about is left open.
aio: Any = grpc.aio


@pytest_asyncio.fixture
async def seen() -> Seen:
    return Seen()


@pytest_asyncio.fixture
async def channel(seen: Seen) -> AsyncIterator[Any]:
    async with own_server([own_service(seen)]) as (_, target), aio.insecure_channel(target) as channel:
        async with asyncio.timeout(LIMIT):
            yield channel


async def test_the_four_kinds_of_call(channel: Any) -> None:
    assert await channel.unary_unary(REVERSE)(b"abc") == b"cba"
    assert [message async for message in channel.unary_stream(COUNT)(b"3 0")] == [b"0", b"1", b"2"]
    assert await channel.stream_unary(JOIN)(messages(b"a", b"", b"c")) == b"a,,c"
    assert [message async for message in channel.stream_stream(DOUBLE)(messages(b"a", b"b"))] == [b"aa", b"bb"]


async def test_metadata_both_ways(channel: Any) -> None:
    metadata = (("x-say", "hello, you"), ("x-raw-bin", bytes(range(256))))
    call = channel.unary_unary(REVERSE)(b"ab", metadata=metadata)
    initial = dict(tuple(await call.initial_metadata()))
    assert (initial["x-said"], initial["x-raw-bin"]) == ("hello, you", bytes(range(256)))
    assert await call == b"ba"
    assert dict(tuple(await call.trailing_metadata())) == {"x-end": "over", "x-end-bin": b"\xff\x00"}


async def test_statuses(channel: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await channel.unary_unary(FAIL)(b"")
    assert failed.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert failed.value.details() == "100 % no: é\n"
    trailing: Any = failed.value.trailing_metadata()
    assert dict(tuple(trailing))["x-why-bin"] == b"\x01\x02"


@pytest.mark.parametrize("sent", [(), (b"1000000 0", b"2 0")])
async def test_a_stream_of_requests_where_one_is_due(channel: Any, sent: tuple[bytes, ...]) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        [message async for message in channel.stream_stream(COUNT)(messages(*sent))]
    assert refused.value.code() is (grpc.StatusCode.INTERNAL if sent else grpc.StatusCode.INVALID_ARGUMENT)


async def test_a_deadline_ends_the_call_on_both_sides(channel: Any, seen: Seen) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as late:
        await channel.unary_unary(WAIT)(b"", timeout=0.3)
    assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await seen.cancelled.wait()


async def test_a_cancelled_call_is_cancelled_in_its_handler(channel: Any, seen: Seen) -> None:
    call = channel.unary_unary(WAIT)(b"")
    await seen.began.wait()
    call.cancel()
    await seen.cancelled.wait()


async def test_a_cancelled_stream_is_cancelled_in_its_handler(channel: Any, seen: Seen) -> None:
    call = channel.stream_stream(WAIT_STREAM)()
    assert await call.read() == b"began"
    await seen.began.wait()
    call.cancel()
    await seen.cancelled.wait()


async def test_deadline_and_serializers() -> None:
    async def left(request: str, call: ServerCall) -> float:
        if request == "none":
            assert call.time_remaining() is None
            return 0.0
        remaining = call.time_remaining()
        assert remaining is not None
        return remaining

    async def words(requests: AsyncIterator[str], call: ServerCall) -> AsyncGenerator[int, None]:
        async for request in requests:
            yield len(request)

    def write(value: float) -> bytes:
        return str(value).encode()

    methods = [
        unary_unary("Left", left, bytes.decode, write),
        stream_stream("Words", words, bytes.decode, write),
    ]
    async with (
        own_server([Service(KINDS, methods)]) as (_, target),
        aio.insecure_channel(target) as channel,
        asyncio.timeout(LIMIT),
    ):
        asked: Any = channel.unary_unary(f"/{KINDS}/Left")
        assert 0 < float(await asked(b"", timeout=10)) <= 11
        assert await asked(b"none") == b"0.0"
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await asked(b"\xff")
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        counted: Any = channel.stream_stream(f"/{KINDS}/Words")
        assert [answer async for answer in counted(messages(b"a", b"bcd"))] == [b"1", b"3"]


async def test_a_handler_that_fails_is_not_told_to_the_client(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(request: bytes, call: ServerCall) -> bytes:
        raise ZeroDivisionError("a secret")

    async with (
        own_server([Service(KINDS, [unary_unary("Broken", broken)])]) as (_, target),
        aio.insecure_channel(target) as channel,
    ):
        call: Any = channel.unary_unary(f"/{KINDS}/Broken")
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await call(b"", timeout=LIMIT)
    assert failed.value.code() is grpc.StatusCode.INTERNAL
    assert "secret" not in (failed.value.details() or "")
    assert "a secret" in caplog.text


async def test_large_messages_and_compression(seen: Seen) -> None:
    options = [("grpc.max_receive_message_length", -1)]
    async with (
        own_server([own_service(seen)], ServerOptions(max_message_bytes=20_000_000)) as (_, target),
        aio.insecure_channel(target, options, compression=grpc.Compression.Gzip) as channel,
        asyncio.timeout(LIMIT),
    ):
        message = bytes(1000) + b"x" * 8_000_000
        reverse: Any = channel.unary_unary(REVERSE)
        double: Any = channel.stream_stream(DOUBLE)
        assert await reverse(message) == message[::-1]
        assert [one async for one in double(messages(message))] == [message * 2]


async def test_limits_are_told_with_the_names_that_the_server_is_given(seen: Seen) -> None:
    named = ServerOptions(max_message_bytes=1000, setting_names=SettingNames(max_message_bytes="MOST"))
    for options, told in ((ServerOptions(max_message_bytes=1000), "are read"), (named, "are read (MOST)")):
        async with (
            own_server([own_service(seen)], options) as (_, target),
            aio.insecure_channel(target) as channel,
        ):
            reverse: Any = channel.unary_unary(REVERSE)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await reverse(bytes(1001), timeout=LIMIT)
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert refused.value.details() == f"a message of 1001 bytes; at most 1000 {told}"


async def test_a_unix_socket(seen: Seen, short_path: Path) -> None:
    path = str(short_path / "s")
    async with (
        own_server([own_service(seen)], path=path) as (_, target),
        aio.insecure_channel(target) as channel,
    ):
        reverse: Any = channel.unary_unary(REVERSE)
        assert await reverse(b"ab", timeout=LIMIT) == b"ba"
