"""Protocol negotiation: the first four bytes of a new connection say which version its client speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .framing import LENGTH_BYTES, V2_PREFACE
from .server_connection import ConnectionLimits, ServerConnection


class ProtocolNegotiation(ServerConnection):
    """A new connection, until its version is known and another one takes its place.

    Args:
        admit: whether a new connection may stay.
        upgrade: makes the connection that takes its place, given it and the version, 1 or 2.
        limits: what the client may ask for.
        on_lost: called when the connection is gone, unless it was not admitted.
    """

    def __init__(
        self,
        admit: Callable[[ServerConnection, asyncio.BaseTransport], bool],
        upgrade: Callable[[ServerConnection, int], ServerConnection],
        limits: ConnectionLimits,
        on_lost: Callable[[ServerConnection], None],
    ) -> None:
        super().__init__(limits, on_lost)
        self._admit = admit
        self._upgrade = upgrade
        self._admitted = False
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._admitted = self._admit(self, transport)
        if not self._admitted:
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        if self._admitted:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if not self._admitted:
            return
        self._received += data
        if len(self._received) < LENGTH_BYTES:
            self._partial_since = self._partial_since or self._loop.time()
            return
        version = 2 if self._received.startswith(V2_PREFACE) else 1
        connection = self._upgrade(self, version)
        self._transport.set_protocol(connection)
        connection.connection_made(self._transport)
        if rest := self._received[len(V2_PREFACE) :] if version == 2 else self._received:
            connection.data_received(rest)
