"""The messages between a transport and the host: a hook call, and the reply to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import DecodeError, PlugsmithError
from ..observability.calls import Outcome
from .errors import ErrorCode

_OUTCOMES = {ErrorCode.HOOK_TIMEOUT: Outcome.TIMEOUT, ErrorCode.OVERLOADED: Outcome.OVERLOADED}


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

    @property
    def request_id(self) -> str:
        """The gateway's id of the request that the call belongs to; empty when it sent none."""
        shared = self.context.get("global_context") if isinstance(self.context, dict) else None
        found = shared.get("request_id") if isinstance(shared, dict) else None
        return found if isinstance(found, str) else ""


@dataclass(slots=True)
class HookReply:
    """The reply to one hook call: a result or an error, in JSON data.

    Attributes:
        plugin: the plugin's name as the caller wrote it.
        result: the hook's result.
        error: message, plugin_name, code, details and mcp_error_code.
        context: the context after the hook, None when it carries nothing.
        to_json: makes the same reply with whatever the plugin put into it turned into JSON data; None when that is
            done. Most plugins put only JSON data there, and dumping it costs more than to have an encoder find the
            exceptions.
    """

    plugin: str
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    context: dict[str, Any] | None = None
    to_json: Callable[[], HookReply] | None = None

    def outcome(self) -> tuple[Outcome, str]:
        """How the call ended, and the code of its error or violation."""
        if self.error is not None:
            code = self.error["code"]
            return _OUTCOMES.get(code, Outcome.ERROR), code
        result = self.result or {}
        if not result.get("continue_processing", True):
            return Outcome.BLOCKED, (result.get("violation") or {}).get("code") or ""
        return (Outcome.MODIFIED if result.get("modified_payload") is not None else Outcome.ALLOWED), ""


class CallDecodeError(DecodeError):
    """A call whose payload or context cannot be decoded.

    Args:
        call: what is known of the call.
        code: which part it is, for programs.
        message: what is wrong, for people; it holds no value of the payload.
    """

    def __init__(self, call: HookCall, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.call = call
        self.code = code


class OverloadedError(PlugsmithError):
    """A call that was not begun, because the server runs as many hooks as it may; it can be sent again.

    Args:
        reply: the reply, for transports that have no status of their own for it.
    """

    def __init__(self, reply: HookReply) -> None:
        super().__init__(str((reply.error or {}).get("message", "")))
        self.reply = reply
