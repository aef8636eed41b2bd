"""OpenTelemetry tracing: a span for each call, in the caller's trace when it sends one."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from ..errors import StartError
from .events import FAILURES, Outcome
from .log_formats import truncate


class OtelTracer:
    """A tracer that exports its spans by OpenTelemetry's SDK; see Tracer.

    Args:
        service_name: what the spans are of, unless OTEL_SERVICE_NAME says otherwise.
        setting: the name of the setting that asks for traces, for messages.
        prefix: begins the names of the attributes that OpenTelemetry's conventions do not have.

    Raises:
        StartError: packages are missing, or an exporter is asked for that is not there.
    """

    def __init__(self, service_name: str, setting: str, prefix: str) -> None:
        self._prefix = prefix
        try:
            from opentelemetry import trace

            from .trace_export import make_provider
        except ModuleNotFoundError as error:
            raise StartError(
                f"{setting} is set, but the package {error.name} is not installed; install the extra "
                "'otel', or switch it off"
            ) from error
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider: Any = make_provider(service_name)
        # For the spans that plugins make themselves.
        trace.set_tracer_provider(self._provider)
        self._tracer: Any = self._provider.get_tracer(__name__)
        self._extract: Any = TraceContextTextMapPropagator().extract
        for handler in logging.getLogger().handlers:
            handler.addFilter(_add_trace_id)

    def start_span(self, name: str, attributes: Mapping[str, str], parent: Mapping[str, str]) -> CallSpan:
        """Start the span of a call; see Tracer."""
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind

        context = self._extract(parent, Context())
        return CallSpan(self._tracer.start_span(name, context, SpanKind.SERVER, attributes), self._prefix)

    async def stop(self, limit: float) -> None:
        """Send what was not sent yet.

        Args:
            limit: seconds after which the rest is given up.
        """
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            loop.call_soon_threadsafe(done.set)

        # A thread that nobody waits for when the process ends: exporters try for long to reach a dead collector.
        threading.Thread(target=shut_down, name="traces", daemon=True).start()
        try:
            async with asyncio.timeout(limit):
                await done.wait()
        except TimeoutError:
            return


class CallSpan:
    """The span of one call; see Span.

    Args:
        span: the span of the SDK, started.
        prefix: begins the names of the attributes that OpenTelemetry's conventions do not have.

    Attributes:
        carrier: see Span.
    """

    def __init__(self, span: Any, prefix: str) -> None:
        self._span = span
        self._prefix = prefix
        at = span.get_span_context()
        self.carrier = {"traceparent": f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}"}

    def __enter__(self) -> CallSpan:
        from opentelemetry import context, trace

        # What the plugin does meanwhile belongs to it.
        self._token: Any = context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        from opentelemetry import context

        context.detach(self._token)
        # Nothing of the exception is kept: its text may hold a piece of the payload.
        if isinstance(error, asyncio.CancelledError):
            self.done(Outcome.CANCELLED, "")
        elif error is not None:
            self.done(Outcome.ERROR, "")
        self._span.end()

    def done(self, outcome: Outcome, code: str) -> None:
        """Say how the call ended; see Span."""
        from opentelemetry.trace import StatusCode

        self._span.set_attribute(f"{self._prefix}.outcome", str(outcome))
        if code:
            self._span.set_attribute(f"{self._prefix}.code", truncate(code))
        if outcome in FAILURES:
            self._span.set_attribute("error.type", truncate(code) or str(outcome))
            self._span.set_status(StatusCode.ERROR)


def _add_trace_id(record: logging.LogRecord) -> bool:
    """Add the current trace to what a plugin, or the server on its behalf, logs during a call."""
    from opentelemetry import trace

    at = trace.get_current_span().get_span_context()
    if at.is_valid:
        record.__dict__["fields"] = {**getattr(record, "fields", {}), "trace_id": f"{at.trace_id:032x}"}
    return True
