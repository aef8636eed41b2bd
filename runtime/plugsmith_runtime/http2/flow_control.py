"""Flow control (RFC 9113, section 5.2) of what is sent, and admission of requests while the peer takes answers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sized

from .frames import (
    DEFAULT_WINDOW_BYTES,
    MAX_FRAME_BYTES,
    MAX_WINDOW_BYTES,
    ErrorCode,
    FrameType,
    ProtocolError,
    Setting,
    frame_header,
)
from .stream import Stream

# Bytes that may wait for the peer's windows before no further request is begun.
_CONGESTED_BYTES = 1 << 20
_FRAME_SIZES = range(MAX_FRAME_BYTES, 1 << 24)

MAX_WHILE_CONGESTED = 16
"""Requests that run while the client has more answers waiting than it takes."""
_REQUESTS_PER_LOOP_ITERATION = 64
"""Requests that begin in one iteration of the event loop: only the next one shows whether their answers are taken."""


class FlowController:
    """Sender of frames within the peer's windows.

    Args:
        write: writes to the connection.
        on_sent: called when the last frame of a stream has been sent.
        clock: the event loop's time.

    Attributes:
        max_frame_bytes: the largest frame that the peer reads.
        initial_window: what the peer takes of a new stream before it says more.
        closed: whether nothing more is to be sent.
        paused: whether the peer leaves so much unread that nothing more is written.
    """

    __slots__ = (
        "_blocked", "_clock", "_on_sent", "_progress", "_unsent_bytes", "_window", "_write", "closed",
        "initial_window", "max_frame_bytes", "paused",
    )  # fmt: skip

    def __init__(
        self, write: Callable[[bytes], None], on_sent: Callable[[Stream], None], clock: Callable[[], float]
    ) -> None:
        self._write = write
        self._on_sent = on_sent
        self._clock = clock
        self._window = DEFAULT_WINDOW_BYTES
        self._blocked: dict[Stream, None] = {}
        self._progress = 0.0
        self._unsent_bytes = 0
        self.initial_window = DEFAULT_WINDOW_BYTES
        self.max_frame_bytes = MAX_FRAME_BYTES
        self.closed = False
        self.paused = False

    @property
    def congested(self) -> bool:
        """Whether the peer should first take what waits for it."""
        return self.paused or self._unsent_bytes > _CONGESTED_BYTES

    @property
    def blocked_since(self) -> float | None:
        """Since when nothing moved though something waits; None when nothing waits."""
        return self._progress if self._blocked or self.paused else None

    def write(self, frames: bytes) -> None:
        """Send frames that no window holds back."""
        if not self.closed:
            self._write(frames)

    def send(self, stream: Stream, headers: bytes, data: bytes, closing: bytes) -> None:
        """See `Stream.send`."""
        size = len(data)
        if not (
            self.paused
            or stream.unsent
            or size > self._window
            or size > stream.send_window
            or size > self.max_frame_bytes
        ):
            self._window -= size
            stream.send_window -= size
            header = frame_header(FrameType.DATA, 0, stream.stream_id, size) if size else b""
            self._write(b"".join((headers, header, data, closing)))
            if closing:
                self._on_sent(stream)
            return
        self._write(headers)
        if not self._blocked:
            self._progress = self._clock()
        if stream.unsent is None:
            stream.unsent = bytearray()
        stream.unsent += data
        self._unsent_bytes += size
        stream.closing = closing
        self._blocked[stream] = None
        self._flush((stream,))

    def window_update(self, stream: Stream | None, increment: int) -> None:
        """Take note of a WINDOW_UPDATE, on a stream or (None) on the connection.

        Raises:
            ProtocolError: the window gets too large, or does not grow.
        """
        if increment == 0:
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, "a window that grows by nothing")
        if stream is None:
            self._window = _within(self._window + increment)
            self._flush(list(self._blocked))
        else:
            stream.send_window = _within(stream.send_window + increment)
            if stream in self._blocked:
                self._flush((stream,))

    def apply_settings(self, values: Mapping[int, int], streams: Iterable[Stream]) -> None:
        """Take note of the peer's settings; a new initial window holds for the open streams too (section 6.9.2).

        Raises:
            ProtocolError: a setting is out of its range.
        """
        initial = _within(values.get(Setting.INITIAL_WINDOW_SIZE, self.initial_window))
        for stream in streams:
            stream.send_window = _within(stream.send_window + initial - self.initial_window)
        self.initial_window = initial
        self.max_frame_bytes = values.get(Setting.MAX_FRAME_SIZE, self.max_frame_bytes)
        if self.max_frame_bytes not in _FRAME_SIZES:
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, f"frames of at most {self.max_frame_bytes} bytes")
        self._flush(list(self._blocked))

    def pause(self) -> None:
        """Write nothing more: the peer does not read."""
        self.paused = True
        self._progress = self._clock()

    def resume(self) -> None:
        """Write again."""
        self.paused = False
        self._progress = self._clock()
        self._flush(list(self._blocked))

    def discard(self, stream: Stream) -> None:
        """Forget what waits on a stream."""
        if stream in self._blocked:
            del self._blocked[stream]
            self._unsent_bytes -= len(stream.unsent or b"")

    def _flush(self, streams: Iterable[Stream]) -> None:
        for stream in streams:
            self._advance(stream)
            if self.paused:
                return
            if not stream.unsent:
                del self._blocked[stream]
                stream.on_drained()
                if stream.closing:
                    self._write(stream.closing)
                    self._on_sent(stream)

    def _advance(self, stream: Stream) -> None:
        unsent = stream.unsent
        while unsent and not self.paused:
            size = min(len(unsent), stream.send_window, self._window, self.max_frame_bytes)
            if size <= 0:
                return
            self._progress = self._clock()
            self._window -= size
            self._unsent_bytes -= size
            stream.send_window -= size
            self._write(frame_header(FrameType.DATA, 0, stream.stream_id, size) + unsent[:size])
            del unsent[:size]


class RequestQueue:
    """Queue of requests whose answers nobody would take now: they begin no faster than answers are taken.

    Args:
        flow: says whether answers are taken.
        running: the requests that are not answered yet, the queued ones included.
        on_empty: called when the queue has emptied.
    """

    def __init__(self, flow: FlowController, running: Sized, on_empty: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._flow = flow
        self._running = running
        self._on_empty = on_empty
        # The requests, each with the last part of its body.
        self._queue: deque[tuple[Stream, bytes]] = deque()
        self._begun = 0

    def __len__(self) -> int:
        """How many requests are queued."""
        return len(self._queue)

    def enqueue(self, stream: Stream, data: bytes) -> None:
        """Begin a request that has arrived, now or later.

        Args:
            stream: its stream.
            data: the last part of its body.
        """
        if self._queue or self._flow.congested or self._iteration_full():
            self._queue.append((stream, data))
        else:
            stream.handler.on_data(data, True)

    def drain(self) -> None:
        """Begin queued requests as far as the client takes their answers now."""
        while self._queue and not self._flow.congested and len(self._running) - len(self._queue) < MAX_WHILE_CONGESTED:
            self._begin_first()
        if not self._queue:
            self._on_empty()

    def _iteration_full(self) -> bool:
        """Count a request that is to begin; whether this iteration of the event loop has begun enough of them."""
        if not self._begun:
            self._loop.call_soon(self._next_iteration)
        self._begun += 1
        return self._begun > _REQUESTS_PER_LOOP_ITERATION

    def _next_iteration(self) -> None:
        self._begun = 0
        if not self._queue:
            return
        while self._queue and not self._flow.congested and not self._iteration_full():
            self._begin_first()
        self.drain()

    def _begin_first(self) -> None:
        stream, data = self._queue.popleft()
        if not stream.closed:
            stream.handler.on_data(data, True)


def _within(window: int) -> int:
    if window > MAX_WINDOW_BYTES:
        raise ProtocolError(ErrorCode.FLOW_CONTROL_ERROR, "a window that is too large")
    return window
