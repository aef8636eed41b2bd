"""MCP over HTTP: a small ASGI application on uvicorn."""

from __future__ import annotations

from .transport import HttpTransport

__all__ = ["HttpTransport"]
