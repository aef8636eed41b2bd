"""Answers of the HTTP application, and the ASGI types that it uses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

import orjson

from ..errors import PlugsmithError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Header = tuple[bytes, bytes]

RETRY_AFTER: Header = (b"retry-after", b"1")

JSON: Header = (b"content-type", b"application/json")
TEXT: Header = (b"content-type", b"text/plain; charset=utf-8")


class HttpError(PlugsmithError):
    """A request that is refused before its body counts.

    Args:
        status: the HTTP status.
        message: what is wrong, for people.
        headers: headers beside those of every answer.
    """

    def __init__(self, status: int, message: str, *headers: Header) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers


async def send_body(send: Send, status: int, content_type: Header, body: bytes, *extra: Header) -> None:
    """Send an answer with a body, in one piece where `send` can do that."""
    headers = [content_type, (b"content-length", b"%d" % len(body)), *extra]
    if answer := getattr(send, "answer", None):
        await answer(status, headers, body)
        return
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_empty(send: Send, status: int) -> None:
    """Send an answer without a body."""
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def send_refusal(send: Send, refusal: HttpError) -> None:
    """Send a refusal as a JSON object with the member "error"."""
    await send_body(send, refusal.status, JSON, orjson.dumps({"error": refusal.message}), *refusal.headers)


def refusal_bytes(refusal: HttpError) -> bytes:
    """The whole answer of a refusal that ends the connection, for where no application is asked."""
    body = orjson.dumps({"error": refusal.message})
    headers = [JSON, (b"content-length", b"%d" % len(body)), (b"connection", b"close"), *refusal.headers]
    start = b"HTTP/1.1 %d %b\r\n" % (refusal.status, HTTPStatus(refusal.status).phrase.encode())
    return start + b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n" + body
