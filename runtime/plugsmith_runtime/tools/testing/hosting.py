"""A plugin in this process, without a transport: calls go through all that the server does with them but the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from ...exact_json import dumps, loads
from ...host.host import Host
from ...host.messages import HookCall, HookReply, OverloadedError
from ...host.respond import respond
from .client import PluginClient
from .entries import Source, config_file


@asynccontextmanager
async def hosted(
    source: Source, config: Mapping[str, Any] | None = None, *, hook_timeout: float = 25.0
) -> AsyncIterator[PluginClient]:
    """Host a plugin for the length of an `async with` block.

    Args:
        source: the plugin's class, or a configuration file, whose first plugin is called.
        config: the settings of the class, as `config:` holds them in the configuration file.
        hook_timeout: seconds that a hook may take.

    Raises:
        StartError: the plugin cannot be loaded or initialized.
    """
    file = config_file(source, config)
    host = Host(file.plugins, hook_timeout, development=True)
    await host.start()
    try:
        yield PluginClient(HostClient(host), file.plugins[0].name)
    finally:
        await host.stop()


class HostClient:
    """A client of a host in the same process; payloads and answers pass as JSON, as they do over HTTP."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def usable(self) -> bool:
        """Whether calls can be made: always."""
        return True

    async def invoke(self, hook: str, plugin: str, payload: Any, context: dict[str, Any] | None) -> dict[str, Any]:
        """Run a hook and return plugin_name, result or error, and context when it carries anything."""
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
        return self._host.plugin_configs()

    async def plugin_config(self, name: str) -> dict[str, Any] | None:
        """Return the entry of one plugin, None when the host has no such plugin."""
        return self._host.plugin_config(name)

    async def close(self) -> None:
        """Nothing to close."""


def _encode(reply: HookReply) -> bytes:
    parts = {"plugin_name": reply.plugin, "result": reply.result, "error": reply.error, "context": reply.context}
    return dumps({name: part for name, part in parts.items() if part is not None})
