"""JSON-RPC over HTTP: what is answered, with which code and status."""

from __future__ import annotations

from typing import Any

import pytest

from .wire import hook_call, hook_reply, post, rpc

STATELESS = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


def initialize(version: str) -> dict[str, Any]:
    info = {"name": "test", "version": "1"}
    return rpc("initialize", {"protocolVersion": version, "capabilities": {}, "clientInfo": info})


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_initialize_agrees_on_the_clients_version(endpoint: str, version: str) -> None:
    answer = post(endpoint, initialize(version))
    assert answer.status == 200
    result = answer.json["result"]
    assert result["protocolVersion"] == version
    assert result["capabilities"] == {"tools": {"listChanged": False}}
    assert result["serverInfo"] == {"name": "word_guard", "version": "1.2.3"}
    assert "mcp-session-id" not in answer.headers


def test_initialize_offers_the_newest_version_for_an_unknown_one(endpoint: str) -> None:
    assert post(endpoint, initialize("1999-01-01")).json["result"]["protocolVersion"] == "2025-11-25"


def test_initialize_without_a_version(endpoint: str) -> None:
    answer = post(endpoint, rpc("initialize", {}))
    assert answer.error == (-32602, "params.protocolVersion must be a string")


def test_the_tools(endpoint: str) -> None:
    tools = post(endpoint, rpc("tools/list")).json["result"]["tools"]
    assert [tool["name"] for tool in tools] == ["get_plugin_configs", "get_plugin_config", "invoke_hook"]
    schema = tools[2]["inputSchema"]
    assert schema["required"] == ["hook_type", "plugin_name", "payload"]
    assert set(schema["properties"]) == {"hook_type", "plugin_name", "payload", "context"}


def test_a_plugins_configuration(endpoint: str) -> None:
    call = rpc("tools/call", {"name": "get_plugin_config", "arguments": {"name": "probe"}})
    assert hook_reply(post(endpoint, call).json)["name"] == "Probe"
    call = rpc("tools/call", {"name": "get_plugin_config", "arguments": {"name": "nobody"}})
    assert hook_reply(post(endpoint, call).json) == {}
    call = rpc("tools/call", {"name": "get_plugin_configs"})
    assert [config["name"] for config in hook_reply(post(endpoint, call).json)] == ["Probe"]


def test_an_error_reply_is_marked(endpoint: str) -> None:
    answer = post(endpoint, hook_call("echo", plugin="Nobody"))
    assert answer.status == 200
    assert answer.json["result"]["isError"] is True
    assert hook_reply(answer.json)["error"]["code"] == "UNKNOWN_PLUGIN"


def test_ping(endpoint: str) -> None:
    assert post(endpoint, rpc("ping", request_id="seven")).json == {"jsonrpc": "2.0", "id": "seven", "result": {}}


def test_one_id_may_come_again(endpoint: str) -> None:
    assert [post(endpoint, rpc("ping", request_id=7)).json["id"] for _ in range(2)] == [7, 7]


