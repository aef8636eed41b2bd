"""OpenTelemetry: a span for each call, in the caller's trace when it sends one."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from ..errors import StartError
from ..host.messages import HookCall
from ..host.methods import CALLS
from .events import UNKNOWN, Outcome, request_id
from .log_formats import clipped

_PARENT, _STATE = "traceparent", "tracestate"

_FAILED = frozenset({Outcome.ERROR, Outcome.TIMEOUT, Outcome.OVERLOADED, Outcome.CANCELLED})

_MCP = {"rpc.system.name": "jsonrpc", "mcp.method.name": "tools/call", "gen_ai.tool.name": "invoke_hook"}
# What OpenTelemetry's conventions have a name for, by transport.
_OF_TRANSPORT: dict[str, dict[str, str]] = {
    "http": _MCP | {"network.protocol.name": "http"},
    "stdio": _MCP | {"network.transport": "pipe"},
    "grpc": {"rpc.system.name": "grpc", "rpc.method": "PluginService/InvokeHook"},
    "unix": {"network.transport": "unix", "rpc.method": "PluginService/InvokeHook"},
}


class Tracing:
    """Makes spans and sends them; see Tracer.

    Args:
        service: the service's name, unless the environment says another.

    Raises:
        StartError: packages are missing, or an exporter is asked for that is not there.
    """

    def __init__(self, service: str) -> None:
        try:
            from opentelemetry import trace

            from .trace_export import make_provider
        except ModuleNotFoundError as error:
            raise StartError(
                f"PLUGINS_OTEL_ENABLED is set, but the package {error.name} is not installed; install the extra "
                "'otel', or switch it off"
            ) from error
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider: Any = make_provider(service)
        # For the spans that plugins make themselves.
        trace.set_tracer_provider(self._provider)
        self._tracer: Any = self._provider.get_tracer(__name__)
        self._extract: Any = TraceContextTextMapPropagator().extract
        for handler in logging.getLogger().handlers:
            handler.addFilter(_name_trace)

    def span(self, call: HookCall) -> CallSpan:
        """The span of a call; see Tracer."""
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind

        hook = call.hook if call.hook in CALLS else UNKNOWN
        attributes = {
            "plugin.name": clipped(call.plugin),
            "plugin.hook": hook,
            "plugin.transport": call.transport,
            "plugin.request_id": clipped(request_id(call)),
            **_OF_TRANSPORT.get(call.transport, {}),
        }
        parent = self._extract(_caller(call), Context())
        span = self._tracer.start_span(f"hook {hook}", parent, SpanKind.SERVER, attributes)
        # From here on the call is at this place of the trace.
        at = span.get_span_context()
        call.trace = {_PARENT: f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}"}
        return CallSpan(span)

    def trace_id(self, call: HookCall) -> str:
        """The id of the trace that a call is part of; see Tracer."""
        return (call.trace or {}).get(_PARENT, "")[3:35]

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
        span: the span of the SDK, begun.
    """

    def __init__(self, span: Any) -> None:
        self._span = span

    def __enter__(self) -> CallSpan:
        from opentelemetry import context, trace

        # What the plugin does meanwhile belongs to it.
        self._token: Any = context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, place: TracebackType | None
    ) -> None:
        from opentelemetry import context

        context.detach(self._token)
        # Nothing of the exception is kept: its text may hold a piece of the payload.
        if isinstance(problem, asyncio.CancelledError):
            self.done(Outcome.CANCELLED, "")
        elif problem is not None:
            self.done(Outcome.ERROR, "")
        self._span.end()

    def done(self, outcome: Outcome, code: str) -> None:
        """Say how the call ended; see Span."""
        from opentelemetry.trace import StatusCode

        self._span.set_attribute("plugin.outcome", str(outcome))
        if code:
            self._span.set_attribute("plugin.code", clipped(code))
        if outcome in _FAILED:
            self._span.set_attribute("error.type", clipped(code) or str(outcome))
            self._span.set_status(StatusCode.ERROR)


def _name_trace(record: logging.LogRecord) -> bool:
    """Add the current trace to what a plugin, or the server on its behalf, logs during a call."""
    from opentelemetry import trace

    at = trace.get_current_span().get_span_context()
    if at.is_valid:
        record.__dict__["fields"] = {**getattr(record, "fields", {}), "trace_id": f"{at.trace_id:032x}"}
    return True


def _caller(call: HookCall) -> Mapping[str, str]:
    """The caller's place in its trace: as the transport carries it, else as the request's metadata does."""
    if call.trace and call.trace.get(_PARENT):
        return call.trace
    found: Any = call.context
    for name in ("global_context", "metadata"):
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        return {}
    return {name: found[name] for name in (_PARENT, _STATE) if isinstance(found.get(name), str)}
