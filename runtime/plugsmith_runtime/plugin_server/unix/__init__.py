"""The length-prefixed Unix socket, in both versions of its protocol."""

from __future__ import annotations

from .transport import UnixTransport

__all__ = ["UnixTransport"]
