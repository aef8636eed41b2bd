"""The gateway's plugins file for gateways that run the connector."""

from __future__ import annotations

from importlib.util import resolve_name
from pathlib import Path
from typing import Any

from ...errors import StartError
from ...host.config import ConfigFile
from ...plugin_server.endpoints import own_endpoint
from ...plugin_server.settings import ServerSettings
from ...tls.settings import TlsSettings

_ABOVE_HOOK_TIMEOUT = 2.0
# Inside the plugin's package where it holds the runtime, else in the runtime's own.
_CONNECTOR = resolve_name("...connector", __package__)


def connector_document(file: ConfigFile, settings: ServerSettings, transport: str, client_dir: Path) -> dict[str, Any]:
    """Make a plugins file whose entries are connectors.

    Args:
        file: our configuration.
        settings: where the server listens.
        transport: how the connector should reach it.
        client_dir: folder with the gateway's certificate.

    Raises:
        StartError: the connector does not speak that transport.
    """
    if transport == "stdio":
        raise StartError("--connector does not go with stdio; take --transport unix, grpc or http")
    tls = {"http": settings.http.tls, "grpc": settings.grpc.tls}.get(transport)
    config: dict[str, Any] = {
        "endpoint": _absolute(own_endpoint(settings, transport)),
        # The server answers a hook that takes too long by itself; the connector's limit is for a server that cannot.
        "deadline": settings.hook_timeout + _ABOVE_HOOK_TIMEOUT,
        "on_unavailable": "deny",
    }
    if tls is not None:
        config["tls"] = _files(tls, client_dir)
    entries = [
        {
            "name": plugin.name,
            "kind": f"{_CONNECTOR}.RemotePlugin",
            # The gateway takes the hooks of a plugin that runs inside it from here only.
            "hooks": list(plugin.hooks),
            "mode": plugin.reply()["mode"],
            "priority": plugin.priority,
            "config": config,
        }
        for plugin in file.plugins
    ]
    # Gateway 1.0.0 does not start without the block, and by default goes on without a plugin whose settings are wrong.
    return {"plugins": entries, "plugin_settings": {"fail_on_plugin_error": True}}


def _absolute(endpoint: str) -> str:
    scheme, _, path = endpoint.partition("://")
    return f"{scheme}://{Path(path).absolute()}" if scheme.endswith("unix") else endpoint


def _files(tls: TlsSettings, client_dir: Path) -> dict[str, str]:
    files = {"ca_bundle": str(client_dir / "ca.crt")}
    if tls.client_auth != "none":
        files |= {"certfile": str(client_dir / "client.crt"), "keyfile": str(client_dir / "client.key")}
    return files
