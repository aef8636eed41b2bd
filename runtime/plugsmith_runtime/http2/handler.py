"""What connections need of the server that they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from .hpack import Fields
from .stream import Stream, StreamHandler

if TYPE_CHECKING:
    from .server import Connection


class Limits(NamedTuple):
    """What a client may do on one connection; times in seconds.

    Attributes:
        streams: requests at the same time.
        header_bytes: the largest fields of a request.
        read_time: from the first byte of a request to its last.
        idle: time without a request, or without taking any of the answers that wait.
    """

    streams: int
    header_bytes: int
    read_time: float
    idle: float


class ConnectionHandler(Protocol):
    """The server that connections belong to."""

    limits: Limits

    def opened(self, connection: Connection) -> bool:
        """A client connected; whether it may."""

    def lost(self, connection: Connection) -> None:
        """A connection is gone, perhaps one of a client that might not connect."""

    def exchange(self, stream: Stream, fields: Fields | None) -> StreamHandler:
        """A request has begun, with fields that are too large when they are None; its answer may be sent at once."""
