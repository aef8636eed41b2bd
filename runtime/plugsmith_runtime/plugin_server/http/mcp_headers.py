"""MCP's own HTTP headers: the version, and those that proxies route by, as 2026-07-28 wants them."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ...http.security import Headers
from ...mcp.jsonrpc import HEADER_MISMATCH, JsonRpcError

METHOD = b"mcp-method"
NAME = b"mcp-name"
VERSION = b"mcp-protocol-version"

MCP_HEADERS = frozenset((METHOD, NAME, VERSION))


def check_routing(headers: Headers, message: Any) -> None:
    """Check that the headers which proxies route by say what the body says, as version 2026-07-28 wants.

    Raises:
        JsonRpcError: a header is missing or differs.
    """
    if type(message) is not dict or "id" not in message:
        return
    method = message.get("method")
    if headers.get(METHOD, b"").decode("latin-1") != method:
        raise JsonRpcError(HEADER_MISMATCH, "header Mcp-Method differs from the member method")
    if method == "tools/call" and type(params := message.get("params")) is dict:
        name = params.get("name")
        if name is not None and _decoded(headers.get(NAME, b"")) != name:
            raise JsonRpcError(HEADER_MISMATCH, "header Mcp-Name differs from params.name")


def _decoded(value: bytes) -> str | None:
    """Undo the base64 form of a header value that is not plain ASCII."""
    if not (value.startswith(b"=?base64?") and value.endswith(b"?=")):
        return value.decode("latin-1")
    try:
        return base64.b64decode(value[9:-2], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
