"""A log line for each call that somebody may want to look into, or for all of them."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Any

from ..host.errors import ErrorCode
from .events import CallRecord, Outcome
from .log_formats import clipped

logger = logging.getLogger(__name__)

_QUIET = frozenset({Outcome.ALLOWED, Outcome.MODIFIED})

_LEVELS = {
    Outcome.BLOCKED: logging.INFO,
    Outcome.CANCELLED: logging.INFO,
    Outcome.OVERLOADED: logging.WARNING,
    Outcome.TIMEOUT: logging.ERROR,
    Outcome.ERROR: logging.WARNING,
}

# What the plugin did wrong; the other errors are those of callers.
_PLUGINS_FAULT = frozenset({ErrorCode.HOOK_FAILED, ErrorCode.INVALID_RESULT, ErrorCode.UNREPRESENTABLE})


class CallLog:
    """An observer that writes calls to the log.

    Args:
        wanted: "notable" leaves calls that were allowed or modified to the level DEBUG; "all" writes them too.
    """

    def __init__(self, wanted: str = "notable") -> None:
        self._quiet_level = logging.INFO if wanted == "all" else logging.DEBUG
        self.outcomes = frozenset(Outcome) - (frozenset() if logger.isEnabledFor(self._quiet_level) else _QUIET)
        # Of calls that are refused because there are too many, one a second is told of: to log them all would cost what
        # the server does not have.
        self._silent_until = 0.0
        self._untold = 0

    def done(self, record: CallRecord) -> None:
        """Write a line; see Observer."""
        if record.outcome in _QUIET:
            level = self._quiet_level
        elif record.code in _PLUGINS_FAULT:
            level = logging.ERROR
        else:
            level = _LEVELS[record.outcome]
        if not logger.isEnabledFor(level):
            return
        fields = _fields(record)
        if record.outcome is Outcome.OVERLOADED:
            now = monotonic()
            if now < self._silent_until:
                self._untold += 1
                return
            fields["untold"] = self._untold or None
            self._silent_until, self._untold = now + 1.0, 0
        logger.log(level, "call %s", record.outcome, extra={"fields": fields})


def _fields(record: CallRecord) -> dict[str, Any]:
    return {
        "plugin": record.plugin,
        "hook": record.hook,
        "transport": record.transport,
        "outcome": str(record.outcome),
        "code": clipped(record.code),
        "duration_ms": round(record.seconds * 1000, 3),
        "request_id": clipped(record.request_id),
        "identity": record.identity,
        "trace_id": record.trace_id,
    }
