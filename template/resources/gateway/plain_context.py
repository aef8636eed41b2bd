"""A gateway plugin that makes the context plain, for external plugins over gRPC and the Unix socket.

Gateways 1.0.0 to 1.1.0 put objects (the tool, its gateway, the agent) into the context's metadata, and their own gRPC
and Unix clients cannot write them: each such call ends in a "Plugin Error". This plugin runs inside the gateway, just
before the external one, and puts plain data in their place. `gateway-config` prints its entry where it is needed.
Managed by plugsmith.
"""

from __future__ import annotations

from typing import Any

from pydantic_core import to_jsonable_python

try:
    from cpex.framework import Plugin, PluginResult
except ModuleNotFoundError:  # gateway 1.0.0 has the framework within itself
    from mcpgateway.plugins.framework import Plugin, PluginResult


class PlainContext(Plugin):
    """Replaces what the context's metadata holds by data that JSON can carry; payloads pass as they are.

    Gateway plugins with a later place in the chain get that data too: `metadata["tool"]["name"]` instead of
    `metadata["tool"].name`.
    """

    async def make_plain(self, payload: Any, context: Any) -> Any:
        """Answer any hook: let it go on, with a plain context for the plugins that follow."""
        metadata = context.global_context.metadata
        # What this hook's own copy of the metadata is given, the gateway takes over for the next plugin.
        for name, value in list(metadata.items()):
            metadata[name] = to_jsonable_python(value, by_alias=False, serialize_unknown=True)
        return PluginResult()

    # A gateway looks for a method by the hook's name.
    tool_pre_invoke = tool_post_invoke = make_plain
    prompt_pre_fetch = prompt_post_fetch = make_plain
    resource_pre_fetch = resource_post_fetch = make_plain
    agent_pre_invoke = agent_post_invoke = make_plain
    http_pre_request = http_post_request = make_plain
    http_auth_resolve_user = http_auth_check_permission = make_plain
