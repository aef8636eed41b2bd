"""From what a hook returned or raised to the reply that travels: plain data, one shape for every transport."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from ..contract.hooks import PluginContext, PluginResult, PluginViolation
from .calls import HookCall, HookReply, Unrepresentable
from .codecs.plain import find_unrepresentable
from .errors import ErrorCode, PluginError, PluginErrorModel, PluginViolationError
from .log_formats import clipped
from .observe import request_id

logger = logging.getLogger(__name__)

CLIENT_IDENTITY = "client_identity"
"""Key of the context's metadata that holds the verified TLS client; the host sets it, a caller cannot."""


def error_reply(call: HookCall, code: ErrorCode, message: str, plugin: str | None = None) -> HookReply:
    """Make the reply to a call that has no result.

    Args:
        call: the call.
        code: what went wrong, for programs.
        message: what went wrong, for people; it must hold no value of the payload.
        plugin: the plugin's own spelling of its name.
    """
    error = PluginErrorModel(message=message, plugin_name=plugin or call.plugin, code=code)
    return HookReply(call.plugin, error=error.model_dump())


def failure_reply(call: HookCall, problem: BaseException) -> HookReply:
    """Answer for a hook that raised: an id for the caller; where it was raised goes to the log under the same id."""
    incident = secrets.token_hex(4)
    fields = {"error_id": incident, "request_id": clipped(request_id(call))}
    logger.error("hook %s of plugin %s failed", call.hook, call.plugin, exc_info=problem, extra={"fields": fields})
    text = f"hook {call.hook} of plugin {call.plugin} failed; the server's log has the reason under error id {incident}"
    return error_reply(call, ErrorCode.HOOK_FAILED, text)


def unrepresentable_reply(call: HookCall, problem: Unrepresentable) -> HookReply:
    """Answer for a result that cannot be written on the wire."""
    text = f"the result of hook {call.hook} cannot be sent: {problem.path}: {problem.reason}"
    return error_reply(call, ErrorCode.UNREPRESENTABLE, text)


def blocked(problem: PluginViolationError) -> PluginResult[Any]:
    """Turn a raised violation into the result that says the same."""
    violation = problem.violation or PluginViolation(
        reason=problem.message, description=problem.message, code="PLUGIN_VIOLATION"
    )
    return PluginResult[Any](continue_processing=False, violation=violation)


def plugin_error_reply(call: HookCall, problem: PluginError) -> HookReply:
    """Answer for a deliberate error: the plugin's own message, code and details.

    Raises:
        Unrepresentable: the details hold an object that has no JSON form.
    """
    return HookReply(call.plugin, error=_plain(problem.error, "error"))


def result_data(result: PluginResult[Any]) -> dict[str, Any]:
    """Turn a hook's result into plain data; unset optional parts are left out.

    Raises:
        Unrepresentable: the result holds an object that has no JSON form.
    """
    return {name: value for name, value in _plain(result, "result").items() if value is not None}


def carries(context: PluginContext) -> bool:
    """Whether a context holds anything that callers take back."""
    return bool(context.state or context.global_context.state or context.metadata.keys() - {CLIENT_IDENTITY})


def context_data(context: PluginContext) -> dict[str, Any]:
    """Turn a context into the plain data that callers take back: both states and the plugin's metadata.

    Raises:
        Unrepresentable: the context holds an object that has no JSON form.
    """
    parts: dict[str, Any] = {"state": True, "metadata": True, "global_context": {"request_id", "state"}}
    data = _plain(context, "context", parts)
    data["metadata"].pop(CLIENT_IDENTITY, None)
    return data


def _plain(model: BaseModel, name: str, parts: dict[str, Any] | None = None) -> dict[str, Any]:
    """Dump a model as plain JSON data; what it holds that has no JSON form is named by its path below `name`."""
    try:
        return model.model_dump(mode="json", include=parts, warnings="none")
    except (PydanticSerializationError, ValueError) as problem:
        found = find_unrepresentable(model.model_dump(include=parts, warnings="none")) or ("", str(problem))
        raise Unrepresentable(f"{name}.{found[0]}".rstrip("."), found[1]) from problem
