"""Errors of hooks: the codes that callers see, and what a plugin raises on purpose."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ..contract.hooks import PluginViolation
from ..errors import PlugsmithError

MCP_INTERNAL_ERROR = -32603


class ErrorCode(StrEnum):
    """The codes that a caller finds in an error reply."""

    UNKNOWN_PLUGIN = "UNKNOWN_PLUGIN"
    UNKNOWN_HOOK = "UNKNOWN_HOOK"
    HOOK_NOT_IMPLEMENTED = "HOOK_NOT_IMPLEMENTED"
    INVALID_PAYLOAD = "INVALID_PAYLOAD"
    INVALID_CONTEXT = "INVALID_CONTEXT"
    HOOK_FAILED = "HOOK_FAILED"
    HOOK_TIMEOUT = "HOOK_TIMEOUT"
    INVALID_RESULT = "INVALID_RESULT"
    UNREPRESENTABLE = "UNREPRESENTABLE"
    OVERLOADED = "OVERLOADED"
    PLUGIN_UNAVAILABLE = "PLUGIN_UNAVAILABLE"


PLUGIN_FAULTS = frozenset({ErrorCode.HOOK_FAILED, ErrorCode.INVALID_RESULT, ErrorCode.UNREPRESENTABLE})
"""What a plugin did wrong; the other errors are those of callers, of limits, or the plugin's own."""


class PluginErrorModel(BaseModel):
    """An error as it travels to the gateway; the names are those of the gateway's framework."""

    # NaN must reach the codec, which refuses it; pydantic's default turns it into null in silence.
    model_config = ConfigDict(ser_json_inf_nan="constants")

    message: str
    plugin_name: str
    code: str = ""
    details: dict[str, Any] = Field(default_factory=dict)
    mcp_error_code: int = MCP_INTERNAL_ERROR


class PluginError(PlugsmithError):
    """A deliberate error of a plugin: its message reaches the caller as it is.

    Args:
        error: what to tell the caller; it must hold no secret.
    """

    def __init__(self, error: PluginErrorModel) -> None:
        super().__init__(error.message)
        self.error = error


class PluginViolationError(PlugsmithError):
    """Blocks the request, as a result with a violation would.

    Args:
        message: the reason, used when no violation is given.
        violation: why the request is blocked.
    """

    def __init__(self, message: str, violation: PluginViolation | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.violation = violation
