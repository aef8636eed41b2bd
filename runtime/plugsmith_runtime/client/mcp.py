"""What the MCP clients share: the messages of the three tools, over whatever carries them."""

from __future__ import annotations

import itertools
from typing import Any

from .._version import __version__
from ..errors import PlugsmithError
from ..exact_json import loads
from ..mcp.jsonrpc import OVERLOADED
from ..mcp.versions import HANDSHAKE_VERSIONS


class McpError(PlugsmithError, ConnectionError):
    """The server answered with a protocol error, or with something that is no MCP.

    Args:
        text: what the server said.
        error: the protocol error's code and data, when it was one.
    """

    def __init__(self, text: str, error: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.error = error or {}


class McpClient:
    """Calls the three tools of a plugin server; a subclass carries the messages."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self.protocol_version = HANDSHAKE_VERSIONS[-1]

    async def exchange(self, message: dict[str, Any]) -> Any:
        """Send a message, and return the decoded answer to it; None for a notification."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close the connection."""
        raise NotImplementedError

    async def handshake(self) -> None:
        """Open the session: agree on a version.

        Raises:
            McpError: the server refuses, or it is no MCP server.
        """
        info = {"name": "plugsmith-runtime", "version": __version__}
        params = {"protocolVersion": self.protocol_version, "capabilities": {}, "clientInfo": info}
        result = await self.request("initialize", params)
        self.protocol_version = str(result.get("protocolVersion"))
        await self.exchange({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Make a request and return its result.

        Raises:
            McpError: the server answers with an error.
        """
        answer = await self.exchange({"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params})
        if isinstance(answer, dict) and isinstance(answer.get("result"), dict):
            result: dict[str, Any] = answer["result"]
            return result
        error = answer.get("error") if isinstance(answer, dict) else None
        text = error.get("message") if isinstance(error, dict) else error
        raise McpError(f"{method}: {text or 'the answer is no MCP'}", error if isinstance(error, dict) else None)

    async def _tool(self, name: str, arguments: dict[str, Any]) -> Any:
        result = await self.request("tools/call", {"name": name, "arguments": arguments})
        texts = [item["text"] for item in result.get("content", []) if item.get("type") == "text"]
        if not texts:
            raise McpError(f"{name}: the answer holds no text")
        try:
            values = [loads(text.encode()) for text in texts]
        except ValueError:
            raise McpError(f"{name}: {texts[0]}") from None
        # Servers on the SDK write a list as one text for each item.
        return values if len(values) > 1 else values[0]

    async def invoke(self, hook: str, plugin: str, payload: Any, context: dict[str, Any] | None) -> dict[str, Any]:
        """Run a hook and return plugin_name, result or error, and context when it carries anything."""
        arguments = {"hook_type": hook, "plugin_name": plugin, "payload": payload, "context": context}
        try:
            reply: dict[str, Any] = await self._tool("invoke_hook", arguments)
        except McpError as error:
            if error.error.get("code") == OVERLOADED and isinstance(told := error.error.get("data"), dict):
                return {"plugin_name": plugin, "error": told}
            raise
        return reply

    async def plugin_configs(self) -> list[dict[str, Any]]:
        """Return the entries of all plugins."""
        configs = await self._tool("get_plugin_configs", {})
        return configs if isinstance(configs, list) else [configs]

    async def plugin_config(self, name: str) -> dict[str, Any] | None:
        """Return the entry of one plugin, None when the server has no such plugin."""
        return await self._tool("get_plugin_config", {"name": name}) or None
