"""What keeps the form of a message but not its sense, by hypothesis."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.struct_pb2 import Struct
from hypothesis import strategies as st

WORDS = [
    "jsonrpc", "2.0", "id", "method", "params", "name", "arguments", "hook_type", "plugin_name", "payload", "context",
    "tools/call", "tools/list", "ping", "initialize", "invoke_hook", "get_plugin_config", "tool_pre_invoke", "Probe",
    "echo", "args", "state", "metadata", "global_context", "request_id", "user", "_meta", "protocolVersion", "cursor",
]  # fmt: skip

words = st.sampled_from(WORDS) | st.text(max_size=8)
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | words
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4), max_leaves=8
)
calls = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0"), "id": st.integers(0, 9) | values, "method": st.just("tools/call") | words},
    optional={
        "params": st.fixed_dictionaries(
            {"name": st.just("invoke_hook") | words},
            optional={"arguments": st.dictionaries(words, values, max_size=4), "_meta": values},
        )
        | values
    },
)
batches = st.lists(calls | values, min_size=10, max_size=10)
"""Ten things that may stand where a JSON-RPC message is expected."""

hooks = st.fixed_dictionaries(
    {
        "hook": st.just("tool_pre_invoke") | words,
        "plugin": st.just("Probe") | words,
        "payload": st.dictionaries(words, values, max_size=4),
        "state": st.dictionaries(words, values, max_size=3),
        "tail": st.binary(max_size=12),
    }
)
hook_batches = st.lists(hooks, min_size=10, max_size=10)
"""Ten hook calls whose payload and state hold anything, with fields that nobody knows behind them."""


def to_json(value: Any) -> bytes:
    """Write a message; lone surrogates and NaN included, as careless clients do."""
    return json.dumps(value).encode()


def to_protobuf(call: dict[str, Any], pb: Any) -> bytes:
    """Write a hook call."""
    request = pb.InvokeHookRequest(hook_type=_clean(call["hook"]), plugin_name=_clean(call["plugin"]))
    _fill(request.payload, call["payload"])
    _fill(request.context.state, call["state"])
    return bytes(request.SerializeToString() + call["tail"])


def to_stream(call: dict[str, Any], number: int, pb2: Any) -> bytes:
    """Write a hook call of version 2 of the Unix protocol."""
    context = {"state": call["state"], "global_context": {"request_id": "r"}}
    invoke = pb2.InvokeHook(
        hook_type=_clean(call["hook"]), plugin_name=_clean(call["plugin"]), payload=to_json(call["payload"]),
        context=to_json(context),
    )  # fmt: skip
    return bytes(pb2.ClientFrame(id=number, invoke=invoke).SerializeToString() + call["tail"])


def _clean(text: str) -> str:
    return text.encode(errors="replace").decode()


def _fill(struct: Struct, value: dict[str, Any]) -> None:
    for key, item in value.items():
        _set(struct.fields[_clean(key)], item)


def _set(target: Any, value: Any) -> None:
    if value is None:
        target.null_value = 0
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = float(value)
    elif isinstance(value, str):
        target.string_value = _clean(value)
    elif isinstance(value, list):
        target.list_value.SetInParent()
        for item in value:
            _set(target.list_value.values.add(), item)
    else:
        target.struct_value.SetInParent()
        _fill(target.struct_value, value)
