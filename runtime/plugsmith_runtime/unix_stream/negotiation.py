"""A new connection: may it stay, and which version of the protocol does it speak?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .connection import Connection, Limits
from .length_prefix import HEADER, PREFACE


class ProtocolNegotiation(Connection):
    """Waits for the first four bytes, then hands the connection on.

    Args:
        admit: whether a new connection may stay.
        begin: makes the connection that takes this one's place, of version 2 when told so, else of version 1.
        limits: what the connection may ask for.
        on_lost: told when the connection is gone, unless it was not admitted.
    """

    def __init__(
        self,
        admit: Callable[[Connection, asyncio.BaseTransport], bool],
        begin: Callable[[Connection, bool], Connection],
        limits: Limits,
        on_lost: Callable[[Connection], None],
    ) -> None:
        super().__init__(limits, on_lost)
        self._admit = admit
        self._begin = begin
        self._admitted = False
        self._held = b""

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
        self._held += data
        if len(self._held) < HEADER:
            self._begun = self._begun or self._loop.time()
            return
        streaming = self._held.startswith(PREFACE)
        connection = self._begin(self, streaming)
        self._transport.set_protocol(connection)
        connection.connection_made(self._transport)
        if rest := self._held[HEADER:] if streaming else self._held:
            connection.data_received(rest)
