"""Which part of a request is being read, as uvicorn's parsers tell it: httptools by callbacks, h11 by states."""

from __future__ import annotations

from math import inf
from typing import Any

from .connection import BODY, HEADERS, LimitedConnection, Policy


class CallbackConnection(LimitedConnection):
    """For httptools, which calls the protocol for each piece that it has read."""

    def on_message_begin(self) -> None:
        """A request has begun."""
        self._begin(HEADERS)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The headers are there: begin with the request, if they are not too large."""
        if self.loose > self.policy.limits.header_bytes and self._head_size() > self.policy.limits.header_bytes:
            self.refuse_headers()
            raise ValueError("the headers are too large")
        self.loose = 0
        self._begin(BODY)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self.loose = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The whole request is there."""
        self.loose = 0
        self.part = None
        self.due = inf
        super().on_message_complete()

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)


class StateConnection(LimitedConnection):
    """For h11, which keeps what it cannot read yet, and a state."""

    conn: Any

    def data_received(self, data: bytes) -> None:
        """Read on, unless the headers are too large."""
        if self._state() == "IDLE" and not self._refused:
            head = self.conn.trailing_data[0] + data
            limit = self.policy.limits.header_bytes
            if len(head) > limit and head.find(b"\r\n\r\n", 0, limit) < 0:
                self.refuse_headers()
        # h11 has a limit of its own for what it cannot read yet.
        self.loose = -len(data)
        super().data_received(data)
        self._note()

    def on_response_complete(self) -> None:
        """Go on with the request that came while this one was answered."""
        super().on_response_complete()
        self._note()

    def _note(self) -> None:
        state = self._state()
        part = BODY if state == "SEND_BODY" else None
        if state == "IDLE" and self.conn.trailing_data[0]:
            part = HEADERS
        if part != self.part or (part is None and self.due != inf and not self._answered()):
            self._begin(part)

    def _state(self) -> str:
        return str(self.conn.their_state)


def limited_protocol(policy: Policy) -> type[Any]:
    """Make the protocol class for a server, for `uvicorn.Config(http=...)`.

    Args:
        policy: what holds for all connections.
    """
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

    limited = CallbackConnection if hasattr(AutoHTTPProtocol, "on_headers_complete") else StateConnection
    return type("LimitedProtocol", (limited, AutoHTTPProtocol), {"policy": policy})
