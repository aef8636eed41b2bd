"""What goes out on a connection, as fast as the client takes it and no faster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from .frames import DEFAULT_WINDOW, MAX_FRAME, MAX_WINDOW, ErrorCode, FrameType, ProtocolError, Setting, head
from .stream import Stream

# Bytes of answers that may wait for the client before no further request is begun.
_PLENTY = 1 << 20
_FRAME_SIZES = range(MAX_FRAME, 1 << 24)


class FlowController:
    """Sends frames within the client's windows.

    Args:
        transport: the connection.
        finished: called when the last frame of a stream has been sent.
        clock: the event loop's time.

    Attributes:
        max_frame: the largest frame that the client reads.
        initial_window: what a client takes of a new stream before it says more.
        closed: whether nothing more is to be sent.
        paused: whether the client leaves so much unread that nothing more is written.
    """

    __slots__ = (
        "_blocked", "_clock", "_finished", "_moved", "_transport", "_waiting", "_window", "closed", "initial_window",
        "max_frame", "paused",
    )  # fmt: skip

    def __init__(
        self, transport: asyncio.Transport, finished: Callable[[Stream], None], clock: Callable[[], float]
    ) -> None:
        self._transport = transport
        self._finished = finished
        self._clock = clock
        self._window = DEFAULT_WINDOW
        self._blocked: dict[Stream, None] = {}
        self._moved = 0.0
        self._waiting = 0
        self.initial_window = DEFAULT_WINDOW
        self.max_frame = MAX_FRAME
        self.closed = False
        self.paused = False

    @property
    def full(self) -> bool:
        """Whether the client should first take what waits for it."""
        return self.paused or self._waiting > _PLENTY

    def write(self, frames: bytes) -> None:
        """Send frames that no window holds back."""
        if not self.closed:
            self._transport.write(frames)

    def send(self, stream: Stream, first: bytes, data: bytes, last: bytes) -> None:
        """See `Stream.send`."""
        size = len(data)
        if not (self.paused or stream.waiting or size > self._window or size > stream.window or size > self.max_frame):
            self._window -= size
            stream.window -= size
            frames = (first, head(FrameType.DATA, 0, stream.number, size), data, last) if size else (first, last)
            self._transport.write(b"".join(frames))
            if last:
                self._finished(stream)
            return
        self._transport.write(first)
        if not self._blocked:
            self._moved = self._clock()
        if stream.waiting is None:
            stream.waiting = bytearray()
        stream.waiting += data
        self._waiting += size
        stream.last = last
        self._blocked[stream] = None
        self._flush()

    def widen(self, stream: Stream | None, size: int) -> None:
        """Take note that the client takes more, on a stream or (None) on the connection.

        Raises:
            ProtocolError: the window gets too large, or does not grow.
        """
        if size == 0:
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "a window that grows by nothing")
        if stream is None:
            self._window = _within(self._window + size)
        else:
            stream.window = _within(stream.window + size)
        self._flush()

    def configure(self, values: Mapping[int, int], streams: Iterable[Stream]) -> None:
        """Take note of the client's settings; a new window holds for the open streams too.

        Raises:
            ProtocolError: a setting is out of its range.
        """
        initial = _within(values.get(Setting.INITIAL_WINDOW_SIZE, self.initial_window))
        for stream in streams:
            stream.window = _within(stream.window + initial - self.initial_window)
        self.initial_window = initial
        self.max_frame = values.get(Setting.MAX_FRAME_SIZE, self.max_frame)
        if self.max_frame not in _FRAME_SIZES:
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, f"frames of at most {self.max_frame} bytes")
        self._flush()

    def pause(self) -> None:
        """The client does not read: write nothing more."""
        self.paused = True
        self._moved = self._clock()

    def resume(self) -> None:
        """The client reads again."""
        self.paused = False
        self._moved = self._clock()
        self._flush()

    def drop(self, stream: Stream) -> None:
        """Forget what waits on a stream."""
        if stream in self._blocked:
            del self._blocked[stream]
            self._waiting -= len(stream.waiting or b"")

    def stuck_since(self) -> float | None:
        """Since when nothing moved though something waits; None when nothing waits."""
        return self._moved if self._blocked or self.paused else None

    def _flush(self) -> None:
        for stream in list(self._blocked):
            self._advance(stream)
            if self.paused:
                return
            if not stream.waiting:
                del self._blocked[stream]
                stream.wake()
                if stream.last:
                    self._transport.write(stream.last)
                    self._finished(stream)

    def _advance(self, stream: Stream) -> None:
        waiting = stream.waiting
        while waiting and not self.paused:
            size = min(len(waiting), stream.window, self._window, self.max_frame)
            if size <= 0:
                return
            self._moved = self._clock()
            self._window -= size
            self._waiting -= size
            stream.window -= size
            self._transport.write(head(FrameType.DATA, 0, stream.number, size) + waiting[:size])
            del waiting[:size]


def _within(window: int) -> int:
    if window > MAX_WINDOW:
        raise ProtocolError(ErrorCode.FLOW_CONTROL_ERROR, "a window that is too large")
    return window