BAD: list[tuple[Any, int, int, str]] = [
    (b"", 400, -32700, "the message is not valid JSON: Input is a zero-length, empty document at character 0"),
    (b'{"jsonrpc":', 400, -32700, "the message is not valid JSON: "),
    (b'{"a":"\\ud800"}', 400, -32700, "the message is not valid JSON: "),
    (b'{"a":"\xed\xa0\x80"}', 400, -32700, "the message is not valid JSON: str is not valid UTF-8"),
    (b'{"a":NaN}', 400, -32700, "the message is not valid JSON: "),
    (b'{"a":' + b"9" * 5000 + b"}", 400, -32700, "the message is not valid JSON: "),
    (b"[" * 5000, 400, -32700, "the message is not valid JSON: depth limit exceeded"),
    (b"42", 400, -32600, "a message must be a JSON object"),
    ({"id": 1, "method": "ping"}, 400, -32600, 'the member "jsonrpc" must be "2.0"'),
    ({"jsonrpc": "2.0", "id": 1}, 400, -32600, 'the member "method" is missing'),
    ({"jsonrpc": "2.0", "id": 1, "method": 5}, 400, -32600, 'the member "method" must be a string'),
    ({"jsonrpc": "2.0", "id": None, "method": "ping"}, 400, -32600, 'the member "id" must be a string or an integer'),
    ({"jsonrpc": "2.0", "id": 1.5, "method": "ping"}, 400, -32600, 'the member "id" must be a string or an integer'),
    ({"jsonrpc": "2.0", "id": True, "method": "ping"}, 400, -32600, 'the member "id" must be a string or an integer'),
    (rpc("ping", [1]), 200, -32602, 'the member "params" must be an object'),
    (rpc("ping", {"_meta": 1}), 200, -32602, "params._meta must be an object"),
    (rpc("prompts/list"), 200, -32601, "unknown method 'prompts/list'"),
    (rpc("tools/list", {"cursor": "x"}), 200, -32602, "params.cursor: there is only one page"),
    (rpc("tools/call", {}), 200, -32602, "params.name must be a string"),
    (rpc("tools/call", {"name": "x"}), 200, -32602, "unknown tool 'x'"),
    (rpc("tools/call", {"name": "x", "arguments": 1}), 200, -32602, "params.arguments must be an object"),
    (rpc("tools/call", {"name": "invoke_hook"}), 200, -32602, "params.arguments.hook_type must be a string"),
    (
        rpc("tools/call", {"name": "invoke_hook", "arguments": {"hook_type": "x", "plugin_name": 1}}),
        200,
        -32602,
        "params.arguments.plugin_name must be a string",
    ),
    (rpc("tools/call", {"name": "get_plugin_config"}), 200, -32602, "params.arguments.name must be a string"),
]


@pytest.mark.parametrize(("message", "status", "code", "text"), BAD, ids=[str(case[0])[:40] for case in BAD])
def test_bad_messages(endpoint: str, message: Any, status: int, code: int, text: str) -> None:
    answer = post(endpoint, message)
    assert (answer.status, answer.error[0]) == (status, code)
    assert answer.error[1].startswith(text)


def test_notifications_and_answers_get_no_body(endpoint: str) -> None:
    for message in (
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "method": "notifications/no-such"},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        [{"jsonrpc": "2.0", "method": "notifications/initialized"}],
    ):
        answer = post(endpoint, message)
        assert (answer.status, answer.body) == (202, b"")


@pytest.mark.parametrize("headers", [{}, {"mcp_protocol_version": "2025-03-26"}])
def test_a_batch(endpoint: str, headers: dict[str, str]) -> None:
    batch = [rpc("ping", request_id=1), {"jsonrpc": "2.0", "method": "x"}, 5, [], initialize("2025-03-26"), rpc("no")]
    answers = post(endpoint, batch, **headers).json
    assert answers[0] == {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert [item["error"]["code"] for item in answers[1:]] == [-32600, -32600, -32600, -32601]
    assert answers[3]["error"]["message"] == "initialize must not be part of a batch"


@pytest.mark.parametrize("size", [0, 101])
def test_a_batch_of_a_wrong_size(endpoint: str, size: int) -> None:
    answer = post(endpoint, [rpc("ping")] * size)
    assert (answer.status, answer.error) == (400, (-32600, "a batch must hold 1 to 100 messages"))


@pytest.mark.parametrize("version", ["2024-11-05", "2025-06-18", "2025-11-25", "2026-07-28"])
def test_versions_without_batches(endpoint: str, version: str) -> None:
    answer = post(endpoint, [rpc("ping")], mcp_protocol_version=version)
    assert (answer.status, answer.error) == (400, (-32600, f"MCP {version} has no batches: send one message at a time"))


def test_discovery_without_a_session(endpoint: str) -> None:
    message = rpc("server/discover", {"_meta": STATELESS})
    answer = post(endpoint, message, mcp_protocol_version="2026-07-28", mcp_method="server/discover")
    result = answer.json["result"]
    assert "2026-07-28" in result["supportedVersions"]
    assert result["resultType"] == "complete"
    assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "word_guard"


def test_without_a_session_the_status_says_what_the_error_says(endpoint: str) -> None:
    for method, status, code in (("ping", 404, -32601), ("initialize", 404, -32601), ("tools/call", 400, -32602)):
        answer = post(endpoint, rpc(method, {"_meta": STATELESS}), mcp_protocol_version="2026-07-28", mcp_method=method)
        assert (answer.status, answer.error[0]) == (status, code)
