"""HTTP/1.1 protocol of one connection (RFC 9112): from the bytes of the parser to requests, one response after the
other, with limits of size and time."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from math import inf
from typing import Literal

from ..net.connections import ConnectionSet
from .config import HttpConfig, ServerState
from .cycle import READ_HIGH_WATER_BYTES, FlowControl, RequestResponseCycle
from .parser import HeadersTooLargeError, InvalidRequestError, RequestParser, connection_scope, request_scope
from .responses import RETRY_AFTER, AsgiApp, HttpError, encode_error

logger = logging.getLogger(__name__)

# A refused client gets this long to read the response while what it still sends is thrown away; a connection that is
# closed with bytes unread is reset, and the response with it (RFC 9112, 9.6).
_LINGER_SECONDS = 1.0


class HttpProtocol(asyncio.Protocol):
    """An HTTP connection.

    Args:
        app: the application.
        config: limits.
        state: shared with the other connections of the server.
        connections: the open connections of the server.
        tls: whether clients are known by their certificates.

    Attributes:
        transport: the connection's bytes.
        flow: pauses it.
    """

    transport: asyncio.Transport
    flow: FlowControl

    def __init__(
        self,
        app: AsgiApp,
        config: HttpConfig,
        state: ServerState,
        connections: ConnectionSet[HttpProtocol],
        tls: bool,
    ) -> None:
        self.state = state
        self._connections = connections
        self._app = app
        self._config = config
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._parser = RequestParser(self, config.header_bytes)
        # The request that is being read, the one that is being answered, those that wait behind it, and what has come
        # after them: it is parsed when its turn comes.
        self._request: RequestResponseCycle | None = None
        self._current: RequestResponseCycle | None = None
        self._pipeline: deque[RequestResponseCycle] = deque()
        self._unparsed = bytearray()
        # What of a request is being read, and by when it must be there, in the loop's time. 0: as soon as the bytes
        # that have come are parsed, since most hold a whole request. Between requests: when the next must begin.
        self._reading: Literal["headers", "body"] | None = None
        self._read_deadline = inf
        # Set once nothing that the client sends counts any more.
        self._discarding = False
        self._refusal: HttpError | None = None
        self._unsent_bytes = -1
        self._write_deadline = inf

    # ---- asyncio.Protocol ----

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Serve the connection, or turn it away."""
        config = self._config
        self.transport = transport
        self.flow = FlowControl(transport)
        self._counted = config.limiter.acquire("http")
        if not self._counted:
            self._turn_away(HttpError(503, config.limiter.refusal, RETRY_AFTER))
        elif not config.users.admits(transport):
            self._turn_away(HttpError(403, f"this user may not call{_shown(config.users.setting)}"))
        else:
            self._connections.add(self)
            self._connection_scope = connection_scope(transport, config.root_path, self.state.lifespan_state, self._tls)
            self._read_deadline = self._loop.time() + config.idle_timeout

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application, and count the connection no more."""
        if self._counted:
            self._config.limiter.release("http")
        self._connections.discard(self)
        for cycle in (self._current, *self._pipeline):
            if cycle is not None:
                cycle.disconnect()
        self._pipeline.clear()
        self._unparsed.clear()
        self.flow.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Parse what the client has sent."""
        if self._discarding:
            return
        if self._pipeline or self._unparsed:
            # Read on as far as memory allows: otherwise nobody would learn that the client is gone.
            self._unparsed += data
            if len(self._unparsed) > READ_HIGH_WATER_BYTES:
                self.flow.pause_reading()
            return
        self._parse(data)

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed(data)
        except HeadersTooLargeError:
            size = self._config.header_bytes
            text = f"the headers are larger than {size} bytes{_shown(self._config.header_bytes_setting)}"
            self._refuse(HttpError(431, text))
        except InvalidRequestError as error:
            # What follows the last request of a connection is no matter of ours.
            if not self._discarding:
                logger.warning("a client sent what is no HTTP request: %s", error)
                self._refuse(HttpError(400, "Invalid HTTP request received."))
        if self._read_deadline == 0.0:
            self._read_deadline = self._loop.time() + self._config.read_timeout

    def _parse_unparsed(self) -> None:
        data = bytes(self._unparsed)
        self._unparsed.clear()
        if data and not self._discarding:
            self._parse(data)
        self.resume_reading()

    def pause_writing(self) -> None:
        """The client does not read as fast as the application writes."""
        self.flow.pause_writing()

    def resume_writing(self) -> None:
        """The client has read."""
        self.flow.resume_writing()

    # ---- what the server calls ----

    def check_deadlines(self, now: float) -> None:
        """End what takes too long; called again and again.

        Args:
            now: the loop's time.
        """
        if self.transport.is_closing() or self.flow.write_paused:
            self._check_write_deadline(now)
            return
        self._unsent_bytes = -1
        if now < self._read_deadline:
            return
        if self._discarding:
            self.transport.abort()
        elif self._reading is None:
            self.transport.close()
        elif self.flow.read_paused or (self._current is not None and self._request is not self._current):
            # It is not for the client to hurry: an earlier request is not answered yet, or the body not wanted.
            self._expect(self._reading)
        else:
            text = f"the {self._reading} did not arrive within {self._config.read_timeout:g} s"
            self._refuse(HttpError(408, text + _shown(self._config.read_timeout_setting)))

    def drain(self) -> None:
        """Close the connection once the requests that have begun are answered."""
        if self._current is None:
            self.transport.close()
        else:
            (self._pipeline[-1] if self._pipeline else self._current).keep_alive = False

    def abort(self) -> None:
        """Close the connection at once."""
        self.transport.abort()

    # ---- what the cycle calls ----

    def resume_reading(self) -> None:
        """Read on, unless enough waits for its turn already."""
        if len(self._unparsed) <= READ_HIGH_WATER_BYTES:
            self.flow.resume_reading()

    def on_response_complete(self, keep_alive: bool) -> None:
        """Go on with the next request, or wait for one."""
        self._current = None
        if self.transport.is_closing():
            return
        if not keep_alive:
            self._discarding = True
            if self._reading == "body":
                self._close_after_reading()
            else:
                self.transport.close()
        elif self._pipeline:
            self._run(self._pipeline.popleft())
            if self._unparsed and not self._pipeline:
                self._loop.call_soon(self._parse_unparsed)
        elif self._refusal is not None:
            self._send_refusal(self._refusal)
        else:
            self.flow.resume_reading()
            if self._reading is None:
                self._read_deadline = self._loop.time() + self._config.idle_timeout

    # ---- what the parser calls ----

    def on_message_begin(self) -> None:
        """A request begins."""
        self._reading, self._read_deadline = "headers", 0.0

    def on_request(self, parser: RequestParser) -> None:
        """The headers are there: begin with the request, or let it wait for its turn."""
        self._reading, self._read_deadline = "body", 0.0
        cycle = RequestResponseCycle(self, request_scope(self._connection_scope, parser), parser.keep_alive)
        self._request = cycle
        if self._current is None:
            self._run(cycle)
        else:
            self._pipeline.append(cycle)

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        cycle = self._request
        if cycle is not None and not cycle.response_complete:
            cycle.feed_body(body)

    def on_message_complete(self) -> None:
        """The whole request is there."""
        cycle = self._request
        assert cycle is not None
        self._request = None
        self._reading = None
        cycle.feed_end()
        if not cycle.keep_alive:
            self._discarding = True
        self._read_deadline = self._loop.time() + self._config.idle_timeout if cycle.response_complete else inf

    def _run(self, cycle: RequestResponseCycle) -> None:
        self._current = cycle
        cycle.task = self._loop.create_task(cycle.run(self._app))
        self.state.tasks.add(cycle.task)

    def _expect(self, part: Literal["headers", "body"]) -> None:
        self._reading = part
        self._read_deadline = self._loop.time() + self._config.read_timeout

    # ---- refusing ----

    def _refuse(self, error: HttpError) -> None:
        """Answer the request that is being read in place of the application, after those before it; then close."""
        if self._discarding or self.transport.is_closing():
            return
        self._discarding = True
        self._read_deadline = inf
        cycle = self._request
        if cycle is not None and cycle is not self._current:
            if cycle.response_complete:
                self.transport.close()
                return
            self._pipeline.remove(cycle)
        elif cycle is not None:
            if cycle.response_started:
                self.transport.close()
                return
            cycle.disconnect()
            self._current = None
        if self._current is None:
            self._send_refusal(error)
        else:
            self._refusal = error

    def _send_refusal(self, error: HttpError) -> None:
        self.transport.write(encode_error(error))
        self._close_after_reading()

    def _close_after_reading(self) -> None:
        """Close once the client has had time to read: what it still sends is read and thrown away until then."""
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.flow.resume_reading()
            self._read_deadline = self._loop.time() + _LINGER_SECONDS
        else:
            self.transport.close()

    def _turn_away(self, error: HttpError) -> None:
        self._discarding = True
        self.transport.write(encode_error(error))
        self.transport.close()

    def _check_write_deadline(self, now: float) -> None:
        """Give up on a client that takes nothing of what is written."""
        unsent = self.transport.get_write_buffer_size()
        if unsent != self._unsent_bytes:
            self._unsent_bytes = unsent
            self._write_deadline = now + self._config.idle_timeout
        elif now >= self._write_deadline:
            self.transport.abort()


def _shown(setting: str) -> str:
    return f" ({setting})" if setting else ""
