"""The three tools that a gateway calls."""

from __future__ import annotations

from typing import Any

from ..mcp.tools import Tool

GET_PLUGIN_CONFIGS = "get_plugin_configs"
GET_PLUGIN_CONFIG = "get_plugin_config"
INVOKE_HOOK = "invoke_hook"


def _tool(name: str, description: str, required: dict[str, Any], optional: dict[str, Any] | None = None) -> Tool:
    schema = {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }
    return Tool(name, schema, description)


def hook_tools(hooks: list[str]) -> list[Tool]:
    """Describe the tools.

    Args:
        hooks: the wire names of all hooks of the contract.
    """
    return [
        _tool(GET_PLUGIN_CONFIGS, "List the plugins of this server with their configuration.", {}),
        _tool(
            GET_PLUGIN_CONFIG,
            "Get the configuration of one plugin; an empty object when the server has no such plugin.",
            {"name": {"type": "string", "description": "The plugin's name; upper and lower case are the same."}},
        ),
        _tool(
            INVOKE_HOOK,
            "Run one hook of a plugin. The answer holds plugin_name, and result or error, and the changed context.",
            {
                "hook_type": {"type": "string", "description": "The hook's name.", "examples": hooks},
                "plugin_name": {"type": "string", "description": "The plugin's name."},
                "payload": {"type": "object", "description": "The hook's payload."},
            },
            {
                "context": {
                    "type": ["object", "null"],
                    "description": "The plugin's context: global_context, state and metadata.",
                }
            },
        ),
    ]
