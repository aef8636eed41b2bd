"""Observation of calls: the record of a call that is over, the interface of observers, and the call log."""

from __future__ import annotations

import logging
from collections.abc import Collection
from enum import StrEnum
from time import monotonic
from typing import Any, NamedTuple, Protocol

from .logging import truncate

logger = logging.getLogger(__name__)

UNKNOWN = "unknown"
"""Stands for the names of services and methods that the server does not have, so that callers cannot invent labels."""


class Outcome(StrEnum):
    """How a call ended."""

    ALLOWED = "allowed"
    MODIFIED = "modified"
    BLOCKED = "blocked"
    ERROR = "error"
    TIMEOUT = "timeout"
    OVERLOADED = "overloaded"
    CANCELLED = "cancelled"


FAILURES = frozenset({Outcome.ERROR, Outcome.TIMEOUT, Outcome.OVERLOADED, Outcome.CANCELLED})
"""The outcomes of calls that have no result."""


class CallRecord(NamedTuple):
    """One call that is over. It holds nothing of the payload.

    Attributes:
        service: the server's own name of what was called, such as a plugin; or UNKNOWN.
        method: what was called of it, such as a hook; or UNKNOWN.
        transport: the name of the transport.
        outcome: how it ended.
        code: the code of the error or of the violation, empty when there is none.
        seconds: how long it took in the server.
        request_bytes: the size of the request.
        response_bytes: the size of the response.
        request_id: the caller's id of the request, empty when it sent none.
        identity: the caller's name in its verified TLS certificate.
        trace_id: the trace that the call is part of, when there are traces.
    """

    service: str
    method: str
    transport: str
    outcome: Outcome
    code: str
    seconds: float
    request_bytes: int
    response_bytes: int
    request_id: str
    identity: str | None
    trace_id: str = ""


class Observer(Protocol):
    """An observer of calls that are over."""

    @property
    def outcomes(self) -> frozenset[Outcome]:
        """The outcomes of the calls that it observes."""

    def done(self, record: CallRecord) -> None:
        """A call is over; called in the event loop, so it must be quick and must not raise."""


_QUIET = frozenset({Outcome.ALLOWED, Outcome.MODIFIED})

_LEVELS = {
    Outcome.BLOCKED: logging.INFO,
    Outcome.CANCELLED: logging.INFO,
    Outcome.OVERLOADED: logging.WARNING,
    Outcome.TIMEOUT: logging.ERROR,
    Outcome.ERROR: logging.WARNING,
}

_OVERLOAD_LOG_INTERVAL_SECONDS = 1.0


class CallLog:
    """An observer that writes calls to the log.

    Args:
        wanted: "notable" leaves calls that were allowed or modified to the level DEBUG; "all" writes them too.
        server_faults: codes of errors that are the server's fault and not the caller's; their level is ERROR.
    """

    def __init__(self, wanted: str = "notable", server_faults: Collection[str] = ()) -> None:
        self._server_faults = server_faults
        self._quiet_level = logging.INFO if wanted == "all" else logging.DEBUG
        self.outcomes = frozenset(Outcome) - (frozenset() if logger.isEnabledFor(self._quiet_level) else _QUIET)
        # Of calls that are refused because there are too many, one a second is logged: to log them all would cost what
        # the server does not have.
        self._overload_log_after = 0.0
        self._suppressed = 0

    def done(self, record: CallRecord) -> None:
        """Write a line; see Observer."""
        if record.outcome in _QUIET:
            level = self._quiet_level
        elif record.code in self._server_faults:
            level = logging.ERROR
        else:
            level = _LEVELS[record.outcome]
        if not logger.isEnabledFor(level):
            return
        fields = _fields(record)
        if record.outcome is Outcome.OVERLOADED:
            now = monotonic()
            if now < self._overload_log_after:
                self._suppressed += 1
                return
            fields["untold"] = self._suppressed or None
            self._overload_log_after, self._suppressed = now + _OVERLOAD_LOG_INTERVAL_SECONDS, 0
        logger.log(level, "call %s", record.outcome, extra={"fields": fields})


def _fields(record: CallRecord) -> dict[str, Any]:
    return {
        "plugin": record.service,
        "hook": record.method,
        "transport": record.transport,
        "outcome": str(record.outcome),
        "code": truncate(record.code),
        "duration_ms": round(record.seconds * 1000, 3),
        "request_id": truncate(record.request_id),
        "identity": record.identity,
        "trace_id": record.trace_id,
    }
