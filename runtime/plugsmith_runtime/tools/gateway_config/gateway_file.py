"""The gateway's plugins file: the entries that let it call this server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...errors import StartError
from ...host.config import ConfigFile, PluginConfig
from ...plugin_server.endpoints import own_endpoint, server_command
from ...plugin_server.settings import ServerSettings, package_folder
from ...tls.settings import TlsSettings

SHIM = "plain_context.py"
START_NOTE = (
    "Start the gateway with PLUGINS_FAIL_ON_PLUGIN_ERROR=true: otherwise it goes on without a plugin that is down at\n"
    "its start, or for longer than 30 s, and calls pass unchecked (1.0.0 asks fail_on_plugin_error in this file)."
)


def document(
    file: ConfigFile, settings: ServerSettings, transport: str, config: Path, client_dir: Path, shim_dir: str | None
) -> dict[str, Any]:
    """Make a plugins file that the gateway takes as it is.

    Args:
        file: our configuration.
        settings: where the server listens.
        transport: how the gateway should reach it.
        config: our configuration file.
        client_dir: folder with the gateway's certificate.
        shim_dir: folder with the gateway plugin that makes the context plain; None where the transport needs none.
    """
    content: dict[str, Any] = {
        "plugins": [_entry(plugin, settings, transport, config, client_dir) for plugin in file.plugins]
    }
    if shim_dir is not None:
        content["plugin_dirs"] = [shim_dir]
        content["plugins"].append(_shim_entry(file.plugins))
    # Gateway 1.0.0 does not start without this block, and by default goes on without a plugin that it cannot reach.
    content["plugin_settings"] = {"fail_on_plugin_error": True} if _enforced(file.plugins) else {}
    return content


def start_note(file: ConfigFile) -> str | None:
    """What to say of gateways that cannot reach the plugin; None when no call depends on it."""
    return START_NOTE if _enforced(file.plugins) else None


def needs_shim(transport: str) -> bool:
    """Whether the gateway's own client fails there on the objects that the gateway puts into the context."""
    return transport in ("grpc", "unix")


def find_shim_dir(config: Path, package: str) -> Path:
    """The folder with the gateway plugin: in the repository, or inside the installed package.

    Args:
        config: our configuration file; in a repository, the folder lies beside its own.
        package: the plugin's package.

    Raises:
        StartError: it is in neither.
    """
    places = [config.absolute().parent.parent / "gateway", package_folder(package) / "resources" / "gateway"]
    for place in places:
        if (place / SHIM).exists():
            return place
    raise StartError(f"{places[0] / SHIM} does not exist; say where it lies by --shim-dir, or take http or stdio")


def _enforced(plugins: list[PluginConfig]) -> bool:
    return any(plugin.reply()["mode"] == "enforce" for plugin in plugins)


def _shim_entry(plugins: list[PluginConfig]) -> dict[str, Any]:
    return {
        "name": "PlainContext",
        "kind": "plain_context.PlainContext",
        "hooks": list(dict.fromkeys(hook for plugin in plugins for hook in plugin.hooks)),
        "mode": "enforce",
        # Just before ours: gateway plugins that run earlier still meet the objects.
        "priority": min((plugin.priority for plugin in plugins), default=1) - 1,
    }


def _entry(
    plugin: PluginConfig, settings: ServerSettings, transport: str, config: Path, client_dir: Path
) -> dict[str, Any]:
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
        command = server_command(settings.package, "--transport", "stdio", "--config", str(config.absolute()))
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
