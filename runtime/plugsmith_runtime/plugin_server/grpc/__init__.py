"""gRPC, over TCP and over a Unix socket."""

from __future__ import annotations

from importlib.util import find_spec

from .transport import GrpcTransport

# Reflection imports them when a client asks; that they are missing is to be said at the start.
for _package in ("grpc_health", "grpc_reflection"):
    if find_spec(_package) is None:
        raise ModuleNotFoundError(f"No module named {_package!r}", name=_package)

__all__ = ["GrpcTransport"]
