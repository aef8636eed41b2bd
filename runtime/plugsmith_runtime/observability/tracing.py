"""Tracing: a span for each call, in the caller's trace when it sends one, exported by OpenTelemetry's SDK.

The SDK reads its variables OTEL_*; what they leave open is decided here. OpenTelemetry is imported when a
tracer is made.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Mapping
from importlib.metadata import entry_points
from types import TracebackType
from typing import Any, Protocol

from ..errors import StartError
from .calls import FAILURES, Outcome
from .logging import truncate

_PROTOCOLS = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}


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

            self._provider: Any = _provider(service_name)
        except ModuleNotFoundError as error:
            raise StartError(
                f"{setting} is set, but the package {error.name} is not installed; install the extra "
                "'otel', or switch it off"
            ) from error
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

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


def _provider(service_name: str) -> Any:
    """Make the SDK's tracer provider.

    Args:
        service_name: what the spans are of, unless OTEL_SERVICE_NAME says otherwise.

    Raises:
        StartError: an exporter is asked for that is not installed.
    """
    from opentelemetry.sdk.trace import TracerProvider

    # Whoever stops the server stops it, within the server's grace.
    provider: Any = TracerProvider(resource=_resource(service_name), shutdown_on_exit=False)
    for processor in _processors():
        provider.add_span_processor(processor)
    return provider


def _resource(service_name: str) -> Any:
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource

    resource = Resource.create()
    if str(resource.attributes.get(SERVICE_NAME, "unknown_service")).startswith("unknown_service"):
        resource = resource.merge(Resource({SERVICE_NAME: service_name}))
    return resource


def _processors() -> list[Any]:
    """The span processors, as OTEL_TRACES_EXPORTER and OTEL_EXPORTER_OTLP_PROTOCOL say."""
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor

    processors: list[Any] = []
    for name in (part.strip() for part in os.environ.get("OTEL_TRACES_EXPORTER", "otlp").split(",")):
        if name == "console":
            # Standard output belongs to protocols.
            processors.append(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr)))
        elif name not in ("", "none"):
            processors.append(BatchSpanProcessor(_exporter(name)))
    return processors


def _exporter(name: str) -> Any:
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    wanted = _PROTOCOLS.get(protocol or "http/protobuf", protocol) if name == "otlp" else name
    for found in entry_points(group="opentelemetry_traces_exporter", name=str(wanted)):
        try:
            return found.load()()
        except ImportError as error:
            raise StartError(f"OTEL_TRACES_EXPORTER: {name} cannot be loaded: {error}") from error
    raise StartError(
        f"OTEL_TRACES_EXPORTER: no package is installed for {wanted!r}; install the extra 'otel' for otlp over "
        "http/protobuf, opentelemetry-exporter-otlp-proto-grpc for grpc"
    )


def _add_trace_id(record: logging.LogRecord) -> bool:
    """Add the current trace to what a plugin, or the server on its behalf, logs during a call."""
    from opentelemetry import trace

    at = trace.get_current_span().get_span_context()
    if at.is_valid:
        record.__dict__["fields"] = {**getattr(record, "fields", {}), "trace_id": f"{at.trace_id:032x}"}
    return True
