"""The JSON-RPC of MCP, shared by HTTP and stdio; it knows no transport."""

from __future__ import annotations

from ..plugin_server.mcp_endpoint import McpEndpoint, Sender
from .jsonrpc import INVALID_REQUEST, JsonRpcError, decode, error_message

__all__ = ["INVALID_REQUEST", "JsonRpcError", "McpEndpoint", "Sender", "decode", "error_message"]
