"""The length-prefixed Unix socket, version 1: four bytes of length, highest first, then a protobuf message."""

from __future__ import annotations

from .transport import UnixTransport

__all__ = ["UnixTransport"]
