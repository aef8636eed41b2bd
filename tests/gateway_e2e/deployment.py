"""Everything that a step of the scenario needs: gateway, plugin, and the service behind the tool."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.gateway.releases import GatewayRelease
from tests.support.rendering import RenderedPlugin

from .backend import Backend, echo_server
from .gateway import Gateway, gateway, tail
from .matrix import Variant
from .plugin import PluginServer


@dataclass(frozen=True)
class Deployment:
    """A gateway with one plugin and one tool.

    Attributes:
        release: which gateway.
        variant: how it calls the plugin.
        gateway: the gateway.
        plugin: the plugin's server.
        backend: what the tool calls.
    """

    release: GatewayRelease
    variant: Variant
    gateway: Gateway
    plugin: PluginServer
    backend: Backend

    def logs(self) -> str:
        """The ends of the logs of gateway and plugin."""
        said = [f"--- plugin\n{''.join(served.log[-20:])}" for served in self.plugin.served]
        return "\n".join([f"--- gateway\n{tail(self.gateway.log)}", *said])


@contextmanager
def deploy(
    release: GatewayRelease, variant: Variant, plugin: RenderedPlugin, plugin_up: bool = True
) -> Iterator[Deployment]:
    """Start the deployment; everything is ended and removed at the end.

    The gateway's plugins file is what `gateway-config` prints, unless the variant has an `edit`.

    Args:
        release: which gateway.
        variant: how it calls the plugin.
        plugin: what `make_plugin` made.
        plugin_up: whether the plugin's server is started before the gateway.

    Raises:
        GatewayStopped: the gateway did not start.
    """
    with tempfile.TemporaryDirectory(prefix="ps-") as name, ExitStack() as stack:
        folder = Path(name)
        server = PluginServer(plugin, variant, folder)
        stack.callback(server.stop)
        text = server.gateway_config()
        plugins_file = folder / "plugins.yaml"
        plugins_file.write_text(variant.edit(text, plugin.root) if variant.edit else text)
        backend = stack.enter_context(echo_server())
        if plugin_up:
            server.start()
        paths = [*variant.python_path, *(() if release.reads_plugin_dirs else variant.plugin_dirs)]
        # The repository lies below the working folder, as `plugin_dirs` wants it.
        cwd = plugin.root.parent
        running = stack.enter_context(gateway(release, plugins_file, folder, cwd, *(plugin.root / at for at in paths)))
        running.register(backend.url)
        yield Deployment(release, variant, running, server, backend)
