"""The inputs: one hook call in three sizes, as each transport wants it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.rendering import RenderedPlugin

HOOK = "tool_pre_invoke"
SIZES = {"small": 0, "10 kB": 10_000, "1 MB": 1_000_000}
# The rendered plugin masks `tango`; a right answer holds the mask.
QUERY, MASK = "call tango now", b"***"
CONTEXT = {"global_context": {"request_id": "r-1", "user": "a@example.com", "tenant_id": "t-1"}}

_ENCODE = """
import json, sys
from {package}.runtime.codec.plugin_service import write_request
from {package}.runtime.codec.unix_v2_client import write_invoke
for payload in json.load(sys.stdin):
    call = "{hook}", "{name}", payload, {context!r}
    print(write_request(*call).SerializeToString().hex(), write_invoke(*call).hex())
"""


@dataclass(frozen=True)
class Input:
    """A hook call of one size.

    Attributes:
        size: a key of SIZES.
        arguments: the arguments of MCP's tool invoke_hook.
        message: the same call as a serialized InvokeHookRequest.
        stream_message: the same as a ClientFrame of version 2 of the Unix protocol, less the call's number.
    """

    size: str
    arguments: dict[str, Any]
    message: bytes
    stream_message: bytes

    def json_rpc(self, call_id: str) -> str:
        """The call as a JSON-RPC request; `call_id` is the id's JSON."""
        params = json.dumps({"name": "invoke_hook", "arguments": self.arguments})
        return f'{{"jsonrpc":"2.0","method":"tools/call","id":{call_id},"params":{params}}}'

    @property
    def grpc_frame(self) -> bytes:
        """The call as the body of a gRPC request: not compressed, its length, the message."""
        return b"\0" + len(self.message).to_bytes(4) + self.message

    @property
    def unix_frame(self) -> bytes:
        """The call as a frame of the Unix socket."""
        return len(self.message).to_bytes(4) + self.message


def make_inputs(plugin: RenderedPlugin, name: str) -> dict[str, Input]:
    """Make the inputs by their sizes.

    Args:
        plugin: the rendered plugin, whose codec writes the messages.
        name: the plugin's name.
    """
    payloads = {size: _payload(length) for size, length in SIZES.items()}
    script = _ENCODE.format(package=plugin.package, hook=HOOK, name=name, context=CONTEXT)
    done = subprocess.run(
        [plugin.python, "-c", script], env=plugin.environ, input=json.dumps(list(payloads.values())),
        capture_output=True, text=True, check=True, cwd=Path(plugin.root),
    )  # fmt: skip
    made = {}
    for (size, payload), line in zip(payloads.items(), done.stdout.splitlines(), strict=True):
        arguments = {"hook_type": HOOK, "plugin_name": name, "payload": payload, "context": CONTEXT}
        made[size] = Input(size, arguments, *map(bytes.fromhex, line.split()))
    return made


def _payload(length: int) -> dict[str, Any]:
    args: dict[str, Any] = {"query": QUERY, "limit": 10, "exact": False}
    row = {"id": 1, "title": "A document that was found", "score": 0.75, "tags": ["one", "two"]}
    if length:
        args["rows"] = [row | {"id": number} for number in range(length // len(json.dumps(row)))]
    return {"name": "search", "args": args}
