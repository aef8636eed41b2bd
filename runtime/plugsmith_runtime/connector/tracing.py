"""The gateway's trace, where it keeps one with OpenTelemetry: the plugin's spans then belong to it."""

from __future__ import annotations

import sys
from typing import Any

_KEY = "traceparent"


def add_trace(context: dict[str, Any]) -> None:
    """Put the current span into a context that is about to be sent, where the server looks for it.

    Args:
        context: the plain data of a plugin context.
    """
    # A gateway that traces has imported it; others need not pay for it.
    library: Any = sys.modules.get("opentelemetry.trace")
    if library is None:
        return
    at = library.get_current_span().get_span_context()
    if at.is_valid:
        parent = f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}"
        context["global_context"].setdefault("metadata", {}).setdefault(_KEY, parent)
