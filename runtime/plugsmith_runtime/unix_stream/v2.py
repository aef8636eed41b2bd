"""Version 2 of the protocol: many calls in flight on a connection, answered in any order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from google.protobuf.message import DecodeError

from ..codec.unix_v2 import write_goodbye, write_welcome
from ..contract.plugin_stream_pb2 import ClientFrame
from ..errors import PlugsmithError
from .connection import Connection, Limits
from .length_prefix import FrameTooLongError

logger = logging.getLogger(__name__)


class StreamConnection(Connection):
    """Reads calls, runs them at the same time, and writes each answer when it is there.

    It stops reading while too many calls, or too many bytes of calls, are in flight, and begins no call while the
    client does not read.

    Args:
        answer: turns a call, which took so many bytes, into the frame that answers it.
        limits: what the connection may ask for.
        on_lost: told when the connection is gone.
    """

    def __init__(
        self,
        answer: Callable[[ClientFrame, int], Awaitable[bytes]],
        limits: Limits,
        on_lost: Callable[[Connection], None],
    ) -> None:
        super().__init__(limits, on_lost)
        self._answer = answer
        self._running: dict[int, tuple[asyncio.Task[None], int]] = {}
        self._waiting: dict[int, tuple[ClientFrame, int]] = {}
        self._bytes = 0
        self._last_id = 0
        self._draining = False

    @property
    def busy(self) -> bool:
        """Whether calls are in flight."""
        return bool(self._running)

    def drain(self) -> None:
        """Take no more calls, answer those that were taken, then close."""
        if not self._draining and not self._transport.is_closing():
            self._draining = True
            self._send(write_goodbye(self._last_id), more=False)
            self._close_when_done()

    def abort(self) -> None:
        """Close at once, and cancel what is in flight."""
        self._cancel_all()
        super().abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._send(write_welcome(self._limits.frame, self._limits.calls), more=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol: nobody is left to answer."""
        self._cancel_all()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        try:
            for message in self._feed(data, self._loop.time()):
                self._take(ClientFrame.FromString(message), len(message))
        except FrameTooLongError as error:
            self._refuse(f"{error}, at most {self._limits.frame} are read")
        except DecodeError:
            self._refuse("a message that cannot be parsed")
        except _OutOfOrderError as error:
            self._refuse(str(error))

    def _take(self, message: ClientFrame, size: int) -> None:
        call = message.id
        if message.HasField("cancel"):
            self._cancel(call)
            return
        if self._draining:
            # The goodbye has said that this call is not run.
            return
        if call <= self._last_id:
            raise _OutOfOrderError(f"call {call} after call {self._last_id}")
        self._last_id = call
        if self._has_room() and not self._waiting:
            self._begin(message, size)
        else:
            self._waiting[call] = message, size
            self._stop_reading()

    def _has_room(self) -> bool:
        return len(self._running) < self._limits.calls and self._bytes < self._limits.frame

    def _begin(self, message: ClientFrame, size: int) -> None:
        self._bytes += size
        self._running[message.id] = self._loop.create_task(self._run(message, size)), size

    async def _run(self, message: ClientFrame, size: int) -> None:
        try:
            while not self._can_write.is_set():
                await self._can_write.wait()
            self._send(await self._answer(message, size), more=len(self._running) > 1)
        except Exception:
            logger.exception("unix: a call failed inside the server; its connection is closed")
            self.abort()
        finally:
            # A cancelled call is counted out when it is cancelled: one that had not begun would never come here.
            if self._running.pop(message.id, None) is not None:
                self._ended(size)

    def _ended(self, size: int) -> None:
        self._bytes -= size
        if self._waiting:
            while self._waiting and self._has_room():
                self._begin(*self._waiting.pop(next(iter(self._waiting))))
        if self._unread and not self._waiting:
            self._go_on_reading()
        if not self._running:
            self._active = self._loop.time()
            self._close_when_done()

    def _cancel(self, call: int) -> None:
        if self._waiting.pop(call, None) is None and (running := self._running.pop(call, None)) is not None:
            task, size = running
            task.cancel()
            self._ended(size)

    def _cancel_all(self) -> None:
        for task, _ in self._running.values():
            task.cancel()
        self._running.clear()
        self._waiting.clear()

    def _close_when_done(self) -> None:
        if self._draining and not self._running and not self._waiting:
            self._close()


class _OutOfOrderError(PlugsmithError):
    """A call has a number that does not grow."""
