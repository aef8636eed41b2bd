"""The registry: every hook, and for each what gateways know about it."""

from __future__ import annotations

import pickle
from types import ModuleType

import pytest

WRITABLE = {
    "tool_pre_invoke": {"name", "args", "headers"},
    "tool_post_invoke": {"result"},
    "prompt_pre_fetch": {"args"},
    "prompt_post_fetch": {"result"},
    "resource_pre_fetch": {"uri", "metadata"},
    "resource_post_fetch": {"content"},
    "agent_pre_invoke": {"agent_id", "messages", "tools", "headers", "model", "system_prompt", "parameters"},
    "agent_post_invoke": {"messages", "tool_calls"},
    "http_pre_request": set[str](),
    "http_post_request": set[str](),
    "http_auth_resolve_user": set[str](),
    "http_auth_check_permission": set[str](),
}


def test_the_hooks_that_gateways_fire(hooks: ModuleType) -> None:
    assert {name: set(spec.writable) for name, spec in hooks.HOOKS.items()} == WRITABLE
    assert list(hooks.HOOKS) == list(WRITABLE)


def test_every_hook_has_a_method_and_a_name(hooks: ModuleType) -> None:
    enums = (hooks.ToolHookType, hooks.PromptHookType, hooks.ResourceHookType, hooks.AgentHookType, hooks.HttpHookType)
    assert [kind.value for enum in enums for kind in enum] == list(hooks.HOOKS)
    for name, spec in hooks.HOOKS.items():
        method = getattr(hooks.HookMethods, name)
        assert spec.name == name
        assert method.__annotations__["payload"] is spec.payload
        assert method.__doc__
        with pytest.raises(NotImplementedError):
            method(hooks.HookMethods(), None, None)


def test_every_result_has_a_name(hooks: ModuleType) -> None:
    for spec in hooks.HOOKS.values():
        assert getattr(hooks, spec.result_name) is spec.result
        assert issubclass(spec.result, hooks.PluginResult)
        assert pickle.loads(pickle.dumps(spec.result(retry_delay_ms=5))) == spec.result(retry_delay_ms=5)
    with pytest.raises(AttributeError, match="has no attribute 'ToolPreInvokeAnswer'"):
        hooks.ToolPreInvokeAnswer  # noqa: B018


def test_everything_public_is_exported(hooks: ModuleType) -> None:
    defined = {
        name
        for name, value in vars(hooks).items()
        if name.isidentifier() and not name.startswith("_") and getattr(value, "__module__", None) == hooks.__name__
    }
    results = {spec.result_name for spec in hooks.HOOKS.values()}
    assert set(hooks.__all__) == (defined - {"PayloadT"}) | {"HOOKS"} | results
    assert hooks.ToolHookType.TOOL_PRE_INVOKE == "tool_pre_invoke"
