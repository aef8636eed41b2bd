"""The gRPC client of PluginService against servers that do what ours never would."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from plugsmith_runtime.client import grpc as client_grpc
from plugsmith_runtime.client.grpc import GrpcClient
from plugsmith_runtime.contract import plugin_service_pb2 as pb
from plugsmith_runtime.errors import RequestNotSentError
from plugsmith_runtime.http2 import frames

from .fake_server import (
    ACK,
    CANCEL,
    DATA,
    END_STREAM,
    HEADERS,
    PING,
    REFUSED_STREAM,
    RST_STREAM,
    FakeServer,
    Serve,
    fake_server,
)

LIMIT = 20.0


def talk(serve: Serve, use: Callable[[GrpcClient], Awaitable[None]], timeout: float = LIMIT) -> None:
    """Run a fake server and a client of it to their ends."""

    async def both() -> None:
        async with fake_server(serve) as target:
            client = await GrpcClient.connect(f"grpc://{target}", timeout=timeout)
            await use(client)
            await client.close()

    asyncio.run(both())


def reply(said: str = "fine") -> bytes:
    """The answer to a hook call."""
    response = pb.InvokeHookResponse(plugin_name="P")
    response.result["continue_processing"] = True
    response.result["metadata"] = {"said": said}
    data: bytes = response.SerializeToString()
    return data


async def invoke(client: GrpcClient, text: str = "hello") -> dict[str, Any]:
    return await client.invoke("tool_pre_invoke", "P", {"name": "t", "args": {"text": text}}, None)


def test_a_refused_call_was_not_sent() -> None:
    async def serve(server: FakeServer) -> None:
        await server.greet()
        _, _, stream, _ = await server.frame(HEADERS)
        server.send(frames.frame(RST_STREAM, 0, stream, REFUSED_STREAM.to_bytes(4, "big")))
        _, _, stream, _ = await server.frame(HEADERS)
        server.answer(stream, reply())

    async def use(client: GrpcClient) -> None:
        with pytest.raises(RequestNotSentError):
            await invoke(client)
        assert client.usable
        assert (await invoke(client))["result"]["metadata"] == {"said": "fine"}

    talk(serve, use)


def test_a_goodbye_tells_which_calls_were_not_taken() -> None:
    async def serve(server: FakeServer) -> None:
        await server.greet()
        _, _, first, _ = await server.frame(HEADERS)
        await server.frame(HEADERS)
        server.send(frames.goaway_frame(first, frames.ErrorCode.NO_ERROR))
        server.answer(first, reply())

    async def use(client: GrpcClient) -> None:
        taken = asyncio.create_task(invoke(client, "first"))
        await asyncio.sleep(0)
        with pytest.raises(RequestNotSentError, match="did not take the call"):
            await invoke(client, "second")
        assert (await taken)["result"]["metadata"] == {"said": "fine"}
        assert not client.usable
        with pytest.raises(RequestNotSentError, match="closed before the call"):
            await invoke(client, "third")

    talk(serve, use)


def test_a_connection_that_is_lost_says_that_the_hook_may_have_run() -> None:
    async def serve(server: FakeServer) -> None:
        await server.greet()
        await server.frame(HEADERS)
        server.close()

    async def use(client: GrpcClient) -> None:
        with pytest.raises(ConnectionError, match="lost while the call was in flight") as lost:
            await invoke(client)
        assert not isinstance(lost.value, RequestNotSentError)
        assert not client.usable

    talk(serve, use)


@pytest.mark.parametrize(
    ("code", "text", "error", "said"),
    [
        (b"14", b"going%20away", ConnectionError, "UNAVAILABLE: going away"),
        (b"4", b"", TimeoutError, "no answer in time"),
        (b"12", b"no%20such%20method", ConnectionError, "no such method"),
    ],
)
def test_other_statuses_are_errors(code: bytes, text: bytes, error: type[Exception], said: str) -> None:
    async def serve(server: FakeServer) -> None:
        await server.greet()
        _, _, stream, _ = await server.frame(HEADERS)
        server.status(stream, code, text)

    async def use(client: GrpcClient) -> None:
        with pytest.raises(error, match=said):
            await invoke(client)

    talk(serve, use)


def test_a_server_with_too_much_to_do_is_told_apart() -> None:
    async def serve(server: FakeServer) -> None:
        await server.greet()
        _, _, stream, _ = await server.frame(HEADERS)
        server.status(stream, b"8", b"too%20many%20hooks")

    async def use(client: GrpcClient) -> None:
        error = (await invoke(client))["error"]
        assert (error["code"], error["message"]) == ("OVERLOADED", "too many hooks")

    talk(serve, use)


def test_a_late_call_is_taken_back() -> None:
    async def serve(server: FakeServer) -> None:
        await server.greet()
        _, _, late, _ = await server.frame(HEADERS)
        assert await server.frame(RST_STREAM) == (RST_STREAM, 0, late, CANCEL.to_bytes(4, "big"))
        _, _, stream, _ = await server.frame(HEADERS)
        server.answer(late, reply("too late"))
        server.answer(stream, reply("in time"))

    async def use(client: GrpcClient) -> None:
        with pytest.raises(TimeoutError, match=r"no answer within 0\.5 s"):
            await invoke(client)
        assert (await invoke(client))["result"]["metadata"] == {"said": "in time"}

    talk(serve, use, timeout=0.5)


def test_windows_are_kept_and_parts_put_together() -> None:
    text = "x" * 1000

    async def serve(server: FakeServer) -> None:
        await server.greet(INITIAL_WINDOW_SIZE=100)
        _, _, stream, _ = await server.frame(HEADERS)
        body = b""
        flags = 0
        while not flags & END_STREAM:
            _, flags, _, part = await server.frame(DATA)
            assert len(part) <= 100
            body += part
            if part:
                server.send(frames.window_update_frame(stream, len(part)))
        assert len(body) == 5 + int.from_bytes(body[1:5], "big")
        assert text.encode() in body
        server.answer(stream, reply(text), parts=7)

    async def use(client: GrpcClient) -> None:
        assert (await invoke(client, text))["result"]["metadata"] == {"said": text}

    talk(serve, use)


def test_no_more_calls_are_in_flight_than_the_server_takes() -> None:
    async def serve(server: FakeServer) -> None:
        await server.greet(MAX_CONCURRENT_STREAMS=1)
        for _ in range(3):
            _, _, stream, _ = await server.frame(HEADERS)
            server.send(frames.frame(PING, 0, 0, b"between!"))
            # The answer to the ping comes before any further call.
            kind, flags, _, payload = await server.frame(PING, HEADERS)
            assert (kind, flags, payload) == (PING, ACK, b"between!")
            server.answer(stream, reply())

    async def use(client: GrpcClient) -> None:
        replies = await asyncio.gather(*(invoke(client) for _ in range(3)))
        assert all("result" in reply for reply in replies)

    talk(serve, use)


def test_a_server_that_gives_no_sign_of_life_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_grpc, "_KEEPALIVE_SECONDS", 0.2)

    async def serve(server: FakeServer) -> None:
        await server.greet()
        await server.frame(HEADERS)
        await server.frame(PING)
        with pytest.raises(asyncio.IncompleteReadError):
            await server.frame(HEADERS)

    async def use(client: GrpcClient) -> None:
        with pytest.raises(ConnectionError, match="no sign of life"):
            await invoke(client)
        assert not client.usable

    talk(serve, use)


def test_what_does_not_speak_http2_is_refused() -> None:
    async def serve(server: FakeServer) -> None:
        server.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with pytest.raises(ConnectionError):
        talk(serve, invoke_nothing)


async def invoke_nothing(client: GrpcClient) -> None:
    """Only the connection counts."""
