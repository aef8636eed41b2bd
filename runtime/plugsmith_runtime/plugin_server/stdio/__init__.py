"""MCP over standard input and output: one JSON message a line."""

from __future__ import annotations

from .transport import StdioTransport

__all__ = ["StdioTransport"]
