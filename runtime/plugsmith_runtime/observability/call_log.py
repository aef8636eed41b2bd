"""The call log: a line for each call that somebody may want to look into, or for all of them."""

from __future__ import annotations

import logging
from collections.abc import Collection
from time import monotonic
from typing import Any

from .events import CallRecord, Outcome
from .log_formats import truncate

logger = logging.getLogger(__name__)

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
