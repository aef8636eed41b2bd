"""Protocol revisions of MCP, and what differs between them."""

from __future__ import annotations

from typing import Any

from .jsonrpc import UNSUPPORTED_VERSION, JsonRpcError

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


def negotiate(requested: str) -> str:
    """Choose the version of a session: the client's when it is known, else the newest with a handshake."""
    return requested if requested in HANDSHAKE_VERSIONS else HANDSHAKE_VERSIONS[-1]


def unsupported_version(requested: str) -> JsonRpcError:
    """The refusal of a version that is not spoken; it tells the client which are."""
    data: dict[str, Any] = {"supported": list(SUPPORTED_VERSIONS), "requested": requested}
    return JsonRpcError(UNSUPPORTED_VERSION, f"unsupported protocol version {requested!r}", data)
