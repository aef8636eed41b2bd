"""Calls every hook by the gateway's plugin manager, with the objects that the gateway's services put into it.

Runs in a gateway's environment. Tells for each hook what the plugin saw, and what the manager gave back.
"""

import importlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

BLOB = b"\x00\xff\x80"


def payloads(models: Any, root: Any) -> dict[str, Any]:
    """A payload for each hook, as the gateway's services make them."""
    headers = root.HttpHeaderPayload(root={"authorization": "tango"})
    content = models.TextContent(type="text", text="call tango now")
    said = models.Message(role=models.Role.USER, content=content)
    prompt = models.PromptResult(messages=[said], description="a tango")
    resource = models.ResourceContent(type="resource", id="r-1", uri="file:///tango", text="tango", blob=BLOB)
    answer = {"content": [{"type": "text", "text": "tango", "_meta": {"n": 2**53}}], "isError": False}
    request = {"path": "/tango", "method": "GET", "client_host": "127.0.0.1", "client_port": 1, "headers": headers}
    person = {"user_email": "a@example.com", "permission": "tools.read"}
    return {
        "tool_pre_invoke": root.ToolPreInvokePayload(name="t", args={"text": "call tango now"}, headers=headers),
        "tool_post_invoke": root.ToolPostInvokePayload(name="t", result=answer),
        "prompt_pre_fetch": root.PromptPrehookPayload(prompt_id="p", args={"who": "tango"}),
        "prompt_post_fetch": root.PromptPosthookPayload(prompt_id="p", result=prompt),
        "resource_pre_fetch": root.ResourcePreFetchPayload(uri="file:///tango", metadata={"type": "tango"}),
        "resource_post_fetch": root.ResourcePostFetchPayload(uri="file:///a", content=resource),
        "agent_pre_invoke": root.AgentPreInvokePayload(agent_id="a", messages=[said], headers=headers),
        "agent_post_invoke": root.AgentPostInvokePayload(agent_id="a", messages=[said]),
        "http_pre_request": root.HttpPreRequestPayload(**request),
        "http_post_request": root.HttpPostRequestPayload(**request, response_headers=headers, status_code=200),
        "http_auth_resolve_user": root.HttpAuthResolveUserPayload(credentials={"scheme": "tango"}, headers=headers),
        "http_auth_check_permission": root.HttpAuthCheckPermissionPayload(**person),
    }


def context(models: Any, root: Any) -> Any:
    """What the gateway's tool service puts into the context."""
    made = root.GlobalContext(request_id="r-1", user="a@example.com", tenant_id="t", server_id="s")
    made.user_context = root.UserContext(
        user_id="a@example.com", groups=["g"], authenticated_at=datetime(2026, 1, 2, tzinfo=UTC)
    )
    made.content_type = "application/json"
    url = "http://127.0.0.1:1/"
    made.metadata["tool"] = models.Tool(name="t", url=url, description="A tool.", created_at=datetime(2026, 1, 2))
    gateway: dict[str, Any] = {"id": "1", "capabilities": {}, "last_seen": None, "slug": "g", "transport": "SSE"}
    more = {"passthrough_headers": None, "auth_type": None, "auth_value": None}
    made.metadata["gateway"] = models.Gateway.model_construct(name="g", url=url, **gateway, **more)
    made.metadata["tags"] = {"a", "b"}
    made.metadata["never"] = object()
    made.state["other"] = models.TextContent(type="text", text="of another plugin")
    return made


def manager(side: Any, endpoint: str, plugin: str) -> Any:
    """The gateway's plugin manager, with the gateway's policies."""
    hooks = list(payloads(importlib.import_module("mcpgateway.common.models"), side.framework.root))
    kind = f"{side.package}.runtime.connector.RemotePlugin"
    entry = {"name": plugin, "kind": kind, "hooks": hooks, "config": {"endpoint": endpoint}}
    # The old word, which all releases know.
    file = Path("plugins.yaml")
    file.write_text(yaml.safe_dump({"plugins": [entry | {"mode": "enforce"}], "plugin_settings": {}}))
    policies = importlib.import_module("mcpgateway.plugins.policy").HOOK_PAYLOAD_POLICIES
    return side.framework.root.PluginManager(str(file), hook_policies=policies)


async def run(side: Any, endpoint: str, plugin: str) -> dict[str, Any]:
    """Call all hooks; see the module."""
    models, root = importlib.import_module("mcpgateway.common.models"), side.framework.root
    running = manager(side, endpoint, plugin)
    await running.initialize()
    told = {}
    for hook, payload in payloads(models, root).items():
        shared = context(models, root)
        tool = shared.metadata["tool"]
        result, table = await running.invoke_hook(hook, payload, shared)
        (own,) = table.values()
        told[hook] = {
            "seen": result.metadata,
            "payload": _plain(result.modified_payload),
            "types": _types(result.modified_payload),
            "same_tool": shared.metadata["tool"] is tool,
            "kept": type(shared.state["other"]).__name__,
            "shared": shared.state["mirror"],
            "own": own.state,
        }
    await running.shutdown()
    return told


def _plain(value: Any) -> Any:
    dump: Callable[..., Any] | None = getattr(value, "model_dump", None)
    data = dump() if dump else value
    return _no_bytes(data)


def _no_bytes(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _no_bytes(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_no_bytes(part) for part in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)


def _types(value: Any) -> Any:
    """The types of a payload and of what its fields hold."""
    if not hasattr(value, "model_fields"):
        return [type(part).__name__ for part in value] if isinstance(value, list) else type(value).__name__
    return {"": type(value).__name__} | {name: _types(part) for name, part in value.__dict__.items()}
