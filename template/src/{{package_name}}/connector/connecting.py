"""Opens the client that suits an endpoint."""

from __future__ import annotations

from ..runtime.clients import Client, connect
from .config import LinkConfig


async def open_client(config: LinkConfig) -> Client:
    """Connect to a server.

    Args:
        config: where the server is.

    Raises:
        StartError: a certificate cannot be used, or a package is missing.
        OSError: the server cannot be reached.
    """
    return await connect(config.address, tls=config.client_tls, timeout=config.deadline)
