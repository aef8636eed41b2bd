"""`gateway-config`: print the block for the gateway's plugins file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml

from ..certs.folder import DEFAULT_FOLDER, CertFolder
from ..config import PluginConfig
from ..settings import ServerSettings
from ..tls import TlsSettings
from . import options
from .endpoints import own_endpoint, server_command

LOOPBACK_NOTE = (
    "The gateway refuses plugin addresses on loopback unless it runs with PLUGINS_SSRF_PROTECTION_ENABLED=false."
)
CONTEXT_NOTE = (
    "Gateways 1.0.0 to 1.1.0 cannot send tool hooks over gRPC or the Unix socket (their client fails on the objects\n"
    "that the gateway puts into the context); over http and stdio they can."
)


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("gateway-config", help="print the block for the gateway", description=__doc__)
    parser.add_argument("--client-dir", metavar="DIR", help="folder with the gateway's client.crt, client.key, ca.crt")
    options.add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the block for each plugin and transport; notes go to standard error."""
    path, file, settings = options.load(arguments)
    notes = []
    for transport in settings.transports:
        client_dir = Path(arguments.client_dir or CertFolder(Path(DEFAULT_FOLDER)).gateway.folder).absolute()
        entries = [entry(item, settings, transport, path, client_dir) for item in file.plugins]
        print(yaml.safe_dump({"plugins": entries}, sort_keys=False, allow_unicode=True), end="")
        if transport == "http" and not settings.http.uds and settings.http.host in ("127.0.0.1", "::1"):
            notes.append(LOOPBACK_NOTE)
        if transport in ("grpc", "unix"):
            notes.append(CONTEXT_NOTE)
    for note in dict.fromkeys(notes):
        print(note, file=sys.stderr)
    return 0


def entry(
    plugin: PluginConfig, settings: ServerSettings, transport: str, config: Path, client_dir: Path
) -> dict[str, Any]:
    """Make the entry of one plugin in the gateway's file.

    Args:
        plugin: the plugin's entry in our file.
        settings: where the server listens.
        transport: how the gateway should reach it.
        config: our configuration file.
        client_dir: folder with the gateway's certificate.
    """
    block: dict[str, Any] = {
        "name": plugin.name,
        "kind": "external",
        "hooks": list(plugin.hooks),
        "mode": plugin.reply()["mode"],
        "priority": plugin.priority,
    }
    endpoint = own_endpoint(settings, transport)
    if transport == "http":
        mcp: dict[str, Any] = {"proto": "STREAMABLEHTTP", "url": endpoint}
        if settings.http.uds:
            mcp = {
                "proto": "STREAMABLEHTTP",
                "url": "http://localhost/mcp",
                "uds": str(Path(settings.http.uds).absolute()),
            }
        block["mcp"] = mcp | _tls(settings.http.tls, client_dir)
    elif transport == "stdio":
        command = server_command("--transport", "stdio", "--config", str(config.absolute()))
        block["mcp"] = {"proto": "STDIO", "cmd": command}
    elif transport == "grpc":
        target = {"target": endpoint.partition("://")[2]}
        if not settings.grpc.listen_tcp and settings.grpc.uds:
            target = {"uds": str(Path(settings.grpc.uds).absolute())}
        block["grpc"] = target | _tls(settings.grpc.tls, client_dir)
    else:
        # Below the gateway's own limit for a plugin and above the server's limit for a hook.
        block["unix_socket"] = {"path": str(Path(settings.unix.path).absolute()), "timeout": settings.hook_timeout + 5}
    return block


def _tls(tls: TlsSettings | None, client_dir: Path) -> dict[str, Any]:
    if tls is None:
        return {}
    files: dict[str, Any] = {"verify": True, "ca_bundle": str(client_dir / "ca.crt")}
    if tls.client_auth != "none":
        files |= {"certfile": str(client_dir / "client.crt"), "keyfile": str(client_dir / "client.key")}
    return {"tls": files}
