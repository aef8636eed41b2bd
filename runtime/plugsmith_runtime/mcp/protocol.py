"""Terms of the protocol: its revisions and what differs between them, keys of `_meta`, HTTP headers."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from .jsonrpc import HEADER_MISMATCH, UNSUPPORTED_VERSION, JsonRpcError

if TYPE_CHECKING:
    from ..http.security import Headers

HANDSHAKE_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""Versions that a session agrees on by `initialize`."""

STATELESS_VERSION = "2026-07-28"
"""The version without sessions: every request names its version and the client in `_meta`."""

SUPPORTED_VERSIONS = (*HANDSHAKE_VERSIONS, STATELESS_VERSION)

BATCH_VERSION = "2025-03-26"
"""The only version with JSON-RPC batches."""

UNNAMED_VERSION = "2025-03-26"
"""What an HTTP request without the version header speaks, as the protocol says."""

AUDIO_VERSION = "2025-03-26"
"""The first version with audio content."""

STRUCTURED_VERSION = "2025-06-18"
"""The first version with structured content, output schemas and resource links."""

# Keys of `_meta`, all but the last of them new in 2026-07-28.
CLIENT_CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
CLIENT_INFO_KEY = "io.modelcontextprotocol/clientInfo"
LOG_LEVEL_KEY = "io.modelcontextprotocol/logLevel"
PROTOCOL_VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
SERVER_INFO_KEY = "io.modelcontextprotocol/serverInfo"
SUBSCRIPTION_ID_KEY = "io.modelcontextprotocol/subscriptionId"
PROGRESS_TOKEN_KEY = "progressToken"

LISTEN_METHOD = "subscriptions/listen"
TOOLS_CHANGED_METHOD = "notifications/tools/list_changed"

# HTTP headers, two of which proxies route by from 2026-07-28 on.
METHOD_HEADER = b"mcp-method"
NAME_HEADER = b"mcp-name"
SESSION_ID_HEADER = b"mcp-session-id"
VERSION_HEADER = b"mcp-protocol-version"

MCP_HEADERS = frozenset((METHOD_HEADER, NAME_HEADER, SESSION_ID_HEADER, VERSION_HEADER))
"""The headers that a server reads."""

_BASE64_PREFIX, _BASE64_SUFFIX = "=?base64?", "?="


def negotiate(requested: str) -> str:
    """Choose the version of a session: the client's when it is known, else the newest with a handshake."""
    return requested if requested in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1]


def unsupported_version(requested: str) -> JsonRpcError:
    """The refusal of a version that is not spoken; it tells the client which are."""
    data: dict[str, Any] = {"supported": list(SUPPORTED_VERSIONS), "requested": requested}
    return JsonRpcError(UNSUPPORTED_VERSION, f"unsupported protocol version {requested!r}", data)


def check_routing(headers: Headers, message: Any) -> None:
    """Check that the headers which proxies route by say what the body says, as version 2026-07-28 wants.

    Raises:
        JsonRpcError: a header is missing or differs.
    """
    if type(message) is not dict or "id" not in message:
        return
    method = message.get("method")
    if headers.get(METHOD_HEADER, b"").decode("latin-1") != method:
        raise JsonRpcError(HEADER_MISMATCH, "header Mcp-Method differs from the member method")
    if method == "tools/call" and type(params := message.get("params")) is dict:
        name = params.get("name")
        if name is not None and _decode_value(headers.get(NAME_HEADER, b"").decode("latin-1")) != name:
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
