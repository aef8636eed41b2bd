"""Server-sent events (HTML Living Standard, 9.2) over an ASGI `send`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import TracebackType

from .responses import Header, Send

CONTENT_TYPE: Header = (b"content-type", b"text/event-stream")

_KEEP_ALIVE_COMMENT = b": keep-alive\n\n"


def encode_event(data: bytes, *, event: str = "", event_id: str = "", retry_ms: int | None = None) -> bytes:
    """Encode an event.

    Args:
        data: its data, in UTF-8; each line becomes a field.
        event: its type; "" for the default, "message".
        event_id: what a client that reconnects names as its last; "" for none.
        retry_ms: milliseconds after which a client that lost the connection shall try again.

    Raises:
        ValueError: the type or the id holds control characters.
    """
    lines = []
    for name, value in (("event", event), ("id", event_id)):
        if not value.isprintable():
            raise ValueError(f"the {name} of a server-sent event holds control characters")
        if value:
            lines.append(f"{name}: {value}\n".encode())
    if retry_ms is not None:
        lines.append(b"retry: %d\n" % retry_ms)
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    lines += [b"data: %b\n" % line for line in data.split(b"\n")]
    return b"".join((*lines, b"\n"))


class EventStream:
    """A response of server-sent events, for the length of an `async with` block.

    A block that raises leaves the response incomplete: the server then ends the connection, and the client knows.

    Args:
        send: the ASGI `send`.
        keep_alive_seconds: a comment is sent after so long without an event, so that no proxy takes the connection
            for dead, and a client that is gone is found out.
        headers: headers beside content-type and cache-control.
    """

    def __init__(self, send: Send, keep_alive_seconds: float = 15.0, headers: Iterable[Header] = ()) -> None:
        self._send = send
        self._keep_alive_seconds = keep_alive_seconds
        self._headers = headers
        self._sent = 0.0

    async def __aenter__(self) -> EventStream:
        headers = [CONTENT_TYPE, (b"cache-control", b"no-cache"), *self._headers]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        # The client learns at once that there is a stream, however late the first event is.
        await self._write(b"")
        self._keep_alive = asyncio.get_running_loop().create_task(self._keep_alive_loop())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._keep_alive.cancel()
        if kind is None:
            await self._send({"type": "http.response.body", "body": b""})

    async def send_event(
        self, data: bytes, *, event: str = "", event_id: str = "", retry_ms: int | None = None
    ) -> None:
        """Send an event; see `encode_event`."""
        await self._write(encode_event(data, event=event, event_id=event_id, retry_ms=retry_ms))

    async def _write(self, data: bytes) -> None:
        self._sent = asyncio.get_running_loop().time()
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def _keep_alive_loop(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            wait = self._sent + self._keep_alive_seconds - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)
            else:
                await self._write(_KEEP_ALIVE_COMMENT)
