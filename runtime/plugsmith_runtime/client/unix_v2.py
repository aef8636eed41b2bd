"""One connection of version 2 of the Unix protocol: many calls in flight, each answer finds its call by a number."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from google.protobuf.message import DecodeError

from ..codec import unix_v2_client as codec
from ..contract.plugin_stream_pb2 import ServerFrame
from ..errors import PlugsmithError
from ..net.coalescing import CoalescingWriter
from ..unix_stream.length_prefix import MAX_FRAME, PREFACE, FrameBuffer, FrameTooLongError, frame
from . import RequestNotSentError


class UnsupportedVersionError(PlugsmithError, ConnectionError):
    """The server closed the connection when it saw the preface: it speaks version 1 only, or takes no connections."""


class StreamSession(asyncio.Protocol):
    """Carries calls; make it with `open`.

    Attributes:
        usable: whether further calls may be made.
    """

    def __init__(self) -> None:
        self.usable = True
        self._loop = asyncio.get_running_loop()
        self._buffer = FrameBuffer(MAX_FRAME)
        self._waiting: dict[int, asyncio.Future[ServerFrame]] = {}
        self._last_id = 0
        self._welcomed: asyncio.Future[None] = self._loop.create_future()
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._slots = asyncio.Semaphore(1)
        self._max_frame = MAX_FRAME
        self._transport: asyncio.Transport
        self._writes: CoalescingWriter

    @classmethod
    async def open(cls, path: str) -> StreamSession:
        """Connect, and wait for the server to accept version 2.

        Raises:
            UnsupportedVersionError: it does not.
            OSError: nobody listens there.
        """
        _, session = await asyncio.get_running_loop().create_unix_connection(cls, path)
        try:
            await session._welcomed
        except BaseException:
            session._transport.abort()
            raise
        return session

    async def invoke(
        self,
        hook: str,
        plugin: str,
        payload: Any,
        context: dict[str, Any] | None,
        trace: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Run a hook; see UnixClient."""
        return codec.read_reply(plugin, await self._ask(codec.write_invoke(hook, plugin, payload, context, trace)))

    async def plugin_configs(self) -> list[dict[str, Any]]:
        """Return the entries of all plugins."""
        return codec.read_configs(await self._ask(codec.write_get_configs()))

    async def plugin_config(self, name: str) -> dict[str, Any] | None:
        """Return the entry of one plugin."""
        return codec.read_config(await self._ask(codec.write_get_config(name)))

    async def serving(self, plugin: str) -> bool | None:
        """Return whether a plugin, or with "" the server, answers calls."""
        return codec.read_health(await self._ask(codec.write_check_health(plugin)))

    def close(self) -> None:
        """Close the connection; calls in flight fail, unless the server has said goodbye and will still answer them."""
        if self.usable or not self._waiting:
            self.usable = False
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)
        self._writes = CoalescingWriter(self._transport)
        self._transport.write(PREFACE)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        try:
            answers = [ServerFrame.FromString(message) for message in self._buffer.feed(data)]
        except (FrameTooLongError, DecodeError):
            self._transport.abort()
            return
        for answer in answers:
            if answer.id:
                # An answer that nobody waits for belongs to a call that was given up.
                waiting = self._waiting.pop(answer.id, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answer)
            elif answer.HasField("welcome"):
                self._welcome(answer)
            elif answer.HasField("goodbye"):
                self._goodbye(answer.goodbye.last_id)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self.usable = False
        self._can_write.set()
        if not self._welcomed.done():
            self._welcomed.set_exception(UnsupportedVersionError("the server does not know version 2 of the protocol"))
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError("the connection was lost while the call was in flight"))
        self._waiting.clear()

    def pause_writing(self) -> None:
        """See asyncio.Protocol."""
        self._can_write.clear()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self._can_write.set()

    def _welcome(self, answer: ServerFrame) -> None:
        self._max_frame = answer.welcome.max_frame_bytes
        self._slots = asyncio.Semaphore(answer.welcome.max_calls)
        if not self._welcomed.done():
            self._welcomed.set_result(None)

    def _goodbye(self, last_id: int) -> None:
        self.usable = False
        for number in [number for number in self._waiting if number > last_id]:
            waiting = self._waiting.pop(number)
            if not waiting.done():
                waiting.set_exception(RequestNotSentError("the server is stopping and did not take the call"))

    async def _ask(self, question: bytes) -> ServerFrame:
        """Make a call.

        Args:
            question: the frame, less the call's number.

        Raises:
            RequestNotSentError: the connection is gone, and the call was not run.
            ConnectionError: the connection was lost while the call was in flight.
            ValueError: the call is larger than the server reads.
        """
        async with self._slots:
            while not self._can_write.is_set():
                await self._can_write.wait()
            if not self.usable:
                raise RequestNotSentError("the connection was closed before the call could be sent")
            number = self._last_id + 1
            message = codec.write_number(number) + question
            if len(message) > self._max_frame:
                raise ValueError(f"the call takes {len(message)} bytes, the server reads at most {self._max_frame}")
            self._last_id = number
            waiting: asyncio.Future[ServerFrame] = self._loop.create_future()
            self._waiting[number] = waiting
            self._writes.write(frame(message))
            try:
                return await waiting
            except asyncio.CancelledError:
                if self._waiting.pop(number, None) is not None:
                    self._writes.write(frame(codec.write_cancel(number)))
                raise
