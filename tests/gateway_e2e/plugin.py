"""The rendered plugin: installed as its author would, served, killed and restarted."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from tests.support.processes import children
from tests.support.rendering import RenderedPlugin, rendered_plugin
from tests.support.serving import Served, environ, run, serve
from tests.support.waiting import wait_until
from tests.tls.tools import tls_environ

from .matrix import Variant

NAME = "Word Guard"
CRASH = "make it crash"
PROCESS_LIMIT = 30.0


def make_plugin(folder: Path) -> RenderedPlugin:
    """Render a plugin, install it into an environment of its own and make its certificates.

    Args:
        folder: where to put the repository and the environment.
    """
    plugin = installed(rendered_plugin(folder / "plugin", "grpc", "certs", plugin_name=NAME), folder / "venv")
    # What its author might write: the starter has no way to fail.
    source = plugin.root / "src" / plugin.package / "plugin.py"
    before, method, after = source.read_text().partition("    def find_violation(self, value: Any)")
    first, line, rest = after.partition("\n")
    crash = f"        if {CRASH!r} in list(strings(value)):\n            raise RuntimeError('it crashed')\n"
    assert method and line
    source.write_text(before + method + first + line + crash + rest)
    done = run(plugin, "certs", "all")
    assert done.returncode == 0, done.stderr
    return plugin


def installed(plugin: RenderedPlugin, home: Path) -> RenderedPlugin:
    """Give a plugin a Python that imports it without PYTHONPATH, as after `pip install --editable`.

    Args:
        plugin: the plugin; its dependencies are taken from its environment.
        home: the folder of the new environment.
    """
    subprocess.run([str(plugin.python), "-m", "venv", "--without-pip", str(home)], check=True)
    (site,) = home.glob("lib/python*/site-packages")
    (dependencies,) = plugin.python.parent.parent.glob("lib/python*/site-packages")
    (site / "plugin.pth").write_text(f"{plugin.root / 'src'}\n{dependencies}\n")
    return replace(plugin, python=home / "bin" / "python")


class PluginServer:
    """The plugin's server, at an address that it keeps; over stdio, the gateway's child.

    Args:
        plugin: the plugin.
        variant: how the gateway calls it.
        folder: where to put sockets.
    """

    def __init__(self, plugin: RenderedPlugin, variant: Variant, folder: Path) -> None:
        self.served: list[Served] = []
        self._plugin = plugin
        self._variant = variant
        self._options = variant.options(folder)
        slug = plugin.package.replace("_", "-")
        certs = plugin.root / "certs" / "mcp"
        self._environ = tls_environ(certs, f"plugins/{slug}/server") if variant.tls else {}
        self._stack = ExitStack()

    def gateway_config(self) -> str:
        """The gateway's plugins file, as `gateway-config` prints it."""
        arguments = ["gateway-config", *self._options, *self._variant.arguments]
        done = subprocess.run(
            [str(self._plugin.python), "-m", self._plugin.package, *arguments],
            cwd=self._plugin.root, env=environ(self._plugin, **self._environ),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self) -> None:
        """Start the server; over stdio, the gateway does."""
        if self._variant.transport != "stdio":
            transport = self._variant.transport.partition("+")[0]
            served = serve(self._plugin, transport, *self._options, **self._environ)
            self.served.append(self._stack.enter_context(served))

    def kill(self, gateway: int) -> None:
        """Kill the server with SIGKILL, and wait until it is gone.

        Args:
            gateway: the gateway's process.
        """
        if self._variant.transport == "stdio":
            (process,) = self._children(gateway)
            os.kill(process, signal.SIGKILL)
            wait_until(lambda: not self._children(gateway), PROCESS_LIMIT, lambda: "the killed plugin still runs")
        else:
            process = self.served[-1].process.pid
            os.kill(process, signal.SIGKILL)
            self.served[-1].process.wait(PROCESS_LIMIT)

    def stop(self) -> None:
        """Stop the server, if it runs."""
        self._stack.close()

    def _children(self, gateway: int) -> list[int]:
        mine = f"\0-m\0{self._plugin.package}\0serve\0".encode()
        return [child for child in children(gateway) if mine in _command(child)]


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""
