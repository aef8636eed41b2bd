"""The mapping of every hook in both generations of the framework, with the objects that gateways really use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.releases import GATEWAY_RELEASES
from tests.support.rendering import ALL_HOOKS, RenderedPlugin
from tests.support.serving import serve

from .gateways import Gateway, gateway
from .mirror import NAME, write_mirror

FRAMEWORKS = {"1.0.0": "mcpgateway.plugins.framework", "1.1.0": "cpex.framework"}


@dataclass(frozen=True)
class Installed:
    """A gateway's framework and the Python that has it."""

    framework: str
    python: Path


@pytest.fixture(scope="module")
def endpoints(rendered: RenderedPlugin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    config = write_mirror(tmp_path_factory.mktemp("mirror"), rendered)
    with serve(rendered, "http,grpc,unix", "--config", str(config)) as served:
        yield served.endpoints


@pytest.fixture(scope="module", params=GATEWAY_RELEASES, ids=lambda release: release.version)
def installed(request: pytest.FixtureRequest) -> Installed:
    if not request.param.python_there:
        pytest.skip(f"needs Python {request.param.python_version}")
    return Installed(FRAMEWORKS[request.param.version], request.param.python)


@pytest.fixture(scope="module", params=["unix", "grpc", "http"])
def told(
    request: pytest.FixtureRequest, installed: Installed, endpoints: dict[str, str], rendered: RenderedPlugin
) -> dict[str, Any]:
    """What each hook gave, by which transport and framework."""
    with gateway(installed, rendered) as side:
        endpoint = endpoints[request.param]
        seen: dict[str, Any] = side.ask(
            "probe", module="tests.connector.gateway_objects", endpoint=endpoint, plugin=NAME
        )
    return seen | {"transport": request.param, "framework": installed.framework}


def seen_context(told: dict[str, Any], hook: str) -> dict[str, Any]:
    shared: dict[str, Any] = told[hook]["seen"]["context"]["global_context"]
    return shared


@pytest.mark.parametrize("hook", ALL_HOOKS)
def test_the_context_arrives_as_plain_data(told: dict[str, Any], hook: str) -> None:
    shared = seen_context(told, hook)
    assert (shared["request_id"], shared["user"]) == ("r-1", "a@example.com")
    assert (shared["tenant_id"], shared["server_id"]) == ("t", "s")
    assert shared["metadata"]["tool"]["description"] == "A tool."
    assert shared["metadata"]["tool"]["url"] == "http://127.0.0.1:1/"
    assert shared["metadata"]["tool"]["created_at"].startswith("2026-01-02")
    assert shared["metadata"]["gateway"]["slug"] == "g"
    assert sorted(shared["metadata"]["tags"]) == ["a", "b"]
    assert "never" not in shared["metadata"]
    assert shared["state"]["other"]["text"] == "of another plugin"
    # gRPC's messages have no place for them, and 1.0.0 itself hands them to no plugin.
    if told["transport"] != "grpc" and told["framework"] != "mcpgateway.plugins.framework":
        assert shared["user_context"]["groups"] == ["g"]
        assert shared["user_context"]["authenticated_at"].startswith("2026-01-02")
        assert shared["content_type"] == "application/json"


@pytest.mark.parametrize("hook", ALL_HOOKS)
def test_only_changes_are_written_into_the_gateways_context(told: dict[str, Any], hook: str) -> None:
    assert told[hook]["same_tool"] is True
    assert told[hook]["kept"] == "TextContent"
    assert told[hook]["shared"] == hook
    assert told[hook]["own"] == {"calls": 1}


def test_tool_payloads(told: dict[str, Any]) -> None:
    before, after = told["tool_pre_invoke"], told["tool_post_invoke"]
    assert before["seen"]["payload"]["headers"] == {"authorization": "tango"}
    assert before["payload"]["args"] == {"text": "call *** now"}
    assert before["types"][""] == "ToolPreInvokePayload"
    assert before["types"]["headers"][""] == "HttpHeaderPayload"
    content = {"type": "text", "text": "***", "_meta": {"n": 2**53}}
    assert after["payload"]["result"] == {"content": [content], "isError": False}
    assert after["types"][""] == "ToolPostInvokePayload"


def test_prompt_payloads_keep_the_gateways_types(told: dict[str, Any]) -> None:
    assert told["prompt_pre_fetch"]["payload"]["args"] == {"who": "***"}
    after = told["prompt_post_fetch"]
    assert after["types"]["result"][""] == "PromptResult"
    assert after["types"]["result"]["messages"] == ["Message"]
    message = after["payload"]["result"]["messages"][0]
    assert message["content"]["text"] == "call *** now"
    assert after["payload"]["result"]["description"] == "a ***"


def test_resource_payloads_keep_the_gateways_types(told: dict[str, Any]) -> None:
    assert told["resource_pre_fetch"]["payload"] == {"uri": "file:///***", "metadata": {"type": "***"}}
    after = told["resource_post_fetch"]
    assert after["seen"]["payload"]["content"]["blob"] == "AP+A"
    assert after["types"]["content"][""] == "ResourceContent"
    assert after["payload"]["content"]["text"] == "***"
    assert after["payload"]["content"]["blob"] == repr(b"\x00\xff\x80")


def test_agent_payloads_keep_the_gateways_types(told: dict[str, Any]) -> None:
    for hook in ("agent_pre_invoke", "agent_post_invoke"):
        assert told[hook]["types"]["messages"] == ["Message"]
        assert told[hook]["payload"]["messages"][0]["content"]["text"] == "call *** now"
    assert told["agent_pre_invoke"]["payload"]["headers"] == {"authorization": "***"}


def test_http_hooks_answer_with_other_shapes(told: dict[str, Any]) -> None:
    for hook in ("http_pre_request", "http_post_request"):
        assert told[hook]["seen"]["payload"]["headers"] == {"authorization": "tango"}
        assert told[hook]["payload"] == {"x-mirror": "***"}
        assert told[hook]["types"][""] == "HttpHeaderPayload"
    assert told["http_post_request"]["seen"]["payload"]["status_code"] == 200
    assert told["http_auth_resolve_user"]["payload"] == {"email": "mirror@example.com"}
    permission = told["http_auth_check_permission"]
    assert permission["payload"] == {"granted": True, "reason": "***"}
    assert permission["types"][""] == "HttpAuthCheckPermissionResultPayload"


@pytest.mark.parametrize("scheme", ["unix", "grpc", "http"])
def test_the_gateways_trace_goes_on_in_the_plugin(newest: Gateway, endpoints: dict[str, str], scheme: str) -> None:
    newest.open(endpoints[scheme], NAME)
    payload = {"name": "t", "args": {}}
    for do, parent in (("call", None), ("traced", f"00-{0xA1:032x}-{0xB2:016x}-01")):
        answer = newest.ask(do, name=NAME, hook="tool_pre_invoke", payload=payload)
        assert answer["metadata"]["context"]["global_context"]["metadata"].get("traceparent") == parent
