"""Received messages: cut from the DATA of a stream, with flow control that follows their reader."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from .status import StatusCode, StatusError
from .wire import decode_message, message_length


@dataclass(slots=True)
class ReceiveBudget:
    """Memory budget of received bytes that nobody has taken yet, shared by all calls of one end.

    Attributes:
        max_message_bytes: the largest message that is read.
        max_buffered_bytes: such bytes of all calls together; None for any number.
        setting: the name of the setting behind `max_message_bytes`, for error texts.
        buffered_bytes: such bytes now.
    """

    max_message_bytes: int
    max_buffered_bytes: int | None = None
    setting: str = ""
    buffered_bytes: int = 0

    def change(self, growth: int) -> None:
        """Count bytes that came (or, negative, were taken).

        Raises:
            StatusError: there are too many now.
        """
        self.buffered_bytes += growth
        if growth > 0 and self.max_buffered_bytes is not None and self.buffered_bytes > self.max_buffered_bytes:
            text = (
                f"the server reads too many large requests at once ({self.max_buffered_bytes} bytes); "
                "send it again later"
            )
            raise StatusError(StatusCode.RESOURCE_EXHAUSTED, text)


class MessageReader:
    """Reader of the messages of a stream, in their order.

    The peer gets credit for bytes when their message is taken, or while somebody waits for it. So what is kept is at
    most the stream's window, or one message when that is larger.

    Args:
        budget: limits messages and memory.
        acknowledge: gives the peer credit for so many bytes.
        what: what the messages are, for error texts.
    """

    __slots__ = ("_acknowledge", "_budget", "_buffer", "_ended", "_error", "_unacknowledged", "_waiter", "_what")

    def __init__(self, budget: ReceiveBudget, acknowledge: Callable[[int], None], what: str) -> None:
        self._budget = budget
        self._acknowledge = acknowledge
        self._what = what
        self._buffer = bytearray()
        self._unacknowledged = 0
        self._ended = False
        self._error: StatusError | None = None
        self._waiter: asyncio.Future[None] | None = None

    @property
    def buffered_bytes(self) -> int:
        """Bytes that nobody has taken yet."""
        return len(self._buffer)

    def feed(self, data: bytes, ended: bool) -> None:
        """Take data of the stream.

        Raises:
            StatusError: the budget is used up, or a message is larger than the limit.
        """
        self._buffer += data
        self._budget.change(len(data))
        self._unacknowledged += len(data)
        message_length(self._buffer, self._budget.max_message_bytes, self._budget.setting)
        if self._waiter is not None:
            self._acknowledge_down_to(0)
        if ended:
            self.end()
        else:
            self._wake()

    def end(self) -> None:
        """No further message comes."""
        self._ended = True
        self._wake()

    def fail(self, error: StatusError, discard: bool) -> None:
        """The stream ended with an error, which readers see after the messages that are there, unless these go too."""
        if discard:
            self.discard()
        self._error = self._error or error
        self.end()

    def discard(self) -> None:
        """Drop what nobody has taken."""
        self._budget.change(-len(self._buffer))
        self._buffer.clear()

    async def read(self) -> bytes | None:
        """The next message; None after the last.

        Raises:
            StatusError: the stream ended with an error, or the message cannot be decoded.
        """
        while True:
            limit, setting = self._budget.max_message_bytes, self._budget.setting
            size = message_length(self._buffer, limit, setting)
            if size and len(self._buffer) >= size:
                message = decode_message(self._buffer[:size], limit, setting, self._what)
                self._budget.change(-size)
                del self._buffer[:size]
                self._acknowledge_down_to(len(self._buffer))
                return message
            if self._error is not None:
                raise self._error
            if self._ended:
                if self._buffer:
                    raise StatusError(StatusCode.INTERNAL, f"the {self._what} is cut off")
                return None
            self._acknowledge_down_to(0)
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def _acknowledge_down_to(self, size: int) -> None:
        if self._unacknowledged > size:
            self._acknowledge(self._unacknowledged - size)
            self._unacknowledged = size

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
