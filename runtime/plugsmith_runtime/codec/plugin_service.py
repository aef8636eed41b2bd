"""Between the transport contract's messages and calls: shared by gRPC and the Unix socket."""

from __future__ import annotations

import math
import re
from typing import Any

from ..contract import plugin_service_pb2 as pb
from ..errors import EncodeError, StartError
from ..host.errors import MCP_INTERNAL_ERROR, ErrorCode
from ..host.messages import HookCall, HookReply
from ..json_values import with_question_marks
from ..protobuf.struct import from_struct, to_struct
from ..protobuf.struct_bytes import NeedsSlowPathError, struct_bytes, varint

_METRIC_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_METRICS_LIMIT = 16
# How two fields of the answer to a hook call begin: the field's number, and that a length comes first.
_PLUGIN_NAME = bytes((pb.InvokeHookResponse.PLUGIN_NAME_FIELD_NUMBER << 3 | 2,))
_RESULT = bytes((pb.InvokeHookResponse.RESULT_FIELD_NUMBER << 3 | 2,))


def read_call(request: pb.InvokeHookRequest, transport: str, identity: str | None = None, size: int = 0) -> HookCall:
    """Read a hook call.

    Args:
        request: the parsed request.
        transport: the name of the transport.
        identity: the caller's verified TLS name.
        size: bytes of the request as it was received.

    Raises:
        EncodeError: a number of the payload or the context is not one of JSON.
    """
    payload = from_struct(request.payload, "payload")
    context = read_context(request.context) if request.HasField("context") else None
    return HookCall(request.hook_type, request.plugin_name, payload, context, transport, identity, size)


def read_context(message: pb.PluginContext) -> dict[str, Any]:
    """Read what is set of a plugin context; the contract has no null, so empty strings stand for missing values.

    Raises:
        EncodeError: a number is not one of JSON.
    """
    source = message.global_context
    shared: dict[str, Any] = {"request_id": source.request_id}
    context: dict[str, Any] = {"global_context": shared}
    if server := source.server_id:
        shared["server_id"] = server
    if tenant := source.tenant_id:
        shared["tenant_id"] = tenant
    if source.HasField("user_string"):
        shared["user"] = source.user_string
    elif source.HasField("user_struct"):
        shared["user"] = from_struct(source.user_struct, "context.global_context.user")
    if source.HasField("state"):
        shared["state"] = from_struct(source.state, "context.global_context.state")
    if source.HasField("metadata"):
        shared["metadata"] = from_struct(source.metadata, "context.global_context.metadata")
    if message.HasField("state"):
        context["state"] = from_struct(message.state, "context.state")
    if message.HasField("metadata"):
        context["metadata"] = from_struct(message.metadata, "context.metadata")
    return context


def unreadable(
    request: pb.InvokeHookRequest, problem: EncodeError, transport: str, identity: str | None = None, size: int = 0
) -> tuple[HookCall, ErrorCode]:
    """What is known of a call that `read_call` could not read, and which part was to blame."""
    call = HookCall(request.hook_type, request.plugin_name, None, None, transport, identity, size)
    in_context = problem.path.startswith("context")
    return call, ErrorCode.INVALID_CONTEXT if in_context else ErrorCode.INVALID_PAYLOAD


def write_context(context: dict[str, Any], message: pb.PluginContext) -> None:
    """Write a plugin context.

    Raises:
        EncodeError: a value cannot be written without changing it.
    """
    shared = context.get("global_context") or {}
    target = message.global_context
    user = shared.get("user")
    try:
        target.request_id = shared.get("request_id") or ""
        target.server_id = shared.get("server_id") or ""
        target.tenant_id = shared.get("tenant_id") or ""
        if isinstance(user, str):
            target.user_string = user
    except UnicodeEncodeError:
        raise EncodeError("context.global_context", "lone surrogate") from None
    if isinstance(user, dict):
        to_struct(user, target.user_struct, "context.global_context.user")
    for values, struct, path in (
        (context.get("state"), message.state, "context.state"),
        (context.get("metadata"), message.metadata, "context.metadata"),
        (shared.get("state"), target.state, "context.global_context.state"),
        (shared.get("metadata"), target.metadata, "context.global_context.metadata"),
    ):
        if values:
            to_struct(values, struct, path)


