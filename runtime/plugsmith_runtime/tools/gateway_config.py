"""`gateway-config`: print the gateway's plugins file, with the entries that let it call this server."""

from __future__ import annotations

import argparse
import sys
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

import yaml

from ..codec.plugin_config import gateway_config, gateway_mode
from ..errors import StartError
from ..host.config import ConfigFile, PluginConfig
from ..plugin_server import options
from ..plugin_server.endpoints import own_endpoint, server_command
from ..plugin_server.settings import ServerSettings, package_folder
from ..tls.layout import DEFAULT_FOLDER, CertificateLayout
from ..tls.settings import TlsSettings

SHIM = "plain_context.py"
START_NOTE = (
    "Start the gateway with PLUGINS_FAIL_ON_PLUGIN_ERROR=true: otherwise it goes on without a plugin that is down at\n"
    "its start, or for longer than 30 s, and calls pass unchecked (1.0.0 asks fail_on_plugin_error in this file)."
)
LOOPBACK_NOTE = (
    "The gateway refuses plugin addresses on loopback unless it runs with PLUGINS_SSRF_PROTECTION_ENABLED=false."
)
SHIM_NOTE = (
    "PlainContext runs inside the gateway: over gRPC and the Unix socket, the clients of gateways 1.0.0 to 1.1.0 fail\n"
    "on the context of tool hooks. Start the gateway with PYTHONPATH={folder},\n"
    "where plain_context.py lies: plugin_dirs counts only below its working folder and /var/lib/cpex/plugins, and not\n"
    "for gateway 1.0.0."
)
_SECONDS_ABOVE_HOOK_TIMEOUT = 2.0
# Inside the plugin's package where it holds the runtime, else in the runtime's own.
_CONNECTOR = resolve_name("..connector", __package__)
_CONNECTOR_PACKAGE = "plugsmith-runtime" if _CONNECTOR.startswith("plugsmith_runtime.") else "this package"
CONNECTOR_NOTE = f"The connector runs inside the gateway: install {_CONNECTOR_PACKAGE} with the extra connector there."


def add_parser(commands: Any) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("gateway-config", help="print the gateway's plugins file", description=__doc__)
    parser.add_argument("--client-dir", metavar="DIR", help="folder with the gateway's client.crt, client.key, ca.crt")
    parser.add_argument("--connector", action="store_true", help="entries for the connector, which runs in the gateway")
    parser.add_argument("--shim-dir", metavar="DIR", help="folder where the gateway finds plain_context.py")
    options.add_server_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a file that serves all plugins, one for each transport; notes go to standard error."""
    path, file, settings = options.load(arguments)
    client_dir = Path(arguments.client_dir or CertificateLayout(Path(DEFAULT_FOLDER)).gateway.folder).absolute()
    documents = []
    notes = []
    for transport in settings.transports:
        if arguments.connector:
            notes.append(CONNECTOR_NOTE)
            documents.append(connector_document(file, settings, transport, client_dir))
            continue
        shim_dir = None
        if needs_shim(transport):
            shim_dir = arguments.shim_dir or str(find_shim_dir(path, settings.package))
            notes.append(SHIM_NOTE.format(folder=shim_dir))
        documents.append(gateway_document(file, settings, transport, path, client_dir, shim_dir))
        if transport == "http" and not settings.http.uds and settings.http.host in ("127.0.0.1", "::1"):
            notes.append(LOOPBACK_NOTE)
    if note := start_note(file):
        notes.append(note)
    for number, (transport, content) in enumerate(zip(settings.transports, documents, strict=True)):
        if len(documents) > 1:
            # A gateway takes one of them.
            print(f"{'---' if number else ''}\n# over {transport}".lstrip())
        print(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), end="")
    for note in dict.fromkeys(notes):
        print(note, file=sys.stderr)
    return 0


def gateway_document(
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
    return any(gateway_mode(plugin) == "enforce" for plugin in plugins)


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
    block = _common_entry(plugin, "external")
    endpoint = own_endpoint(settings, transport)
    if transport == "http":
        mcp: dict[str, Any] = {"proto": "STREAMABLEHTTP", "url": endpoint}
        if settings.http.uds:
            mcp = {
                "proto": "STREAMABLEHTTP",
                "url": "http://localhost/mcp",
                "uds": str(Path(settings.http.uds).absolute()),
            }
        block["mcp"] = mcp | _gateway_tls(settings.http.tls, client_dir)
    elif transport == "stdio":
        command = server_command(settings.package, "--transport", "stdio", "--config", str(config.absolute()))
        block["mcp"] = {"proto": "STDIO", "cmd": command}
    elif transport == "grpc":
        target = {"target": endpoint.partition("://")[2]}
        if not settings.grpc.listen_tcp and settings.grpc.uds:
            target = {"uds": str(Path(settings.grpc.uds).absolute())}
        block["grpc"] = target | _gateway_tls(settings.grpc.tls, client_dir)
    else:
        # Below the gateway's own limit for a plugin and above the server's limit for a hook.
        block["unix_socket"] = {"path": str(Path(settings.unix.path).absolute()), "timeout": settings.hook_timeout + 5}
    return block


def _common_entry(plugin: PluginConfig, kind: str) -> dict[str, Any]:
    """What an entry says however the gateway reaches the plugin: the gateway takes hooks and conditions from here."""
    entry: dict[str, Any] = {
        "name": plugin.name,
        "kind": kind,
        "hooks": list(plugin.hooks),
        "mode": gateway_mode(plugin),
        "priority": plugin.priority,
    }
    known = gateway_config(plugin)
    return entry | {name: known[name] for name in ("tags", "conditions") if known.get(name)}


def _gateway_tls(tls: TlsSettings | None, client_dir: Path) -> dict[str, Any]:
    if tls is None:
        return {}
    files: dict[str, Any] = {"verify": True, "ca_bundle": str(client_dir / "ca.crt")}
    if tls.client_auth != "none":
        files |= {"certfile": str(client_dir / "client.crt"), "keyfile": str(client_dir / "client.key")}
    return {"tls": files}


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
        "deadline": settings.hook_timeout + _SECONDS_ABOVE_HOOK_TIMEOUT,
        "on_unavailable": "deny",
    }
    if tls is not None:
        config["tls"] = _connector_tls(tls, client_dir)
    entries = [_common_entry(plugin, f"{_CONNECTOR}.RemotePlugin") | {"config": config} for plugin in file.plugins]
    # Gateway 1.0.0 does not start without the block, and by default goes on without a plugin whose settings are wrong.
    return {"plugins": entries, "plugin_settings": {"fail_on_plugin_error": True}}


def _absolute(endpoint: str) -> str:
    scheme, _, path = endpoint.partition("://")
    return f"{scheme}://{Path(path).absolute()}" if scheme.endswith("unix") else endpoint


def _connector_tls(tls: TlsSettings, client_dir: Path) -> dict[str, str]:
    files = {"ca_bundle": str(client_dir / "ca.crt")}
    if tls.client_auth != "none":
        files |= {"certfile": str(client_dir / "client.crt"), "keyfile": str(client_dir / "client.key")}
    return files
