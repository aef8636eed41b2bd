"""Server-sent events."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from plugsmith_runtime.http.responses import Receive, Scope, Send
from plugsmith_runtime.http.sse import EventStream, encode_event

from .servers import LIMIT, connected, serving

GET = b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "fields", "expected"),
    [
        (b"x", {}, b"data: x\n\n"),
        (b"", {}, b"data: \n\n"),
        (b"one\ntwo\r\nthree\rfour", {}, b"data: one\ndata: two\ndata: three\ndata: four\n\n"),
        (b"end\n", {}, b"data: end\ndata: \n\n"),
        ("ä".encode(), {"event": "message", "event_id": "7"}, "event: message\nid: 7\ndata: ä\n\n".encode()),
        (b"x", {"retry_ms": 1500}, b"retry: 1500\ndata: x\n\n"),
    ],
)
def test_encoding(data: bytes, fields: dict[str, Any], expected: bytes) -> None:
    assert encode_event(data, **fields) == expected


@pytest.mark.parametrize("fields", [{"event": "a\nb"}, {"event_id": "a\rb"}, {"event_id": "a\0b"}])
def test_fields_cannot_be_forged(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="of a server-sent event holds"):
        encode_event(b"x", **fields)


@pytest.mark.asyncio
async def test_a_stream_of_events() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        async with EventStream(send, headers=[(b"x-more", b"1")]) as events:
            for number in range(3):
                await events.send_event(b"%d" % number, event_id=str(number))

    async with serving(app) as port, httpx.AsyncClient(timeout=LIMIT, trust_env=False) as client:
        response = await client.get(f"http://127.0.0.1:{port}/")
    assert (response.status_code, response.headers["x-more"]) == (200, "1")
    assert response.headers["content-type"] == "text/event-stream"
    assert response.headers["cache-control"] == "no-cache"
    assert response.content == b"id: 0\ndata: 0\n\nid: 1\ndata: 1\n\nid: 2\ndata: 2\n\n"


@pytest.mark.asyncio
async def test_the_client_is_kept_waiting_with_comments() -> None:
    done = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        async with EventStream(send, keep_alive_seconds=0.01) as events:
            await done.wait()
            await events.send_event(b"last")

    async with serving(app) as port, connected(port) as client:
        client.send(GET)
        # The headers come before any event, and the comments until there is one.
        assert b"text/event-stream" in await client.reader.readuntil(b"\r\n\r\n")
        for _ in range(3):
            await client.reader.readuntil(b": keep-alive\n\n\r\n")
        done.set()
        await client.reader.readuntil(b"data: last\n\n\r\n0\r\n\r\n")


@pytest.mark.asyncio
async def test_a_stream_that_fails_is_left_incomplete() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        async with EventStream(send) as events:
            await events.send_event(b"begun")
            raise RuntimeError("broken")

    async with serving(app) as port, connected(port) as client:
        client.send(GET)
        received = await client.reader.read()
        assert received.endswith(b"data: begun\n\n\r\n")
