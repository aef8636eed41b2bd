"""Clients of a plugin server, one for each transport; `connect` chooses by the endpoint."""

from __future__ import annotations

import importlib
import uuid
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..errors import RequestNotSentError, StartError

__all__ = ["Client", "ClientTls", "RequestNotSentError", "connect", "new_context"]

_SCHEMES = {
    "http": ("mcp", "HttpClient"),
    "https": ("mcp", "HttpClient"),
    "http+unix": ("mcp", "HttpClient"),
    "stdio": ("mcp", "StdioClient"),
    "grpc": ("grpc", "GrpcClient"),
    "grpcs": ("grpc", "GrpcClient"),
    "grpc+unix": ("grpc", "GrpcClient"),
    "unix": ("unix", "UnixClient"),
}


@dataclass(frozen=True, slots=True)
class ClientTls:
    """Certificates of a client.

    Attributes:
        ca_bundle: file with the authorities that the server's certificate must come from.
        certfile: file with the client's certificate, for servers that ask for one.
        keyfile: file with the client's key.
        keyfile_password: the key's password.
    """

    ca_bundle: str
    certfile: str | None = None
    keyfile: str | None = None
    keyfile_password: str | None = field(default=None, repr=False)


class Client(Protocol):
    """A connection to a plugin server, or some that are used as one."""

    @property
    def usable(self) -> bool:
        """Whether the connection stands, as far as is known without asking the server."""

    async def invoke(self, hook: str, plugin: str, payload: Any, context: dict[str, Any] | None) -> dict[str, Any]:
        """Run a hook and return plugin_name, result or error, and context when it carries anything."""

    async def plugin_configs(self) -> list[dict[str, Any]]:
        """Return the entries of all plugins."""

    async def plugin_config(self, name: str) -> dict[str, Any] | None:
        """Return the entry of one plugin, None when the server has no such plugin."""

    async def close(self) -> None:
        """Close the connection."""


def new_context() -> dict[str, Any]:
    """A plugin context of a request of its own."""
    return {"global_context": {"request_id": uuid.uuid4().hex}, "state": {}, "metadata": {}}


async def connect(
    endpoint: str, tls: ClientTls | None = None, timeout: float = 30.0, token: str | None = None
) -> Client:
    """Connect to a plugin server.

    Args:
        endpoint: what `serve` prints, for example "http://127.0.0.1:8000/mcp", "grpc://127.0.0.1:50051",
            "grpc+unix:///run/p.sock", "unix:///run/p.sock", or "stdio:" and a command.
        tls: certificates for https and grpcs.
        timeout: seconds that a call may take.
        token: what a server of HTTP wants its callers to show (PLUGINS_SERVER_TOKEN); the others want none.

    Raises:
        StartError: the endpoint cannot be understood, or a package is missing.
        OSError: nobody listens there.
    """
    scheme = endpoint.partition(":")[0]
    if scheme not in _SCHEMES:
        raise StartError(f"{endpoint}: unknown kind of endpoint; it starts with one of {', '.join(_SCHEMES)}")
    name, class_name = _SCHEMES[scheme]
    try:
        module = importlib.import_module(f".{name}", __name__)
    except ModuleNotFoundError as error:
        raise StartError(f"{endpoint}: needs the package {error.name}; run make install-grpc") from error
    shown = {"token": token} if token and class_name == "HttpClient" else {}
    client: Client = await getattr(module, class_name).connect(endpoint, tls=tls, timeout=timeout, **shown)
    return client
