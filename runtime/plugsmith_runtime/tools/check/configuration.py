"""Checks of the configuration: plugins, certificates, and the addresses that a server would listen on."""

from __future__ import annotations

import asyncio
import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...client import connect
from ...errors import StartError
from ...host.config import ConfigFile, PluginMode
from ...host.docker import method_hooks
from ...host.loader import add_plugin_dirs, implemented_hooks, load_plugin, unimplemented_hooks, unlisted_hooks
from ...net.sockets import bind_tcp, check_socket_path
from ...plugin_server.endpoints import client_tls, own_endpoint
from ...plugin_server.setting_table import CONFIG_PATH, LOG_FORMAT, LOG_LEVEL, SETTINGS
from ...plugin_server.settings import ServerSettings
from ...tls.check import check_tls
from ...tls.layout import DEFAULT_FOLDER, CertificateLayout
from ...tls.settings import TlsSettings
from . import Finding, problem

_MIN_SIMILARITY = 0.85
_RENEW = "make certs-mcp-all renews it; the running server takes it without a restart"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_ANSWER_TIMEOUT_SECONDS = 2.0


def check_plugins(path: Path, file: ConfigFile) -> Iterator[Finding]:
    """Load every plugin that is not disabled; none is initialized.

    Args:
        path: the configuration file.
        file: its content.
    """
    yield Finding("config", "ok", f"{path}: {len(file.plugins)} {'plugin' if len(file.plugins) == 1 else 'plugins'}")
    add_plugin_dirs(file.plugin_dirs, path.parent)
    for entry in file.plugins:
        if entry.mode is PluginMode.DISABLED:
            yield Finding("config", "note", f"plugin {entry.name} is disabled: the gateway does not call it")
            continue
        try:
            plugin = load_plugin(entry)
        except StartError as error:
            yield problem("config", error)
            continue
        hooks = implemented_hooks(plugin) | method_hooks(plugin)
        found = [Finding("config", "problem", *words) for words in unimplemented_hooks(entry, hooks)]
        found += [Finding("config", "note", *words) for words in unlisted_hooks(entry, hooks)]
        yield from found or [Finding("config", "ok", f"plugin {entry.name}: {', '.join(entry.hooks)}")]


def check_variables(environ: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """Look for variables that are nearly those of settings: one with a wrong letter sets nothing, in silence.

    Args:
        environ: the environment; that of the process when None.
    """
    known = [name for setting in (*SETTINGS.values(), CONFIG_PATH, LOG_LEVEL, LOG_FORMAT) for name in setting.env]
    for name in os.environ if environ is None else environ:
        if name.startswith("PLUGINS_") and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=_MIN_SIMILARITY)
            if near:
                yield Finding("config", "problem", f"{name} is set, but is no setting", f"did you mean {near[0]}?")


def check_certificates(settings: ServerSettings) -> Iterator[Finding]:
    """Check what TLS needs, as the server does when it starts.

    Args:
        settings: which transports serve with TLS, and with which files.
    """
    if "http" in settings.transports:
        yield from _check_transport("http", settings.http.tls, settings.http.host, settings.http.uds)
    if "grpc" in settings.transports:
        yield from _check_transport("grpc", settings.grpc.tls, settings.grpc.host, settings.grpc.uds)
    folder = CertificateLayout(Path(DEFAULT_FOLDER))
    if folder.root.is_dir():
        yield from _check_folder(folder)


def _check_transport(
    name: Literal["http", "grpc"], tls: TlsSettings | None, host: str, uds: str | None
) -> Iterator[Finding]:
    if tls is None:
        if not uds and host not in _LOOPBACK:
            text = f"{name} listens on {host} without TLS: whoever reaches it can call the plugin"
            yield Finding("certificates", "note", text, "serve with TLS=1 after make certs-mcp-all")
        return
    try:
        check_tls(tls, name, uds)
    except StartError as error:
        yield problem("certificates", error)
    else:
        clients = {"none": "any client", "optional": "any client"}.get(tls.client_auth, "clients with a certificate")
        yield Finding("certificates", "ok", f"{name} serves with {tls.certfile}, for {clients}")


def _check_folder(folder: CertificateLayout) -> Iterator[Finding]:
    try:
        from ..certs.inspection import days_left, inspect_all
    except ImportError:
        yield Finding("certificates", "note", f"{folder.root} was not looked at", "make certs-mcp-check looks at it")
        return
    for found in inspect_all(folder, None, None, None):
        file = found.paths.certificate
        if found.problems:
            yield Finding("certificates", "problem", f"{file}: {'; '.join(found.problems)}", _RENEW)
        elif found.certificate:
            yield Finding("certificates", "ok", f"{file}: {days_left(found.certificate):.0f} days left")


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
