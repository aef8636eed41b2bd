"""A call on an HTTP/2 stream as its client sees it, and what a client reads beyond what a server does."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from . import hpack
from .frames import FrameType
from .reader import Reader, Receiver
from .stream import Stream

_GOAWAY_SIZE, _RST_STREAM_SIZE = 8, 4


class Answer:
    """What came back: the message's bytes, still with gRPC's prefix, and the fields at the end."""

    __slots__ = ("body", "fields")

    def __init__(self, body: bytes, fields: hpack.Fields) -> None:
        self.body = body
        self.fields = fields


class Call(Stream):
    """A call on its stream."""

    __slots__ = ("answer", "body", "headers")

    def __init__(self, session: Any, number: int, window: int, answer: asyncio.Future[Answer]) -> None:
        super().__init__(session, number, window, 0, 0.0)
        self.answer = answer
        self.body: bytes | bytearray = b""
        self.headers: hpack.Fields | None = None


class ClientReceiver(Receiver, Protocol):
    """Is told also what only servers send."""

    def on_goaway(self, last: int) -> None:
        """The server takes no more calls; those above `last` were not run."""

    def on_refused(self, number: int, code: int) -> None:
        """The server ends a call."""


class ClientReader(Reader):
    """Reads what a server sends.

    Args:
        receiver: is told what came.
        block_limit: the largest header block, in bytes as sent.
    """

    __slots__ = ("_client",)

    def __init__(self, receiver: ClientReceiver, block_limit: int) -> None:
        super().__init__(receiver, block_limit)
        self._client = receiver
        # Servers send no preface.
        self.greeted = True

    def _frame(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if kind == FrameType.GOAWAY and len(payload) >= _GOAWAY_SIZE:
            self._client.on_goaway(int.from_bytes(payload[:4], "big"))
        elif kind == FrameType.RST_STREAM and len(payload) == _RST_STREAM_SIZE:
            self._client.on_refused(number, int.from_bytes(payload, "big"))
        else:
            super()._frame(kind, flags, number, payload)
