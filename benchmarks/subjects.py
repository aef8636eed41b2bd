"""What is measured: for each transport the rendered plugin, the peer, and the floor, with the way to start each."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.environments import environment
from tests.support.rendering import ROOT, RenderedPlugin

from .peer import Peer

TRANSPORTS = ("http", "grpc", "unix")
OURS, PEER, FLOOR = "ours", "peer", "floor"
SUBJECTS = (OURS, PEER, FLOOR)
UVICORN = ("httptools>=0.6.4", "uvicorn>=0.50", "uvloop>=0.21")
"""What the floor of HTTP runs on."""


@dataclass(frozen=True)
class Subject:
    """A server that can be started.

    Attributes:
        name: "ours", "peer" or "floor".
        transport: "http", "grpc", "unix" or "stdio".
        command: its command line.
        address: where it will answer: a port, or the path of a socket; "" for stdio.
        environ: environment variables besides the clean ones.
        folder: the working directory.
    """

    name: str
    transport: str
    command: tuple[str, ...]
    address: str
    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def whole_environ(self) -> dict[str, str]:
        """The environment of its process: nothing that would set a plugin server or Python."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PLUGINS_", "UNIX_SOCKET_", "PYTHON"))}
        return clean | dict(self.environ)


def ours(plugin: RenderedPlugin, addresses: Mapping[str, str], workers: str = "1") -> list[Subject]:
    """The rendered plugin's server, the same for all transports that have an address; a subject for each."""
    options = {"http": "--port", "grpc": "--grpc-port", "unix": "--socket"}
    command = [str(plugin.python), "-m", plugin.package, "serve", "--log-level", "ERROR", "--grpc-uds", ""]
    command += ["--transport", ",".join(addresses), "--workers", workers]
    for transport, address in addresses.items():
        if transport in options:
            command += [options[transport], address]
    return [Subject(OURS, name, tuple(command), addresses[name], plugin.root, plugin.environ) for name in addresses]


def peer(own: Peer, transport: str, address: str) -> Subject:
    """The peer's server runtime of a transport."""
    module = {"http": "mcp", "stdio": "mcp"}.get(transport, transport)
    environ = {
        "PYTHONPATH": str(own.folder),
        "PLUGINS_CONFIG_PATH": str(own.config),
        "PLUGINS_LOG_LEVEL": "ERROR",
        "PLUGINS_TRANSPORT": transport,
        "PLUGINS_ENABLED": "true",
    }
    if transport == "unix":
        environ["PLUGINS_UNIX_SOCKET_PATH"] = address
    elif transport != "stdio":
        prefix = "PLUGINS_GRPC_SERVER_" if transport == "grpc" else "PLUGINS_SERVER_"
        environ |= {prefix + "HOST": "127.0.0.1", prefix + "PORT": address}
    command = (str(own.python), "-m", f"cpex.framework.external.{module}.server.runtime")
    return Subject(PEER, transport, command, address, own.folder, environ)


def floor(plugin: RenderedPlugin, transport: str, address: str) -> Subject:
    """The bare server of a transport."""
    python = plugin.python
    if transport == "http":
        python = environment("floor", UVICORN)
        options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "error"]
        arguments = ["uvicorn", "benchmarks.floors.http:app", "--lifespan", "off", "--port", address, *options]
    else:
        arguments = [f"benchmarks.floors.{transport}", address]
    command = (str(python), "-m", *arguments)
    return Subject(FLOOR, transport, command, address, plugin.root, {"PYTHONPATH": str(ROOT)})


def new_address(transport: str, folder: Path, name: str) -> str:
    """A free port, or the path of a socket that is not there yet."""
    if transport == "stdio":
        return ""
    return str(folder / f"{name}.sock") if transport == "unix" else str(free_port())


def free_port() -> int:
    """A TCP port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