def write_reply(reply: HookReply) -> bytes:
    """Write the reply to a hook call.

    Raises:
        EncodeError: a value cannot be written without changing it.
    """
    if reply.error is not None:
        message = pb.InvokeHookResponse(plugin_name=reply.plugin)
        _write_error(reply.error, message.error)
        return message.SerializeToString()
    # The fields of a message may be written one by one; most replies need no message made for them.
    name, result = reply.plugin.encode(), reply.result or {}
    parts = [_PLUGIN_NAME, varint(len(name)), name]
    if reply.context is not None or "denial_metadata" in result:
        message = pb.InvokeHookResponse()
        if "denial_metadata" in result:
            result = dict(result)
            _write_metrics(result.pop("denial_metadata"), message.result_base.denial_metadata)
        if reply.context is not None:
            write_context(reply.context, message.context)
        parts.append(message.SerializeToString())
    try:
        written = struct_bytes(result)
        parts += (_RESULT, varint(len(written)), written)
    except NeedsSlowPathError:
        message = pb.InvokeHookResponse()
        to_struct(result, message.result, "result")
        parts.append(message.SerializeToString())
    return b"".join(parts)


def write_config(config: dict[str, Any] | None) -> bytes:
    """Write the answer to a question for one plugin's configuration."""
    message = pb.GetPluginConfigResponse(found=config is not None)
    if config is not None:
        to_struct(config, message.config, "config")
    return message.SerializeToString()


def write_configs(configs: list[dict[str, Any]]) -> bytes:
    """Write the answer to a question for all configurations."""
    message = pb.GetPluginConfigsResponse()
    for config in configs:
        to_struct(config, message.configs.add(), "config")
    return message.SerializeToString()


def check_configs(configs: list[dict[str, Any]]) -> None:
    """Check at start that callers can be given the configurations.

    Raises:
        StartError: a value cannot be written as protobuf.
    """
    for config in configs:
        try:
            write_config(config)
        except EncodeError as error:
            raise StartError(
                f"plugin {config.get('name')}: {error.path.removeprefix('config.')} of its entry in the "
                f"configuration file cannot be sent to gateways: {error.reason}; change it"
            ) from error


def _write_error(error: dict[str, Any], message: pb.PluginError) -> None:
    # A plugin's own error must arrive in any case: what cannot be written of its text becomes a question mark.
    message.message = with_question_marks(error["message"])
    message.plugin_name = with_question_marks(error["plugin_name"])
    message.code = with_question_marks(error["code"])
    number = error.get("mcp_error_code", MCP_INTERNAL_ERROR)
    message.mcp_error_code = number if -(2**31) <= number < 2**31 else MCP_INTERNAL_ERROR
    if error.get("details"):
        to_struct(error["details"], message.details, "error.details")


def _write_metrics(metrics: dict[str, Any], message: pb.DenialMetadata) -> None:
    if len(metrics) > _METRICS_LIMIT:
        raise EncodeError("result.denial_metadata", f"more than {_METRICS_LIMIT} metrics")
    message.SetInParent()
    for name, value in metrics.items():
        path = f"result.denial_metadata.{name}"
        if not _METRIC_NAME.fullmatch(name):
            raise EncodeError(path, "a metric's name is 1 to 64 ASCII letters, digits, dots, underscores, hyphens")
        metric = message.fields[name]
        if isinstance(value, bool):
            metric.boolean = value
        elif isinstance(value, int) and -(2**63) <= value < 2**63:
            metric.integer = value
        elif isinstance(value, float) and math.isfinite(value):
            metric.floating = value
        else:
            raise EncodeError(path, "a metric is a truth value, an integer of 64 bits or a finite number")
