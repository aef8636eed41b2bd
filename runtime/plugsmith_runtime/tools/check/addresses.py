"""Listening addresses: free, in use by a server of ours, or by another one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ...client import connect
from ...errors import StartError
from ...host.config import ConfigFile
from ...net.sockets import bind_tcp, check_socket_path
from ...plugin_server.endpoints import client_tls, own_endpoint
from ...plugin_server.settings import ServerSettings
from ...tls.settings import TlsSettings
from . import Finding, problem

_ANSWER_TIMEOUT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _ListenAddress:
    """Where a transport would listen."""

    endpoint: str
    path: str | None
    host: str
    port: int
    option: str
    variable: str
    tls: TlsSettings | None = None
    token: str | None = None

    @property
    def setting(self) -> str:
        """How a person chooses another address."""
        what = "path" if self.path else "port"
        return f"choose another {what} with {self.option} or {self.variable}"


async def check_addresses(settings: ServerSettings, file: ConfigFile) -> list[Finding]:
    """Look at every address where the server would listen.

    Args:
        settings: where that is.
        file: names the plugins, by which a server of ours is known.
    """
    ours = {entry.name for entry in file.plugins}
    return list(await asyncio.gather(*(_check(address, ours) for address in _addresses(settings))))


async def _check(address: _ListenAddress, ours: set[str]) -> Finding:
    subject = "sockets" if address.path else "ports"
    try:
        names = await _plugins_at(address)
    except (OSError, StartError):
        return _check_free(address, subject)
    if ours <= names:
        return Finding(subject, "ok", f"{address.endpoint}: a server of this repository answers there")
    text = f"{address.endpoint}: a server of other plugins answers there ({', '.join(sorted(names))})"
    return Finding(subject, "problem", text, f"stop it, or {address.setting}")


def _addresses(settings: ServerSettings) -> list[_ListenAddress]:
    addresses = []
    http, grpc = settings.http, settings.grpc
    if "http" in settings.transports:
        option = ("--uds", "PLUGINS_SERVER_UDS") if http.uds else ("--port", "PLUGINS_SERVER_PORT")
        endpoint = own_endpoint(settings, "http")
        addresses.append(_ListenAddress(endpoint, http.uds, http.host, http.port, *option, http.tls, http.token))
    if "grpc" in settings.transports and grpc.listen_tcp:
        option = ("--grpc-port", "PLUGINS_GRPC_SERVER_PORT")
        addresses.append(_ListenAddress(own_endpoint(settings, "grpc"), None, grpc.host, grpc.port, *option, grpc.tls))
    if "grpc" in settings.transports and grpc.uds:
        option = ("--grpc-uds", "PLUGINS_GRPC_SERVER_UDS")
        addresses.append(_ListenAddress(f"grpc+unix://{grpc.uds}", grpc.uds, "", 0, *option))
    if "unix" in settings.transports:
        path = settings.unix.path
        addresses.append(
            _ListenAddress(own_endpoint(settings, "unix"), path, "", 0, "--socket", "PLUGINS_UNIX_SOCKET_PATH")
        )
    return addresses


async def _plugins_at(address: _ListenAddress) -> set[str]:
    """The plugins that a server at an address has; OSError when none of ours answers."""
    async with asyncio.timeout(_ANSWER_TIMEOUT_SECONDS):
        client = await connect(
            address.endpoint, client_tls(address.tls, None, None), _ANSWER_TIMEOUT_SECONDS, address.token
        )
        try:
            return {str(entry.get("name")) for entry in await client.plugin_configs()}
        finally:
            await client.close()


def _check_free(address: _ListenAddress, subject: str) -> Finding:
    try:
        if address.path:
            stale = check_socket_path(address.path, address.setting)
            state = "free, once the next start has removed what a dead server left" if stale else "free"
            return Finding(subject, "ok", f"{address.endpoint}: {state}")
        bind_tcp(address.host, address.port, address.setting).close()
    except StartError as error:
        return problem(subject, error)
    return Finding(subject, "ok", f"{address.endpoint}: {'free' if address.port else 'any free port'}")
