"""For each hook a payload as a gateway sends it, and a payload that a plugin puts in its place.

They hold what the wire must carry: unicode, empty maps and lists, nested nulls, 2^53, floats, keys with dots.
"""

from __future__ import annotations

from typing import Any

VALUE: dict[str, Any] = {
    "text": "grüße, 世界 \U0001f44b",
    "big": 2**53,
    "ratio": 0.1,
    "none": None,
    "a.b": [{}, [], [None, {"deep": [True, -1]}]],
}
CONTENT: dict[str, Any] = {"content": [{"type": "text", "text": "call tango"}], "isError": False}
MASKED: dict[str, Any] = {"content": [{"type": "text", "text": "call ***"}], "isError": False, "more": VALUE}
PROMPT: dict[str, Any] = {"messages": [{"role": "user", "content": {"type": "text", "text": "tango"}}]}
MASKED_PROMPT: dict[str, Any] = {"messages": [{"role": "user", "content": {"type": "text", "text": "世界"}}]}
SAID: list[dict[str, Any]] = [{"role": "user", "content": "tango"}]
MASKED_SAID: list[dict[str, Any]] = [{"role": "user", "content": "***"}, {"role": "system", "content": "世界"}]
REQUEST: dict[str, Any] = {
    "path": "/rpc",
    "method": "POST",
    "client_host": "192.0.2.1",
    "client_port": 40000,
    "headers": {"authorization": "Bearer x", "x-empty": ""},
}
HEADERS: dict[str, Any] = {"x-added": "grüße", "authorization": "Bearer y"}

PAYLOADS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "tool_pre_invoke": (
        {"name": "search", "args": VALUE, "headers": {"x-a": "1"}},
        {"name": "other", "args": {"changed": VALUE}, "headers": {"x-a": "2", "x-b": ""}},
    ),
    "tool_post_invoke": ({"name": "search", "result": CONTENT}, {"name": "search", "result": MASKED}),
    "prompt_pre_fetch": (
        {"prompt_id": "p1", "args": {"word": "tango"}},
        {"prompt_id": "p1", "args": {"word": "***", "a.b": "世界"}},
    ),
    "prompt_post_fetch": ({"prompt_id": "p1", "result": PROMPT}, {"prompt_id": "p1", "result": MASKED_PROMPT}),
    "resource_pre_fetch": (
        {"uri": "file:///a", "metadata": VALUE},
        {"uri": "file:///b", "metadata": {"changed": VALUE}},
    ),
    "resource_post_fetch": ({"uri": "file:///a", "content": CONTENT}, {"uri": "file:///a", "content": MASKED}),
    "agent_pre_invoke": (
        {"agent_id": "a1", "messages": SAID, "tools": ["search"], "parameters": {"temperature": 0.5}},
        {
            "agent_id": "a2",
            "messages": MASKED_SAID,
            "tools": [],
            "headers": {"x-a": "1"},
            "model": "m",
            "system_prompt": "short",
            "parameters": {"temperature": 0.25, "top": None},
        },
    ),
    "agent_post_invoke": (
        {"agent_id": "a1", "messages": SAID},
        {"agent_id": "a1", "messages": MASKED_SAID, "tool_calls": [{"name": "search", "args": VALUE}]},
    ),
    "http_pre_request": (REQUEST, HEADERS),
    "http_post_request": (REQUEST | {"response_headers": {"x-old": "1"}, "status_code": 200}, HEADERS),
    "http_auth_resolve_user": (
        {"credentials": {"scheme": "Bearer", "credentials": "x"}, "headers": {"x-key": "k"}, "client_port": 40000},
        {"email": "a@example.com", "is_admin": False, "teams": [], "more": VALUE},
    ),
    "http_auth_check_permission": (
        {"user_email": "a@example.com", "permission": "tools.read", "resource_type": "tool", "is_admin": False},
        {"granted": True, "reason": "世界"},
    ),
}
