"""Server in this process, on free ports and sockets of its own, with a client for each of its transports."""

from __future__ import annotations

import asyncio
import shlex
import sys
import tempfile
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from importlib.util import resolve_name
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from ..client import ClientTls, connect
from ..errors import StartError
from ..host.config import ConfigFile
from ..plugin_server.readiness import ServerReady
from ..plugin_server.server import Server
from ..plugin_server.settings import ServerSettings, resolve_settings
from .certificates import Certificates
from .client import PluginClient
from .hosting import Source, load_config, package_of

_COMMANDS = resolve_name("..commands", __package__)
_CALL_TIMEOUT_SECONDS = 30.0
_TRANSPORT_BY_TLS_SCHEME = {"https": "http", "grpcs": "grpc"}

# The path of a socket may have 103 bytes on macOS; this leaves room for the names of the folder and the socket.
_TEMP_PATH_MAX_CHARS = 70


class PluginServer:
    """Running server for tests, which `served` starts.

    Attributes:
        endpoints: the endpoints by transport: "http", "grpc", "grpc+unix", "unix" and "stdio".
    """

    def __init__(self, plugin: str, endpoints: dict[str, str], tls: ClientTls | None, clients: AsyncExitStack) -> None:
        self._plugin = plugin
        self._tls = tls
        self._clients = clients
        self.endpoints = endpoints

    async def connect(self, transport: str, tls: ClientTls | None = None) -> PluginClient:
        """Connect to the server, until the server stops.

        On stdio, the client starts a server of its own in another process, as gateways do.

        Args:
            transport: http, grpc, grpc+unix, unix or stdio.
            tls: certificates of the client; None for the throw-away ones.

        Raises:
            OSError: the server refuses the connection.
        """
        if transport not in self.endpoints:
            raise StartError(f"no transport {transport!r} here; this server has {', '.join(self.endpoints)}")
        client = await connect(self.endpoints[transport], tls or self._tls, _CALL_TIMEOUT_SECONDS)
        self._clients.push_async_callback(client.close)
        return PluginClient(client, self._plugin)


@asynccontextmanager
async def served(
    source: Source,
    config: Mapping[str, Any] | None = None,
    *,
    transports: Collection[str] = ("http", "grpc", "unix", "stdio"),
    certificates: Certificates | None = None,
) -> AsyncIterator[PluginServer]:
    """Serve a plugin for the length of an `async with` block.

    Args:
        source: the plugin's class, or a configuration file, whose first plugin gets the calls and whose server blocks
            are ignored. For stdio, another process must be able to import the class.
        config: the settings of the class, as under `config:` in a configuration file.
        transports: the transports: http, grpc, unix, stdio. grpc also gets a Unix socket, unless there are
            certificates.
        certificates: certificates for mutual TLS on http and grpc.

    Raises:
        StartError: the plugin or a transport cannot start.
    """
    file = load_config(source, config)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(socket_folder())
        in_process = [name for name in transports if name != "stdio"]
        endpoints = {}
        if in_process:
            settings = _settings(file, in_process, folder, certificates)
            ready = await stack.enter_async_context(_running(file, settings))
            for endpoint in chain.from_iterable(ready.endpoints.values()):
                scheme = endpoint.partition(":")[0]
                endpoints[_TRANSPORT_BY_TLS_SCHEME.get(scheme, scheme)] = endpoint
        if "stdio" in transports:
            path = source.absolute() if isinstance(source, Path) else _write_config(file, folder / "config.yaml")
            endpoints["stdio"] = "stdio:" + shlex.join(_stdio_command(package_of(file), path))
        # Closed before the server, which would otherwise wait for the connections.
        clients = await stack.enter_async_context(AsyncExitStack())
        tls = certificates.client_tls if certificates else None
        yield PluginServer(file.plugins[0].name, endpoints, tls, clients)


@contextmanager
def socket_folder() -> Iterator[Path]:
    """Create a temporary folder whose path is short enough for Unix sockets; pytest's are often too long."""
    is_long = len(tempfile.gettempdir()) > _TEMP_PATH_MAX_CHARS
    with tempfile.TemporaryDirectory(prefix="s-", dir="/tmp" if is_long else None) as folder:
        yield Path(folder)


@asynccontextmanager
async def _running(file: ConfigFile, settings: ServerSettings) -> AsyncIterator[ServerReady]:
    """Run a server for the length of an `async with` block; it answers calls inside the block.

    Raises:
        StartError: the plugin or a transport cannot start.
    """
    ready: asyncio.Future[ServerReady] = asyncio.get_running_loop().create_future()
    server = Server(file.plugins, settings, ready.set_result)
    running = asyncio.create_task(server.run())
    either: list[asyncio.Future[Any]] = [ready, running]
    try:
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            yield ready.result()
    finally:
        server.stop()
        await running


def _settings(
    file: ConfigFile, transports: list[str], folder: Path, certificates: Certificates | None
) -> ServerSettings:
    options = {"port": 0, "grpc_port": 0, "socket": f"{folder}/u.sock"}
    if certificates is None:
        options["grpc_uds"] = f"{folder}/g.sock"
    cli = {**options, "transport": ",".join(transports)}
    without_servers = ConfigFile(plugins=file.plugins, plugin_settings=file.plugin_settings)
    settings = resolve_settings(cli, without_servers, {}, package=package_of(file))
    # The host then warns of hooks that only the file or only the code has.
    settings = settings._replace(dev=True)
    if certificates is None:
        return settings
    tls = certificates.server_tls
    return settings._replace(http=replace(settings.http, tls=tls), grpc=settings.grpc._replace(tls=tls))


def _stdio_command(package: str, config: Path) -> list[str]:
    """The command of a server on stdio. The package of a test's plugin may have no commands of its own."""
    program = f"import sys; from {_COMMANDS} import main; sys.exit(main(package={package!r}))"
    options = ["--transport", "stdio", "--config", str(config), "--log-level", "WARNING"]
    return [sys.executable, "-c", program, "serve", *options]


def _write_config(file: ConfigFile, path: Path) -> Path:
    path.write_text(yaml.safe_dump(file.model_dump(mode="json", exclude_defaults=True)), encoding="utf-8")
    return path
