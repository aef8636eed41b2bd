"""ASGI applications, each for one thing that a server must do."""

from __future__ import annotations

import json
from typing import Any

from plugsmith_runtime.http.responses import AsgiApp, Receive, Scope, Send


async def read_body(receive: Receive) -> bytes:
    """Read a request body to its end."""
    body: bytes = b""
    while True:
        message = await receive()
        assert message["type"] == "http.request", message
        body += message["body"]
        if not message["more_body"]:
            return body


async def start(send: Send, status: int = 200, *headers: tuple[bytes, bytes]) -> None:
    """Start a response."""
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def write(send: Send, body: bytes, more: bool = False) -> None:
    """Send a piece of a response."""
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with method, path and body, in one piece."""
    assert scope["type"] == "http"
    body = b"%b %b %b" % (scope["method"].encode(), scope["path"].encode(), await read_body(receive))
    await start(send, 200, (b"content-length", b"%d" % len(body)))
    await write(send, body)


async def echo_while_reading(scope: Scope, receive: Receive, send: Send) -> None:
    """Sends each piece of the request body back as soon as it is there."""
    assert scope["type"] == "http"
    await start(send)
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        more = message["more_body"]
        if message["body"]:
            await write(send, message["body"], True)
    await write(send, b"")


async def scope_as_json(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the scope."""
    assert scope["type"] == "http"
    body = json.dumps(scope, default=_text, sort_keys=True).encode()
    await start(send, 200, (b"content-length", b"%d" % len(body)))
    await write(send, body)


def _text(value: Any) -> str:
    assert isinstance(value, bytes)
    return value.decode("latin-1")


def answers(status: int, headers: list[tuple[bytes, bytes]], *pieces: bytes) -> AsgiApp:
    """An application with a fixed response."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await start(send, status, *headers)
        for piece in pieces[:-1]:
            await write(send, piece, True)
        await write(send, pieces[-1])

    return app
