"""A codec of the transport contract's messages: the client's side, for gRPC and version 1 of the Unix protocol."""

from __future__ import annotations

from typing import Any

from ..contract import plugin_service_pb2 as pb
from ..protobuf.struct import from_struct, to_struct
from .plugin_service import read_context, write_context


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
