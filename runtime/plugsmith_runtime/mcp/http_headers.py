"""MCP's HTTP headers: version, session, and those of 2026-07-28 that proxies route by, for both ends."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import Any

from ..http.security import Headers
from .jsonrpc import HEADER_MISMATCH, JsonRpcError

METHOD = b"mcp-method"
NAME = b"mcp-name"
SESSION_ID = b"mcp-session-id"
VERSION = b"mcp-protocol-version"

MCP_HEADERS = frozenset((METHOD, NAME, SESSION_ID, VERSION))
"""The headers that a server reads."""

_BASE64_PREFIX, _BASE64_SUFFIX = "=?base64?", "?="


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
        if name is not None and _decode_value(headers.get(NAME, b"").decode("latin-1")) != name:
            raise JsonRpcError(HEADER_MISMATCH, "header Mcp-Name differs from params.name")


def routing_headers(message: dict[str, Any]) -> dict[str, str]:
    """The headers that proxies route a message by."""
    if "method" not in message:
        return {}
    headers = {"mcp-method": message["method"]}
    if message["method"] == "tools/call":
        headers["mcp-name"] = _encode_value(message["params"]["name"])
    return headers


@lru_cache(maxsize=256)
def takes_event_stream(accept: bytes) -> bool:
    """Whether a client that sends this header Accept takes server-sent events."""
    for choice in accept.lower().split(b","):
        media_type, _, parameters = choice.partition(b";")
        if media_type.strip() in (b"text/event-stream", b"text/*", b"*/*"):
            return parameters.replace(b" ", b"") not in (b"q=0", b"q=0.0")
    return False


def _encode_value(value: str) -> str:
    """A header value, in base64 when it is not plain ASCII."""
    if value.isascii() and value.isprintable() and value == value.strip() and not value.startswith(_BASE64_PREFIX):
        return value
    return f"{_BASE64_PREFIX}{base64.b64encode(value.encode()).decode()}{_BASE64_SUFFIX}"


def _decode_value(value: str) -> str | None:
    """Undo `_encode_value`; None for what is no base64 of UTF-8."""
    if not (value.startswith(_BASE64_PREFIX) and value.endswith(_BASE64_SUFFIX)):
        return value
    try:
        return base64.b64decode(value[len(_BASE64_PREFIX) : -len(_BASE64_SUFFIX)], validate=True).decode()
    except (binascii.Error, ValueError):
        return None
