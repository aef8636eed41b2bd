"""A codec of the transport contract's messages, for gRPC and version 1 of the Unix protocol: servers, then clients."""

from __future__ import annotations

import math
import re
from typing import Any

from ..contract import plugin_service_pb2 as pb
from ..errors import DecodeError, EncodeError, StartError
from ..host.config import PluginConfig
from ..host.errors import MCP_INTERNAL_ERROR, ErrorCode
from ..host.messages import CallDecodeError, HookCall, HookReply
from ..json_values import replace_surrogates
from ..protobuf.struct import from_struct, to_struct
from ..protobuf.struct_bytes import NeedsSlowPathError, encode_struct, encode_varint
from .plugin_config import gateway_config

_METRIC_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_MAX_METRICS = 16
# Tags of two fields of the response: the field's number, and wire type 2, length-delimited.
_PLUGIN_NAME_TAG = bytes((pb.InvokeHookResponse.PLUGIN_NAME_FIELD_NUMBER << 3 | 2,))
_RESULT_TAG = bytes((pb.InvokeHookResponse.RESULT_FIELD_NUMBER << 3 | 2,))


def read_call(request: pb.InvokeHookRequest, transport: str, identity: str | None = None, size: int = 0) -> HookCall:
    """Read a hook call.

    Args:
        request: the parsed request.
        transport: the name of the transport.
        identity: the caller's verified TLS name.
        size: bytes of the request as it was received.

    Raises:
        CallDecodeError: a number of the payload or the context is not one of JSON.
    """
    call = HookCall(request.hook_type, request.plugin_name, None, None, transport, identity, size)
    try:
        call.payload = from_struct(request.payload, "payload")
    except DecodeError as error:
        raise CallDecodeError(call, ErrorCode.INVALID_PAYLOAD, str(error)) from None
    if request.HasField("context"):
        try:
            call.context = read_context(request.context)
        except DecodeError as error:
            raise CallDecodeError(call, ErrorCode.INVALID_CONTEXT, str(error)) from None
    return call


def read_context(message: pb.PluginContext) -> dict[str, Any]:
    """Read what is set of a plugin context; the contract has no null, so empty strings stand for missing values.

    Raises:
        DecodeError: a number is not one of JSON.
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
    parts = [_PLUGIN_NAME_TAG, encode_varint(len(name)), name]
    if reply.context is not None or "denial_metadata" in result:
        message = pb.InvokeHookResponse()
        if "denial_metadata" in result:
            result = dict(result)
            _write_metrics(result.pop("denial_metadata"), message.result_base.denial_metadata)
        if reply.context is not None:
            write_context(reply.context, message.context)
        parts.append(message.SerializeToString())
    try:
        written = encode_struct(result)
        parts += (_RESULT_TAG, encode_varint(len(written)), written)
    except NeedsSlowPathError:
        message = pb.InvokeHookResponse()
        to_struct(result, message.result, "result")
        parts.append(message.SerializeToString())
    return b"".join(parts)


def write_config(entry: PluginConfig | None) -> bytes:
    """Write the answer to a request for the entry of one plugin."""
    message = pb.GetPluginConfigResponse(found=entry is not None)
    if entry is not None:
        to_struct(gateway_config(entry), message.config, "config")
    return message.SerializeToString()


def write_configs(entries: list[PluginConfig]) -> bytes:
    """Write the answer to a request for all entries."""
    message = pb.GetPluginConfigsResponse()
    for entry in entries:
        to_struct(gateway_config(entry), message.configs.add(), "config")
    return message.SerializeToString()


def check_configs(entries: list[PluginConfig]) -> None:
    """Check at start that callers can be given the entries.

    Raises:
        StartError: a value cannot be written as protobuf.
    """
    for entry in entries:
        try:
            write_config(entry)
        except EncodeError as error:
            raise StartError(
                f"plugin {entry.name}: {error.path.removeprefix('config.')} of its entry in the "
                f"configuration file cannot be sent to gateways: {error.reason}; change it"
            ) from error


def write_request(hook: str, plugin: str, payload: Any, context: dict[str, Any] | None) -> pb.InvokeHookRequest:
    """Write a hook call.

    Raises:
        EncodeError: a value cannot be written without changing it.
    """
    request = pb.InvokeHookRequest(hook_type=hook, plugin_name=plugin)
    to_struct(payload, request.payload, "payload")
    if context is not None:
        write_context(context, request.context)
    return request


def read_reply(response: pb.InvokeHookResponse) -> dict[str, Any]:
    """Read the reply to a hook call: plugin_name, result or error, and context when it carries anything."""
    reply: dict[str, Any] = {"plugin_name": response.plugin_name}
    if response.HasField("error"):
        error = response.error
        reply["error"] = {
            "message": error.message,
            "plugin_name": error.plugin_name,
            "code": error.code,
            "details": from_struct(error.details),
            "mcp_error_code": error.mcp_error_code,
        }
    else:
        result = from_struct(response.result)
        if response.result_base.HasField("denial_metadata"):
            metrics = response.result_base.denial_metadata.fields
            result["denial_metadata"] = {
                name: getattr(metric, kind) for name, metric in metrics.items() if (kind := metric.WhichOneof("value"))
            }
        reply["result"] = result
    if response.HasField("context"):
        # Callers find all parts of a context, whatever is set.
        read = read_context(response.context)
        whole: dict[str, Any] = {"state": {}, "metadata": {}} | read
        shared: dict[str, Any] = {"server_id": None, "tenant_id": None, "user": None, "state": {}, "metadata": {}}
        reply["context"] = whole | {"global_context": shared | read["global_context"]}
    return reply


def read_config(response: pb.GetPluginConfigResponse) -> dict[str, Any] | None:
    """Read one plugin's configuration, None when the server has no such plugin."""
    return from_struct(response.config) if response.found else None


def read_configs(response: pb.GetPluginConfigsResponse) -> list[dict[str, Any]]:
    """Read the configurations of all plugins."""
    return [from_struct(config) for config in response.configs]


def _write_error(error: dict[str, Any], message: pb.PluginError) -> None:
    # A plugin's own error must arrive in any case: what cannot be written of its text becomes a question mark.
    message.message = replace_surrogates(error["message"])
    message.plugin_name = replace_surrogates(error["plugin_name"])
    message.code = replace_surrogates(error["code"])
    number = error.get("mcp_error_code", MCP_INTERNAL_ERROR)
    message.mcp_error_code = number if -(2**31) <= number < 2**31 else MCP_INTERNAL_ERROR
    if error.get("details"):
        to_struct(error["details"], message.details, "error.details")


def _write_metrics(metrics: dict[str, Any], message: pb.DenialMetadata) -> None:
    if len(metrics) > _MAX_METRICS:
        raise EncodeError("result.denial_metadata", f"more than {_MAX_METRICS} metrics")
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
