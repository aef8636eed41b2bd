"""What one connection may do: how many there are, who may open them, and how much and how long a request may take.

uvicorn knows none of this: its parsers take headers of any size and wait for the rest of a request for ever.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from ..net.connections import ConnectionLimiter
from ..net.peer_credentials import AllowedUsers
from ..plugin_server.settings import Limits
from .responses import RETRY_AFTER, HttpError, refusal_bytes

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Base
else:
    Base = object

HEADERS, BODY = "headers", "body"

# A refused client gets this long to read the answer while what it still sends is thrown away; a connection that is
# closed with bytes unread is reset, and the answer with it.
_LINGER_SECONDS = 1.0


class Policy(NamedTuple):
    """What all connections of a server have in common.

    Attributes:
        limits: sizes and times.
        connections: counts the connections.
        users: the users who may connect to a Unix socket.
    """

    limits: Limits
    connections: ConnectionLimiter
    users: AllowedUsers


class LimitedConnection(Base):
    """Comes before a protocol class of uvicorn. A subclass says which part of a request is being read.

    Attributes:
        policy: what holds for all connections.
        part: HEADERS or BODY while a request is being read, otherwise None.
        due: when that part must have arrived, in the loop's time; for a new connection, when a request must begin.
            0 until the bytes that have come are read to their end, since most hold a whole request.
        loose: bytes that have come since the request last got on.
    """

    policy: ClassVar[Policy]
    part: str | None = None
    due = inf
    loose = 0
    _counted = False
    _served = False
    _refused = False
    _left = -1
    _take_by = inf

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Serve the connection, or turn it away."""
        if not self.policy.connections.acquire("http"):
            self._turn_away(transport, HttpError(503, self.policy.connections.refusal, RETRY_AFTER))
            return
        self._counted = True
        if not self.policy.users.admits(transport):
            self._turn_away(transport, HttpError(403, f"this user may not call ({self.policy.users.setting})"))
            return
        self._served = True
        self.due = self.loop.time() + self.policy.limits.idle
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection no more."""
        if self._counted:
            self._counted = False
            self.policy.connections.release("http")
        if self._served:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the client was refused or its headers have no end."""
        if self._refused:
            return
        self.loose += len(data)
        super().data_received(data)
        if self.due == 0.0:
            self.due = self.loop.time() + self.policy.limits.read_time
        if self.loose > self.policy.limits.header_bytes:
            self.refuse_headers()
        elif self.due == inf and (self.cycle is None or self.cycle.response_complete):
            # Bytes that begin no request have ended uvicorn's own wait for the next one.
            self._begin(HEADERS)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; a request that is refused already has its answer."""
        if not self._refused:
            super().send_400_response(msg)

    def check(self, now: float) -> None:
        """Look whether the client keeps to the times; called again and again.

        Args:
            now: the loop's time.
        """
        if self.transport.is_closing() or self.flow.write_paused:
            self._check_taking(now)
            return
        self._left = -1
        if now < self.due:
            return
        if self._refused:
            self.transport.abort()
        elif self.part is None:
            self.transport.close()
        elif self.flow.read_paused or (self.part is HEADERS and not self._answered()):
            # It is not for the client to hurry: we read no more until an earlier request is answered.
            self._begin(self.part)
        elif self.part is BODY and self.cycle.response_started:
            self.transport.close()
        else:
            seconds = self.policy.limits.read_time
            self._refuse(HttpError(408, f"the {self.part} did not arrive within {seconds:g} s (PLUGINS_READ_TIMEOUT)"))

    def refuse_headers(self) -> None:
        """Refuse a request for the size of its headers."""
        size = self.policy.limits.header_bytes
        self._refuse(HttpError(431, f"the headers are larger than {size} bytes (PLUGINS_MAX_HEADER_BYTES)"))

    def _begin(self, part: str | None) -> None:
        self.part = part
        self.due = inf if part is None else self.loop.time() + self.policy.limits.read_time

    def _answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _refuse(self, refusal: HttpError) -> None:
        """Answer in place of the application, and end the connection."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self.transport.write(refusal_bytes(refusal))
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.flow.resume_reading()
            self.due = self.loop.time() + _LINGER_SECONDS
        else:
            self.transport.close()

    def _turn_away(self, transport: asyncio.Transport, refusal: HttpError) -> None:
        self._refused = True
        transport.write(refusal_bytes(refusal))
        transport.close()

    def _check_taking(self, now: float) -> None:
        """Give up on a client that takes nothing of what was written."""
        left = self.transport.get_write_buffer_size()
        if left != self._left:
            self._left = left
            self._take_by = now + self.policy.limits.idle
        elif now >= self._take_by:
            self.transport.abort()
