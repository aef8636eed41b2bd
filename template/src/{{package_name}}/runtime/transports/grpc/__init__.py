"""gRPC, over TCP and over a Unix socket."""

from __future__ import annotations

from .transport import GrpcTransport

__all__ = ["GrpcTransport"]
