"""The server of version 2: many calls in flight on a connection, answered in any order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from ..errors import DecodeError, PlugsmithError
from .framing import FrameTooLongError
from .server_connection import ConnectionLimits, ServerConnection

logger = logging.getLogger(__name__)


class ServerCodec(Protocol):
    """Encodes and decodes the frames of version 2 that belong to a connection and not to a call."""

    def read_frame(self, message: bytes) -> tuple[int, Any | None]:
        """Decode a client's frame.

        Returns:
            The number of the call, and the request; None when the call is cancelled.

        Raises:
            DecodeError: it is no frame.
        """

    def write_welcome(self, max_frame_bytes: int, max_calls: int) -> bytes:
        """Encode the frame that accepts a connection."""

    def write_goodbye(self, last_id: int) -> bytes:
        """Encode the frame that announces the end; `last_id` is the last call that was taken."""


class V2Connection(ServerConnection):
    """A connection of version 2: begins calls as they come, and writes each answer when it is there.

    It stops reading while too many calls, or too many bytes of calls, are in flight, and begins no call while the
    client does not read.

    Args:
        codec: knows the frames.
        answer: turns a request, which took so many bytes, into the frame that answers it.
        limits: what the client may ask for.
        on_lost: called when the connection is gone.
    """

    def __init__(
        self,
        codec: ServerCodec,
        answer: Callable[[Any, int], Awaitable[bytes]],
        limits: ConnectionLimits,
        on_lost: Callable[[ServerConnection], None],
    ) -> None:
        super().__init__(limits, on_lost)
        self._codec = codec
        self._answer = answer
        # Calls by their number: those in flight, and those that wait; the last member is the size of the request.
        self._running: dict[int, tuple[asyncio.Task[None], int]] = {}
        self._waiting: dict[int, tuple[Any, int]] = {}
        self._running_bytes = 0
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
            self._send(self._codec.write_goodbye(self._last_id), more=False)
            self._close_when_done()

    def abort(self) -> None:
        """Close at once, and cancel what is in flight."""
        self._cancel_all()
        super().abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._send(self._codec.write_welcome(self._limits.frame_bytes, self._limits.calls), more=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol: nobody is left to answer."""
        self._cancel_all()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        try:
            for message in self._feed(data, self._loop.time()):
                self._on_frame(*self._codec.read_frame(message), len(message))
        except FrameTooLongError as error:
            self._reject(f"{error}, at most {self._limits.frame_bytes} are read")
        except DecodeError:
            self._reject("a message that cannot be parsed")
        except _OutOfOrderError as error:
            self._reject(str(error))

    def _on_frame(self, call_id: int, request: Any | None, size: int) -> None:
        if request is None:
            self._cancel(call_id)
            return
        if self._draining:
            # The goodbye has said that this call is not run.
            return
        if call_id <= self._last_id:
            raise _OutOfOrderError(f"call {call_id} after call {self._last_id}")
        self._last_id = call_id
        if self._has_room() and not self._waiting:
            self._begin(call_id, request, size)
        else:
            self._waiting[call_id] = request, size
            self._pause_reading()

    def _has_room(self) -> bool:
        return len(self._running) < self._limits.calls and self._running_bytes < self._limits.frame_bytes

    def _begin(self, call_id: int, request: Any, size: int) -> None:
        self._running_bytes += size
        self._running[call_id] = self._loop.create_task(self._run(call_id, request, size)), size

    async def _run(self, call_id: int, request: Any, size: int) -> None:
        try:
            while not self._can_write.is_set():
                await self._can_write.wait()
            self._send(await self._answer(request, size), more=len(self._running) > 1)
        except Exception:
            logger.exception("unix: a call failed inside the server; its connection is closed")
            self.abort()
        finally:
            # A cancelled call is counted out when it is cancelled: one that had not begun would never come here.
            if self._running.pop(call_id, None) is not None:
                self._on_call_end(size)

    def _on_call_end(self, size: int) -> None:
        self._running_bytes -= size
        if self._waiting:
            while self._waiting and self._has_room():
                call_id = next(iter(self._waiting))
                self._begin(call_id, *self._waiting.pop(call_id))
        if self._paused_since and not self._waiting:
            self._resume_reading()
        if not self._running:
            self._last_active = self._loop.time()
            self._close_when_done()

    def _cancel(self, call_id: int) -> None:
        if self._waiting.pop(call_id, None) is None and (running := self._running.pop(call_id, None)) is not None:
            task, size = running
            task.cancel()
            self._on_call_end(size)

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
