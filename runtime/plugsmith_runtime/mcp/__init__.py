"""The JSON-RPC of MCP, shared by HTTP and stdio; it knows no transport."""

from __future__ import annotations

from ..plugin_server.mcp_endpoint import McpEndpoint, Sender
from .jsonrpc import INVALID_REQUEST, Refusal, decode, error_message

__all__ = ["INVALID_REQUEST", "McpEndpoint", "Refusal", "Sender", "decode", "error_message"]
