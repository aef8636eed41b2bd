"""Replies made of what a hook returned or raised: JSON data of one shape, whatever the transport."""

from __future__ import annotations

import inspect
import logging
import secrets
from functools import cache
from typing import Any

from pydantic import BaseModel, RootModel
from pydantic_core import PydanticSerializationError

from ..contract import hooks
from ..contract.hooks import PluginContext, PluginResult, PluginViolation
from ..errors import EncodeError
from ..json_values import find_unencodable
from ..observability.logging import truncate
from .errors import ErrorCode, PluginError, PluginErrorModel, PluginViolationError
from .messages import HookCall, HookReply

logger = logging.getLogger(__name__)

# The models of the contract, and those of them that stand for their only field.
_CONTRACT_MODELS = {found for found in vars(hooks).values() if inspect.isclass(found) and issubclass(found, BaseModel)}
_ROOT_MODELS = {model for model in _CONTRACT_MODELS if issubclass(model, RootModel)}

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


def failure_reply(call: HookCall, error: BaseException) -> HookReply:
    """Make the reply of a hook that raised: an id for the caller; what was raised goes to the log under that id."""
    incident = secrets.token_hex(4)
    fields = {"error_id": incident, "request_id": truncate(call.request_id)}
    logger.error("hook %s of plugin %s failed", call.hook, call.plugin, exc_info=error, extra={"fields": fields})
    text = f"hook {call.hook} of plugin {call.plugin} failed; the server's log has the reason under error id {incident}"
    return error_reply(call, ErrorCode.HOOK_FAILED, text)


def encode_error_reply(call: HookCall, error: EncodeError) -> HookReply:
    """Make the reply for a result that cannot be written on the wire."""
    text = f"the result of hook {call.hook} cannot be sent: {error.path}: {error.reason}"
    return error_reply(call, ErrorCode.UNREPRESENTABLE, text)


def blocked(error: PluginViolationError) -> PluginResult[Any]:
    """The result that says what a raised violation says."""
    violation = error.violation or PluginViolation(
        reason=error.message, description=error.message, code="PLUGIN_VIOLATION"
    )
    return PluginResult[Any](continue_processing=False, violation=violation)


def plugin_error_reply(call: HookCall, error: PluginError) -> HookReply:
    """Make the reply of a deliberate error: the plugin's own message, code and details.

    Raises:
        EncodeError: the details hold an object that has no JSON form.
    """
    return HookReply(call.plugin, error=_to_json_data(error.error, "error"))


def result_reply(call: HookCall, result: PluginResult[Any], context: PluginContext | None) -> HookReply:
    """Make the reply of a hook that has a result; unset optional parts of the result are left out.

    Args:
        call: the call.
        result: what the hook returned.
        context: the context after the hook; None when it carries nothing.

    Raises:
        EncodeError: the result holds an object that has no JSON form.
    """

    def to_json() -> HookReply:
        data = {name: value for name, value in _to_json_data(result, "result").items() if value is not None}
        return HookReply(call.plugin, data, context=None if context is None else _context_data(context))

    if type(result).__module__ != hooks.__name__:
        return to_json()
    return HookReply(call.plugin, _parts(result), None, None if context is None else _context_parts(context), to_json)


def has_content(context: PluginContext) -> bool:
    """Whether a context holds anything that callers take back."""
    metadata = context.metadata
    own = metadata and (len(metadata) > 1 or CLIENT_IDENTITY not in metadata)
    return bool(context.state or context.global_context.state or own)


def _parts(model: BaseModel) -> dict[str, Any]:
    """Take a model of the contract apart into what it holds, less what `_omitted_defaults` names."""
    own = model.__dict__
    if model.__pydantic_extra__:
        own = own | model.__pydantic_extra__
    omitted = _omitted_defaults(type(model))
    parts: dict[str, Any] = {}
    for name, value in own.items():
        kind = type(value)
        if kind in _CONTRACT_MODELS:
            value = value.root if kind in _ROOT_MODELS else _parts(value)
        elif name in omitted and kind is type(default := omitted[name]) and value == default:
            continue
        parts[name] = value
    return parts


@cache
def _omitted_defaults(kind: type[BaseModel]) -> dict[str, Any]:
    """The defaults of the fields that need not travel while they have them.

    Callers read replies field by field, for more than a field costs here. They know the defaults of all releases; that
    a request goes on is said all the same, since nobody should have to guess that.
    """
    empty: tuple[Any, ...] = (None, 0, {}) if issubclass(kind, PluginResult) else (None,)
    defaults = {name: field.get_default(call_default_factory=True) for name, field in kind.model_fields.items()}
    return {name: value for name, value in defaults.items() if not isinstance(value, bool) and value in empty}


def _context_parts(context: PluginContext) -> dict[str, Any]:
    """The parts of a context that callers take back: both states and the plugin's metadata."""
    shared = context.global_context
    return {
        "state": context.state,
        "metadata": {name: value for name, value in context.metadata.items() if name != CLIENT_IDENTITY},
        "global_context": {"request_id": shared.request_id, "state": shared.state},
    }


def _context_data(context: PluginContext) -> dict[str, Any]:
    """The same as JSON data.

    Raises:
        EncodeError: the context holds an object that has no JSON form.
    """
    parts: dict[str, Any] = {"state": True, "metadata": True, "global_context": {"request_id", "state"}}
    data = _to_json_data(context, "context", parts)
    data["metadata"].pop(CLIENT_IDENTITY, None)
    return data


def _to_json_data(model: BaseModel, name: str, parts: dict[str, Any] | None = None) -> dict[str, Any]:
    """Dump a model as JSON data; what it holds that has no JSON form is named by its path below `name`."""
    try:
        return model.model_dump(mode="json", include=parts, warnings="none")
    except (PydanticSerializationError, ValueError) as error:
        found = find_unencodable(model.model_dump(include=parts, warnings="none")) or ("", str(error))
        raise EncodeError(f"{name}.{found[0]}".rstrip("."), found[1]) from error
