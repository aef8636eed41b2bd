"""Host of a plugin in this process: calls take the same way as on a server, without a transport."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ..codec.plugin_config import gateway_config
from ..errors import StartError
from ..exact_json import dumps, loads
from ..host.config import ConfigFile, PluginConfig, load_config_file
from ..host.host import Host
from ..host.loader import add_plugin_dirs, implemented_by
from ..host.messages import HookCall, HookReply, OverloadedError
from ..host.plugin import Plugin
from ..host.respond import respond
from .client import PluginClient

Source = type[Plugin] | Path
"""What a test serves: a plugin's class, or the path of a configuration file."""


def load_config(source: Source, config: Mapping[str, Any] | None) -> ConfigFile:
    """Load the configuration of a server for tests.

    Args:
        source: a plugin's class, or a configuration file.
        config: the settings of the class; None with a file, which holds its own.

    Raises:
        StartError: the file or the class cannot be used.
    """
    if isinstance(source, Path):
        if config is not None:
            raise StartError(f"{source}: the settings stand in the file; give config only together with a class")
        file = load_config_file(source)
        add_plugin_dirs(file.plugin_dirs, source.parent)
        return file
    if "<locals>" in source.__qualname__:
        raise StartError(f"{source.__qualname__}: define the class at the top of a module, where it can be imported")
    kind = f"{source.__module__}.{source.__qualname__}"
    entry = PluginConfig(name=source.__name__, kind=kind, hooks=implemented_by(source), config=dict(config or {}))
    return ConfigFile(plugins=[entry])


def package_of(file: ConfigFile) -> str:
    """The package that holds the first plugin of a configuration file."""
    return file.plugins[0].kind.partition(".")[0]


@asynccontextmanager
async def hosted(
    source: Source, config: Mapping[str, Any] | None = None, *, hook_timeout: float = 25.0
) -> AsyncIterator[PluginClient]:
    """Host a plugin for the length of an `async with` block.

    Args:
        source: the plugin's class, or a configuration file, whose first plugin gets the calls.
        config: the settings of the class, as under `config:` in a configuration file.
        hook_timeout: seconds that a hook may take.

    Raises:
        StartError: the plugin cannot be loaded or initialized.
    """
    file = load_config(source, config)
    host = Host(file.plugins, hook_timeout, development=True)
    await host.start()
    try:
        yield PluginClient(HostClient(host), file.plugins[0].name)
    finally:
        await host.stop()


class HostClient:
    """Client of a host in the same process; payloads and replies pass through JSON, as they do over HTTP."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def usable(self) -> bool:
        """Whether calls can be made, which is always so."""
        return True

    async def invoke(self, hook: str, plugin: str, payload: Any, context: dict[str, Any] | None) -> dict[str, Any]:
        """Call a hook and return the reply: plugin_name, result or error, and context unless it is empty."""
        sent = loads(dumps({"payload": payload, "context": context}))
        call = HookCall(hook, plugin, sent["payload"], sent["context"], "test")
        try:
            _, text = await respond(self._host, call, _encode)
        except OverloadedError as error:
            text = _encode(error.reply)
        reply: dict[str, Any] = loads(text)
        return reply

    async def plugin_configs(self) -> list[dict[str, Any]]:
        """Return the entries of all plugins."""
        return [gateway_config(entry) for entry in self._host.plugin_entries()]

    async def plugin_config(self, name: str) -> dict[str, Any] | None:
        """Return the entry of one plugin, or None when the host has no such plugin."""
        entry = self._host.plugin_entry(name)
        return None if entry is None else gateway_config(entry)

    async def close(self) -> None:
        """Do nothing: there is no connection."""


def _encode(reply: HookReply) -> bytes:
    parts = {"plugin_name": reply.plugin, "result": reply.result, "error": reply.error, "context": reply.context}
    return dumps({name: part for name, part in parts.items() if part is not None})
