"""Spans of hook calls: their names, attributes and parents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..observability.calls import UNKNOWN
from ..observability.logging import truncate
from .loader import CALLS
from .messages import HookCall

if TYPE_CHECKING:
    from ..observability.tracing import Span, Tracer

_TRACEPARENT, _TRACESTATE = "traceparent", "tracestate"
# The trace id in a traceparent: https://www.w3.org/TR/trace-context/#traceparent-header-field-values
_TRACE_ID = slice(3, 35)


class HookTracer:
    """Puts hook calls into the callers' traces.

    Args:
        tracer: makes the spans.
        transport_attributes: attributes of all calls of a transport, by the transport's name.
    """

    def __init__(self, tracer: Tracer, transport_attributes: Mapping[str, Mapping[str, str]]) -> None:
        self._tracer = tracer
        self._transport_attributes = transport_attributes

    def span(self, call: HookCall) -> Span:
        """The span of a call; what the plugin does within it belongs to it.

        Args:
            call: the call. Its `trace` names the span from here on.
        """
        hook = call.hook if call.hook in CALLS else UNKNOWN
        attributes = {
            "plugin.name": truncate(call.plugin),
            "plugin.hook": hook,
            "plugin.transport": call.transport,
            "plugin.request_id": truncate(call.request_id),
            **self._transport_attributes.get(call.transport, {}),
        }
        span = self._tracer.start_span(f"hook {hook}", attributes, _parent(call))
        call.trace = span.carrier
        return span

    def trace_id(self, call: HookCall) -> str:
        """The id of the trace that a call is part of, empty when there is none."""
        return (call.trace or {}).get(_TRACEPARENT, "")[_TRACE_ID]


def _parent(call: HookCall) -> Mapping[str, str]:
    """The caller's span: as the transport carries it, else as the request's metadata does."""
    if call.trace and call.trace.get(_TRACEPARENT):
        return call.trace
    found: Any = call.context
    for name in ("global_context", "metadata"):
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        return {}
    return {name: found[name] for name in (_TRACEPARENT, _TRACESTATE) if isinstance(found.get(name), str)}
