"""A request as the routes get it, and how its body is read: never more than the largest allowed one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...http.responses import HttpError, Receive
from ...http.security import CONTENT_LENGTH, Headers


class Request(NamedTuple):
    """A request that was let in.

    Attributes:
        headers: those that matter here.
        body: its body.
        identity: the caller's name in its verified TLS certificate.
        trace: the caller's traceparent and tracestate, where they are wanted.
    """

    headers: Headers
    body: bytes
    identity: str | None
    trace: Mapping[str, str] | None


async def read_body(headers: Headers, receive: Receive, limit: int) -> bytes | None:
    """Read a request's body.

    Args:
        headers: the request's headers.
        receive: gives the body's pieces.
        limit: bytes that the body may have.

    Returns:
        The body; None when the client is gone.

    Raises:
        HttpError: the body is too large.
    """
    if int(headers.get(CONTENT_LENGTH, b"0")) > limit:
        raise _too_large(limit)
    message = await receive()
    if message["type"] == "http.disconnect":
        return None
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        parts = [body]
        size = len(body)
        while message.get("more_body"):
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                raise _too_large(limit)
        body = b"".join(parts)
    if len(body) > limit:
        raise _too_large(limit)
    return body


def _too_large(limit: int) -> HttpError:
    return HttpError(413, f"the body is larger than {limit} bytes (PLUGINS_MAX_MESSAGE_BYTES)")
