"""MCP over HTTP: an ASGI application on the HTTP engine."""

from __future__ import annotations

from .transport import HttpTransport

__all__ = ["HttpTransport"]
