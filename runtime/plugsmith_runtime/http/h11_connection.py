"""A connection on h11, which keeps what it cannot read yet, and a state; for where httptools is not to be had."""

from __future__ import annotations

from math import inf
from typing import Any

from .connection import BODY, HEADERS, LimitedConnection


class H11Connection(LimitedConnection):
    """A connection whose requests are carried by uvicorn."""

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
