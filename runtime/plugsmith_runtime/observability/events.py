"""Call events: the record of a call that is over, and the interfaces of observers, metrics and tracing."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import TracebackType
from typing import NamedTuple, Protocol

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


class MetricsSource(Protocol):
    """Can be asked for metrics."""

    async def scrape(self, accept: str) -> tuple[str, bytes]:
        """Write all metrics in the format that an Accept header asks for: the content type, and the text."""


class Span(Protocol):
    """One call in a trace; a context manager, inside which the call runs."""

    @property
    def carrier(self) -> Mapping[str, str]:
        """The span as W3C Trace Context carries it, for whatever is called from inside it."""

    def __enter__(self) -> Span:
        """Make it the current span."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End it."""

    def done(self, outcome: Outcome, code: str) -> None:
        """Say how the call ended."""


class Tracer(Protocol):
    """Puts calls into the callers' traces."""

    def start_span(self, name: str, attributes: Mapping[str, str], parent: Mapping[str, str]) -> Span:
        """Start the span of a call.

        Args:
            name: the name of the span.
            attributes: what is known of the call, by the names of OpenTelemetry's semantic conventions.
            parent: the caller's traceparent and tracestate; empty when it sent none.
        """
