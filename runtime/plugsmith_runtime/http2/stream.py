"""One request and its answer on a connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .server import Connection


class StreamHandler(Protocol):
    """What is done with a request; the streams' user gives one for each."""

    def data(self, chunk: bytes, ended: bool) -> None:
        """A part of the request's body came, perhaps an empty one; `ended` with the last."""

    def late(self) -> None:
        """The request did not arrive in time."""

    def reset(self) -> None:
        """The client takes the request back, or is gone; `Stream.close` must follow."""


class Stream:
    """The server's side of one request.

    Args:
        connection: the connection that it belongs to.
        number: its number there.
        window: bytes that the client takes at once.
        credit: bytes that the client may send.
        began: when its first frame came, in the event loop's time.

    Attributes:
        exchange: what is done with the request.
        ended: whether the whole request has come.
        gone: whether nobody waits for the answer any more.
        waiting: bytes of the answer that the client does not take yet.
        last: the frames after those.
    """

    __slots__ = (
        "_drained", "began", "connection", "credit", "ended", "exchange", "gone", "last", "number", "waiting", "window"
    )  # fmt: skip

    exchange: StreamHandler

    def __init__(self, connection: Connection, number: int, window: int, credit: int, began: float) -> None:
        self.connection = connection
        self.number = number
        self.window = window
        self.credit = credit
        self.began = began
        self.ended = False
        self.gone = False
        self.waiting: bytearray | None = None
        self.last = b""
        self._drained: asyncio.Future[None] | None = None

    def send(self, first: bytes, data: bytes, last: bytes) -> None:
        """Send a part of the answer as soon as the client takes it.

        Args:
            first: whole frames that go before the data.
            data: the data.
            last: whole frames that go after it and end the answer; empty when more will come.
        """
        if not self.gone:
            self.connection.outbox.send(self, first, data, last)

    async def drained(self) -> None:
        """Wait until the client has taken what was sent."""
        if self.waiting:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained

    def wake(self) -> None:
        """Tell `drained`."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def close(self) -> None:
        """Forget the stream; nothing is sent on it any more."""
        self.connection.forget(self)
