"""The transports: each knows bytes and calls, and no plugin. A transport's module is imported when it is asked for."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING, Protocol, cast

from ..errors import StartError

if TYPE_CHECKING:
    from ..host.host import Host
    from ..net.listeners import SocketProvider
    from .settings import ServerSettings

TRANSPORTS = {"http": "HttpTransport", "stdio": "StdioTransport", "grpc": "GrpcTransport", "unix": "UnixTransport"}


class Transport(Protocol):
    """One way to reach the host."""

    finished: asyncio.Event | None
    """Set by the transport when its only client is gone for good (stdio); None when clients may always come."""

    async def start(self) -> list[str]:
        """Listen, and return the endpoints that clients can use."""

    async def stop(self, grace: float) -> None:
        """Accept no more, let calls in flight finish within `grace` seconds, and close."""


class TransportFactory(Protocol):
    """A transport's class."""

    def __call__(self, host: Host, settings: ServerSettings, listeners: SocketProvider) -> Transport:
        """Make the transport; it listens after `start`."""


def load_transport(name: str) -> TransportFactory:
    """Import a transport's class.

    Args:
        name: http, stdio, grpc or unix.

    Raises:
        StartError: the name is unknown, or a package that the transport needs is not installed.
    """
    if name not in TRANSPORTS:
        raise StartError(f"unknown transport {name!r}; choose from {', '.join(TRANSPORTS)}")
    try:
        module = importlib.import_module(f".{name}", __package__)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(str(__package__).rpartition(".")[0]):
            raise
        raise StartError(
            f"transport {name!r} needs the package {error.name}; install the extra 'grpc' (make install-grpc)"
        ) from error
    return cast(TransportFactory, getattr(module, TRANSPORTS[name]))
