"""What the host tells about each call: to metrics and the log when it is over, to tracing while it runs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from enum import StrEnum
from typing import NamedTuple, Protocol

from ..host.errors import ErrorCode
from ..host.messages import HookCall, HookReply

UNKNOWN = "unknown"
"""Stands for the names of plugins and hooks that the server does not have, so that callers cannot invent labels."""


class Outcome(StrEnum):
    """How a call ended."""

    ALLOWED = "allowed"
    MODIFIED = "modified"
    BLOCKED = "blocked"
    ERROR = "error"
    TIMEOUT = "timeout"
    OVERLOADED = "overloaded"
    CANCELLED = "cancelled"


class CallRecord(NamedTuple):
    """One call, when it is over. It holds nothing of the payload.

    Attributes:
        plugin: the plugin's own spelling of its name, or UNKNOWN.
        hook: the hook's wire name, or UNKNOWN.
        transport: the name of the transport.
        outcome: how it ended.
        code: the code of the error or of the violation, empty when there is none.
        seconds: how long it took in the server.
        request_bytes: the size of the request.
        response_bytes: the size of the answer.
        request_id: the gateway's id of the request, empty when it sent none.
        identity: the caller's name in its verified TLS certificate.
        trace_id: the trace that the call is part of, when there are traces.
    """

    plugin: str
    hook: str
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
    """Is told about calls."""

    @property
    def outcomes(self) -> frozenset[Outcome]:
        """The ends of calls that it wants to be told about."""

    def done(self, record: CallRecord) -> None:
        """A call is over; called in the event loop, so it must be quick and must not raise."""


class MetricsSource(Protocol):
    """Can be asked for metrics."""

    async def scrape(self, accept: str) -> tuple[str, bytes]:
        """Write all metrics in the format that an Accept header asks for: the content type, and the text."""


class Span(Protocol):
    """One call in a trace."""

    def done(self, outcome: Outcome, code: str) -> None:
        """Say how the call ended."""


class Tracer(Protocol):
    """Puts calls into the callers' traces."""

    def span(self, call: HookCall) -> AbstractContextManager[Span]:
        """The span of a call; what the plugin does inside belongs to it."""

    def trace_id(self, call: HookCall) -> str:
        """The id of the trace that a call is part of, empty when there is none."""


_ERRORS = {ErrorCode.HOOK_TIMEOUT: Outcome.TIMEOUT, ErrorCode.OVERLOADED: Outcome.OVERLOADED}


def verdict(reply: HookReply) -> tuple[Outcome, str]:
    """Read from a reply how the call ended, and the code of its error or violation."""
    if reply.error is not None:
        code = reply.error["code"]
        return _ERRORS.get(code, Outcome.ERROR), code
    result = reply.result or {}
    if not result.get("continue_processing", True):
        return Outcome.BLOCKED, (result.get("violation") or {}).get("code") or ""
    return (Outcome.MODIFIED if result.get("modified_payload") is not None else Outcome.ALLOWED), ""


def request_id(call: HookCall) -> str:
    """The gateway's id of the request that a call belongs to, empty when it sent none."""
    shared = call.context.get("global_context") if isinstance(call.context, dict) else None
    found = shared.get("request_id") if isinstance(shared, dict) else None
    return found if isinstance(found, str) else ""
