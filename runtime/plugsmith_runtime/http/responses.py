"""ASGI types, and responses in one piece: JSON, text, errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

import orjson

from ..errors import PlugsmithError

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

Header = tuple[bytes, bytes]

RETRY_AFTER: Header = (b"retry-after", b"1")

JSON: Header = (b"content-type", b"application/json")
TEXT: Header = (b"content-type", b"text/plain; charset=utf-8")


class HttpError(PlugsmithError):
    """An HTTP error response: 4xx or 5xx with a JSON object as its body.

    Args:
        status: the HTTP status.
        message: what is wrong, for people.
        headers: headers beside those of every response.
    """

    def __init__(self, status: int, message: str, *headers: Header) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers

    @property
    def body(self) -> bytes:
        """The response's body: a JSON object with the member "error"."""
        return orjson.dumps({"error": self.message})


async def send_body(send: Send, status: int, content_type: Header, body: bytes, *extra: Header) -> None:
    """Send a response with a body of known length."""
    headers = [content_type, (b"content-length", b"%d" % len(body)), *extra]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_empty(send: Send, status: int) -> None:
    """Send a response without a body."""
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def send_error(send: Send, error: HttpError) -> None:
    """Send an error response."""
    await send_body(send, error.status, JSON, error.body, *error.headers)


def encode_error(error: HttpError) -> bytes:
    """The bytes of an error response that ends the connection, for where no application is asked."""
    body = error.body
    headers = [JSON, (b"content-length", b"%d" % len(body)), (b"connection", b"close"), *error.headers]
    start = b"HTTP/1.1 %d %b\r\n" % (error.status, HTTPStatus(error.status).phrase.encode())
    return start + b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n" + body
