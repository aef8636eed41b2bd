"""MCP over HTTP byte by byte: what a client that keeps no rules can send."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

LIMIT = 30.0
HEADERS = {"content-type": "application/json", "accept": "application/json, text/event-stream"}


@dataclass(frozen=True)
class Reply:
    """An HTTP answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)

    @property
    def error(self) -> tuple[int, str]:
        """Code and message of a JSON-RPC error."""
        error = self.json["error"]
        return error["code"], error["message"]


def request(endpoint: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Reply:
    """Make a request on a connection of its own."""
    parts = urlsplit(endpoint)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=LIMIT)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        names = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, names, answer.read())
    finally:
        connection.close()


def post(endpoint: str, message: Any, **headers: str | None) -> Reply:
    """Post a message to /mcp.

    Args:
        endpoint: the server's endpoint.
        message: bytes as they are, or what is written as JSON.
        headers: headers to change, with "_" for "-"; None leaves one out.
    """
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    chosen: dict[str, str | None] = dict(HEADERS)
    chosen.update({name.replace("_", "-"): value for name, value in headers.items()})
    return request(endpoint, "POST", "/mcp", body, {name: value for name, value in chosen.items() if value is not None})


def rpc(method: str, params: Any = None, request_id: Any = 1) -> dict[str, Any]:
    """A JSON-RPC request."""
    message = {"jsonrpc": "2.0", "id": request_id, "method": method}
    return message if params is None else message | {"params": params}


def hook_call(name: str, request_id: Any = 1, plugin: str = "Probe", **args: Any) -> dict[str, Any]:
    """The request that runs the hook tool_pre_invoke."""
    payload = {"name": name, "args": args}
    arguments = {"hook_type": "tool_pre_invoke", "plugin_name": plugin, "payload": payload, "context": None}
    return rpc("tools/call", {"name": "invoke_hook", "arguments": arguments}, request_id)


def hook_reply(answer: Any) -> Any:
    """What a tool's answer says in its text."""
    return json.loads(answer["result"]["content"][0]["text"])


def raw(endpoint: str, data: bytes, enough: bytes = b"\r\n\r\n") -> bytes:
    """Send bytes on a TCP connection, and return what comes back up to `enough` or the end."""
    parts = urlsplit(endpoint)
    with socket.create_connection((parts.hostname, parts.port or 0), timeout=LIMIT) as connection:
        connection.sendall(data)
        received = b""
        while enough not in received and (chunk := connection.recv(65536)):
            received += chunk
    return received
