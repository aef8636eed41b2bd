"""What passes between a transport and the host: a call, a reply, and the reasons why there is no reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import PlugsmithError


@dataclass(slots=True)
class HookCall:
    """One hook call as a transport decoded it.

    Attributes:
        hook: the hook's wire name.
        plugin: the plugin's name as the caller wrote it.
        payload: the payload, not yet validated.
        context: the plugin context, not yet validated; None when the caller sent none.
        transport: the name of the transport that the call came through.
        identity: the caller's name in its verified TLS certificate.
        size: bytes of the request as it was received.
        trace: the caller's traceparent and tracestate (W3C Trace Context), as the transport carries them.
    """

    hook: str
    plugin: str
    payload: Any
    context: Any
    transport: str
    identity: str | None = None
    size: int = 0
    trace: Mapping[str, str] | None = None


@dataclass(slots=True)
class HookReply:
    """The answer to one hook call: a result or an error, in JSON data.

    Attributes:
        plugin: the plugin's name as the caller wrote it.
        result: the hook's result.
        error: message, plugin_name, code, details and mcp_error_code.
        context: the context after the hook, None when it carries nothing.
        dumped: makes the same reply with whatever the plugin put into it turned into JSON data; None when that is done.
            Most plugins put only JSON data there, and dumping it costs more than to have a codec find the exceptions.
    """

    plugin: str
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    dumped: Callable[[], HookReply] | None = None


class OverloadedError(PlugsmithError):
    """The server runs as many hooks as it may; the call was not begun and can be sent again.

    Args:
        reply: the answer for transports that have no word of their own for it.
    """

    def __init__(self, reply: HookReply) -> None:
        super().__init__(str((reply.error or {}).get("message", "")))
        self.reply = reply
