"""One client's HTTP/2 connection: what comes is handed to its streams, and nothing may take too long."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from .flow_control import FlowController
from .frames import (
    DEFAULT_WINDOW,
    MAX_WINDOW,
    ErrorCode,
    Flag,
    FrameType,
    ProtocolError,
    Setting,
    frame,
    goaway,
    rst_stream,
    settings,
    window_update,
)
from .handler import ConnectionHandler
from .hpack import Decoder, Fields, HeaderListTooLargeError
from .reader import Reader
from .request_queue import RequestQueue
from .stream import Stream

logger = logging.getLogger(__name__)

# What a client may send before it is told that there is room again.
_STREAM_CREDIT = 1 << 20
_CREDIT = 4 << 20
_DRAIN = b"draining"
# Seconds in which a client must notice that its connection is over.
_LINGER = 1.0


class Connection(asyncio.Protocol):
    """Serves one client.

    Args:
        site: the server.

    Attributes:
        info: whatever the site keeps with the connection.
        streams: the requests that are not answered yet, by number.
    """

    transport: asyncio.Transport
    outbox: FlowController
    info: Any
    _turnstile: RequestQueue

    def __init__(self, site: ConnectionHandler) -> None:
        self._site = site
        self._loop = asyncio.get_running_loop()
        self._reader = Reader(self, site.limits.header_bytes)
        self._decoder = Decoder(site.limits.header_bytes)
        self._credit = _CREDIT
        self._last = 0
        self._closing = False
        self._deadline: float | None = None
        self._settled = False
        self.streams: dict[int, Stream] = {}
        self._active = self._progress = self._loop.time()

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        self.transport = transport
        self.outbox = FlowController(transport, self._finished, self._loop.time)
        self._turnstile = RequestQueue(self.outbox, self.streams, self._give_credit)
        if not self._site.opened(self):
            self._closing = True
            transport.abort()
            return
        told = {
            Setting.MAX_CONCURRENT_STREAMS: self._site.limits.streams,
            Setting.INITIAL_WINDOW_SIZE: _STREAM_CREDIT,
            Setting.MAX_HEADER_LIST_SIZE: self._site.limits.header_bytes,
        }
        transport.write(settings(told) + window_update(0, _CREDIT - DEFAULT_WINDOW))

    def connection_lost(self, problem: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._closing = True
        self._abandon()
        self._site.lost(self)

    def pause_writing(self) -> None:
        """See asyncio.Protocol: a client that does not read is not read either."""
        self.outbox.pause()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """See asyncio.Protocol."""
        self._progress = self._loop.time()
        self.transport.resume_reading()
        self.outbox.resume()
        self._turnstile.release()

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._closing:
            return
        if not self._reader.waits:
            self._progress = self._loop.time()
        try:
            if self._reader.feed(data):
                self._progress = self._loop.time()
        except ProtocolError as error:
            self._fail(error)

    def drain(self, grace: float) -> None:
        """Let the client finish and go elsewhere: requests that are on their way are still answered.

        Args:
            grace: seconds until the connection is cut off.
        """
        if self._deadline is not None:
            return
        if not self._reader.greeted:
            return self.close()
        self._deadline = self._loop.time() + grace
        # The client answers the ping when it has read that it must not send any more.
        self.transport.write(goaway(MAX_WINDOW, ErrorCode.NO_ERROR) + frame(FrameType.PING, 0, 0, _DRAIN))

    def close(self) -> None:
        """Send no more, and let the client close: else what it still sends destroys what it has not read."""
        self._closing = True
        unsent = self.transport.get_write_buffer_size()
        self._deadline = self._loop.time() + (self._site.limits.read_time if unsent else _LINGER)
        self.outbox.closed = True
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()

    def check_times(self, now: float) -> None:
        """Close what takes too long; called about once a second."""
        limits = self._site.limits
        stuck = self.outbox.stuck_since()
        if self._deadline is not None and now > self._deadline:
            self.transport.abort()
        elif self._closing:
            return
        elif stuck is not None:
            if now - stuck > limits.idle:
                logger.warning("grpc: closing a connection whose client takes no answers for %g s", limits.idle)
                self.transport.abort()
        elif self._reader.waits and now - self._progress > limits.read_time:
            self._fail(
                ProtocolError(ErrorCode.ENHANCE_YOUR_CALM, f"a frame that is not whole after {limits.read_time:g} s")
            )
        elif not self.streams and now - self._active > limits.idle:
            self.drain(limits.read_time)
        else:
            late = now - limits.read_time
            for stream in [item for item in self.streams.values() if not item.ended and item.began < late]:
                stream.exchange.late()

    def forget(self, stream: Stream) -> None:
        """See `Stream.close`."""
        stream.gone = True
        self.outbox.drop(stream)
        if self.streams.pop(stream.number, None) and not self.streams:
            self._active = self._loop.time()
            if self._settled and not self._closing:
                self.close()
        if self._turnstile:
            # Not at once: a request that is refused ends in here again.
            self._loop.call_soon(self._turnstile.release)

    def on_headers(self, number: int, block: bytes, ended: bool) -> None:
        """See Receiver."""
        fields: Fields | None
        try:
            fields = self._decoder.decode(block)
        except HeaderListTooLargeError:
            fields = None
        if number <= self._last:
            self._trailers(number, ended)
            return
        if number % 2 == 0:
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, f"a request on stream {number}")
        if self._settled:
            return
        self._last = number
        if len(self.streams) >= self._site.limits.streams:
            self.outbox.write(rst_stream(number, ErrorCode.REFUSED_STREAM))
            return
        stream = Stream(self, number, self.outbox.initial_window, _STREAM_CREDIT, self._loop.time())
        self.streams[number] = stream
        stream.ended = ended
        stream.exchange = self._site.exchange(stream, fields)
        if ended and not stream.gone:
            stream.exchange.data(b"", True)

    def on_data(self, number: int, data: bytes, size: int, ended: bool) -> None:
        """See Receiver."""
        self._credit -= size
        if self._credit < 0:
            raise ProtocolError(ErrorCode.FLOW_CONTROL_ERROR, "more data than the connection's window")
        if not self._turnstile:
            self._give_credit()
        stream = self.streams.get(number)
        if stream is None:
            if number > self._last and not self._settled:
                raise ProtocolError(ErrorCode.PROTOCOL_ERROR, f"data on stream {number}, which has not begun")
            return
        if stream.ended:
            if not stream.gone:
                raise ProtocolError(ErrorCode.STREAM_CLOSED, f"data on stream {number} after its end")
            return
        stream.credit -= size
        if stream.credit < 0:
            raise ProtocolError(ErrorCode.FLOW_CONTROL_ERROR, f"more data than the window of stream {number}")
        stream.ended = ended
        if not ended and stream.credit < _STREAM_CREDIT // 2:
            self.outbox.write(window_update(number, _STREAM_CREDIT - stream.credit))
            stream.credit = _STREAM_CREDIT
        if ended:
            self._turnstile.pass_on(stream, data)
        else:
            stream.exchange.data(data, False)

    def on_reset(self, number: int) -> None:
        """See Receiver."""
        if number > self._last and not self._settled:
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, f"stream {number} is taken back before it began")
        if stream := self.streams.get(number):
            self._take_back(stream)

    def on_window(self, number: int, size: int) -> None:
        """See Receiver."""
        stream = self.streams.get(number)
        if stream or number == 0:
            self.outbox.widen(stream, size)
        elif number > self._last and not self._settled:
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, f"a window for stream {number}, which has not begun")
        if self._turnstile:
            self._turnstile.release()

    def on_settings(self, values: dict[int, int]) -> None:
        """See Receiver."""
        self.outbox.configure(values, self.streams.values())
        self.outbox.write(frame(FrameType.SETTINGS, Flag.ACK, 0))

    def on_ping(self, payload: bytes, answered: bool) -> None:
        """See Receiver."""
        if not answered:
            self.outbox.write(frame(FrameType.PING, Flag.ACK, 0, payload))
        elif payload == _DRAIN and self._deadline is not None:
            self._settled = True
            self.outbox.write(goaway(self._last, ErrorCode.NO_ERROR))
            if not self.streams:
                self.close()

    def _give_credit(self) -> None:
        if self._credit < _CREDIT // 2:
            self.outbox.write(window_update(0, _CREDIT - self._credit))
            self._credit = _CREDIT

    def _trailers(self, number: int, ended: bool) -> None:
        stream = self.streams.get(number)
        if stream is None or stream.gone:
            return
        if stream.ended or not ended:
            raise ProtocolError(ErrorCode.PROTOCOL_ERROR, f"fields on stream {number} in the wrong place")
        stream.ended = True
        stream.exchange.data(b"", True)

    def _finished(self, stream: Stream) -> None:
        if not stream.ended:
            # The answer is whole, so the rest of the request is not wanted.
            self.outbox.write(rst_stream(stream.number, ErrorCode.NO_ERROR))
        self.forget(stream)

    def _abandon(self) -> None:
        for stream in list(self.streams.values()):
            self._take_back(stream)

    def _take_back(self, stream: Stream) -> None:
        stream.gone = stream.ended = True
        self.outbox.drop(stream)
        stream.wake()
        stream.exchange.reset()

    def _fail(self, problem: ProtocolError) -> None:
        logger.warning("grpc: closing a connection: %s", problem)
        self._abandon()
        self.outbox.write(goaway(self._last, problem.code, str(problem)))
        self.close()
