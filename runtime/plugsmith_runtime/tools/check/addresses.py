"""Ports and sockets: free, ours already, or somebody else's."""

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

_ANSWER_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Place:
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
        """How a person chooses another place."""
        what = "path" if self.path else "port"
        return f"choose another {what} with {self.option} or {self.variable}"


async def check_places(settings: ServerSettings, file: ConfigFile) -> list[Finding]:
    """Look at every place where the server would listen.

    Args:
        settings: where that is.
        file: names the plugins, by which a server of ours is known.
    """
    ours = {entry.name for entry in file.plugins}
    return list(await asyncio.gather(*(_look(place, ours) for place in _places(settings))))


async def _look(place: _Place, ours: set[str]) -> Finding:
    subject = "sockets" if place.path else "ports"
    try:
        names = await _served(place)
    except (OSError, StartError):
        return _free(place, subject)
    if ours <= names:
        return Finding(subject, "ok", f"{place.endpoint}: a server of this repository answers there")
    text = f"{place.endpoint}: a server of other plugins answers there ({', '.join(sorted(names))})"
    return Finding(subject, "problem", text, f"stop it, or {place.setting}")


def _places(settings: ServerSettings) -> list[_Place]:
    places = []
    http, grpc = settings.http, settings.grpc
    if "http" in settings.transports:
        option = ("--uds", "PLUGINS_SERVER_UDS") if http.uds else ("--port", "PLUGINS_SERVER_PORT")
        endpoint = own_endpoint(settings, "http")
        places.append(_Place(endpoint, http.uds, http.host, http.port, *option, http.tls, http.token))
    if "grpc" in settings.transports and grpc.listen_tcp:
        option = ("--grpc-port", "PLUGINS_GRPC_SERVER_PORT")
        places.append(_Place(own_endpoint(settings, "grpc"), None, grpc.host, grpc.port, *option, grpc.tls))
    if "grpc" in settings.transports and grpc.uds:
        option = ("--grpc-uds", "PLUGINS_GRPC_SERVER_UDS")
        places.append(_Place(f"grpc+unix://{grpc.uds}", grpc.uds, "", 0, *option))
    if "unix" in settings.transports:
        path = settings.unix.path
        places.append(_Place(own_endpoint(settings, "unix"), path, "", 0, "--socket", "PLUGINS_UNIX_SOCKET_PATH"))
    return places


async def _served(place: _Place) -> set[str]:
    """The plugins that a server at a place has; OSError when none of ours answers."""
    async with asyncio.timeout(_ANSWER_SECONDS):
        client = await connect(place.endpoint, client_tls(place.tls, None, None), _ANSWER_SECONDS, place.token)
        try:
            return {str(entry.get("name")) for entry in await client.plugin_configs()}
        finally:
            await client.close()


def _free(place: _Place, subject: str) -> Finding:
    try:
        if place.path:
            stale = check_socket_path(place.path, place.setting)
            state = "free, once the next start has removed what a dead server left" if stale else "free"
            return Finding(subject, "ok", f"{place.endpoint}: {state}")
        bind_tcp(place.host, place.port, place.setting).close()
    except StartError as error:
        return problem(subject, error)
    return Finding(subject, "ok", f"{place.endpoint}: {'free' if place.port else 'any free port'}")
