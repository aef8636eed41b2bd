"""What the MCP clients of a plugin server share: the calls of its three tools."""

from __future__ import annotations

from typing import Any

from .._version import __version__
from ..codec.mcp_tools import GET_PLUGIN_CONFIG, GET_PLUGIN_CONFIGS, INVOKE_HOOK
from ..exact_json import loads
from ..mcp.client import Client
from ..mcp.client_transport import ClientTransport, McpError
from ..mcp.jsonrpc import OVERLOADED


class McpPluginClient:
    """Calls the three tools of a plugin server.

    Args:
        transport: carries the messages.
        timeout: seconds that a call may take.
    """

    def __init__(self, transport: ClientTransport, timeout: float) -> None:
        self._client = Client(transport, {"name": "plugsmith-runtime", "version": __version__}, timeout)

    async def open(self) -> None:
        """Open the session; when that fails, close the connection.

        Raises:
            McpError: it is no MCP server.
            OSError: the server cannot be reached, or does not answer in time.
        """
        try:
            await self._client.initialize()
        except BaseException:
            await self._client.close()
            raise

    @property
    def usable(self) -> bool:
        """Whether a call may be made, as far as is known without asking the server."""
        return self._client.usable

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()

    async def invoke(self, hook: str, plugin: str, payload: Any, context: dict[str, Any] | None) -> dict[str, Any]:
        """Run a hook and return plugin_name, result or error, and context when it carries anything."""
        arguments = {"hook_type": hook, "plugin_name": plugin, "payload": payload, "context": context}
        try:
            reply: dict[str, Any] = await self._call(INVOKE_HOOK, arguments)
        except McpError as error:
            if error.code == OVERLOADED and isinstance(told := error.error.get("data"), dict):
                return {"plugin_name": plugin, "error": told}
            raise
        return reply

    async def plugin_configs(self) -> list[dict[str, Any]]:
        """Return the entries of all plugins."""
        configs = await self._call(GET_PLUGIN_CONFIGS, {})
        return configs if isinstance(configs, list) else [configs]

    async def plugin_config(self, name: str) -> dict[str, Any] | None:
        """Return the entry of one plugin, None when the server has no such plugin."""
        return await self._call(GET_PLUGIN_CONFIG, {"name": name}) or None

    async def _call(self, tool: str, arguments: dict[str, Any]) -> Any:
        result = await self._client.call_tool(tool, arguments)
        texts = [block["text"] for block in result.content if block.get("type") == "text"]
        if not texts:
            raise McpError(f"{tool}: the answer holds no text")
        try:
            values = [loads(text.encode()) for text in texts]
        except ValueError:
            raise McpError(f"{tool}: {texts[0]}") from None
        # Servers on the SDK write a list as one text for each item.
        return values if len(values) > 1 else values[0]
