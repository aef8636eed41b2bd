"""gRPC status: the codes, and the errors of calls that end with another one than OK.

StatusError                     a call ended, or is to end, with a status other than OK
└── NotProcessedError           UNAVAILABLE, and the server has certainly not acted on the call
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from ..errors import PlugsmithError

Metadata = Sequence[tuple[str, str | bytes]]
"""Names and values that travel beside the messages, as header fields and trailers.

Names are lower case. The value of a name that ends in "-bin" is bytes and travels in base64; that of others is
printable ASCII.
"""


class StatusCode(IntEnum):
    """Status codes of gRPC."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class StatusError(PlugsmithError):
    """A call that ends with another status than OK: raised by handlers of a server, and to callers of a client.

    Args:
        code: the status.
        message: the reason, for people.
        trailing_metadata: what the server sent with the status, or is to send.

    Attributes:
        initial_metadata: what the server sent before its first message (clients only).
    """

    def __init__(self, code: StatusCode, message: str, trailing_metadata: Metadata = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.trailing_metadata = trailing_metadata
        self.initial_metadata: Metadata = ()

    def __str__(self) -> str:
        return f"{self.code.name}: {self.message}" if self.message else self.code.name


class NotProcessedError(StatusError):
    """A call that the server has certainly not acted on: it may be made again on another connection.

    Args:
        message: why it was not.
    """

    def __init__(self, message: str) -> None:
        super().__init__(StatusCode.UNAVAILABLE, message)
