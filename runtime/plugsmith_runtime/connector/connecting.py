"""Opens the client that suits an endpoint."""

from __future__ import annotations

from importlib.util import find_spec

from ..client import Client, connect
from ..errors import StartError
from .config import ConnectionConfig


def check_packages(config: ConnectionConfig) -> None:
    """Check that what the client needs is installed in the gateway.

    Raises:
        StartError: it is not.
    """
    if config.pooled or (find_spec("google") is not None and find_spec("google.protobuf") is not None):
        return
    raise StartError(f"{config.endpoint} needs protobuf: install the plugin into the gateway with its extra connector")


async def open_client(config: ConnectionConfig) -> Client:
    """Connect to a server.

    Args:
        config: where the server is.

    Raises:
        StartError: a certificate cannot be used.
        OSError: the server cannot be reached.
    """
    if not config.address.startswith("grpc"):
        return await connect(config.address, tls=config.client_tls, timeout=config.deadline)
    # Not by grpcio: a gateway need not have it, and a call by its client costs several times as much.
    from ..client.grpc_http2 import GrpcHttp2Client

    return await GrpcHttp2Client.connect(config.address, tls=config.client_tls, timeout=config.deadline)
