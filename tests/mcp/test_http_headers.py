"""HTTP around the messages: methods, media types, versions, and who may ask."""

from __future__ import annotations

import pytest

from generator import __version__

from .test_http_messages import STATELESS
from .wire import hook_call, post, request, rpc


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_other_methods(endpoint: str, method: str) -> None:
    answer = request(endpoint, method, "/mcp", headers={"accept": "text/event-stream"})
    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert answer.json == {"error": "this server has no sessions and no streams: use POST"}


def test_health_and_readiness(endpoint: str) -> None:
    assert request(endpoint, "GET", "/health").json == {"status": "alive", "runtime": __version__}
    assert request(endpoint, "GET", "/ready").json == {"status": "ready"}
    assert (request(endpoint, "HEAD", "/health").status, request(endpoint, "HEAD", "/health").body) == (200, b"")
    answer = request(endpoint, "POST", "/health")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_other_paths(endpoint: str) -> None:
    answer = request(endpoint, "GET", "/mcp/more")
    assert (answer.status, answer.json) == (404, {"error": "not found: MCP is at /mcp"})


@pytest.mark.parametrize(
    "content_type",
    [None, "text/plain", "application/json; charset=latin-1", "application/jsonx", "x; application/json"],
)
def test_wrong_content_types(endpoint: str, content_type: str | None) -> None:
    answer = post(endpoint, rpc("ping"), content_type=content_type)
    assert (answer.status, answer.json) == (415, {"error": "Content-Type must be application/json, in UTF-8"})


@pytest.mark.parametrize("content_type", ["application/json;charset=UTF-8", 'Application/JSON; charset="utf-8"'])
def test_right_content_types(endpoint: str, content_type: str) -> None:
    assert post(endpoint, rpc("ping"), content_type=content_type).status == 200


def test_a_compressed_body(endpoint: str) -> None:
    answer = post(endpoint, rpc("ping"), content_encoding="gzip")
    assert (answer.status, answer.json["error"]) == (
        415,
        "Content-Encoding is not supported: send the body uncompressed",
    )


@pytest.mark.parametrize("accept", ["text/event-stream", "text/html, application/json;q=0"])
def test_an_accept_without_json(endpoint: str, accept: str) -> None:
    answer = post(endpoint, rpc("ping"), accept=accept)
    assert (answer.status, answer.json) == (406, {"error": "Accept must include application/json"})


@pytest.mark.parametrize("accept", [None, "*/*", "application/*", "text/html;q=0.5, Application/JSON;q=0.1"])
def test_an_accept_with_json(endpoint: str, accept: str | None) -> None:
    assert post(endpoint, rpc("ping"), accept=accept).status == 200


def test_an_unknown_version(endpoint: str) -> None:
    answer = post(endpoint, rpc("ping"), mcp_protocol_version="2099-01-01")
    assert (answer.status, answer.error) == (400, (-32022, "unsupported protocol version '2099-01-01'"))
    assert answer.json["error"]["data"]["requested"] == "2099-01-01"
    assert "2025-11-25" in answer.json["error"]["data"]["supported"]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "[::2]", "::"])
def test_a_host_that_is_not_this_machine(endpoint: str, host: str) -> None:
    answer = post(endpoint, rpc("ping"), host=host)
    assert (answer.status, answer.json["error"]) == (
        421,
        "Host is not this machine; the server is for this machine only (PLUGINS_SERVER_HOST)",
    )


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8000", "[::1]:9", "plugin.localhost"])
def test_a_host_that_is_this_machine(endpoint: str, host: str) -> None:
    assert post(endpoint, rpc("ping"), host=host).status == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "file://localhost", "https://localhost.evil.example"]
)
def test_an_origin_elsewhere(endpoint: str, origin: str) -> None:
    answer = post(endpoint, rpc("ping"), origin=origin)
    assert (answer.status, answer.json["error"]) == (
        403,
        "Origin is not allowed: web pages of other servers must not call plugins",
    )


def test_an_origin_on_this_machine(endpoint: str) -> None:
    assert post(endpoint, rpc("ping"), origin="http://localhost:5173").status == 200


def test_routing_headers_must_say_what_the_body_says(endpoint: str) -> None:
    message = hook_call("echo")
    message["params"]["_meta"] = STATELESS
    version = "2026-07-28"
    good = post(endpoint, message, mcp_protocol_version=version, mcp_method="tools/call", mcp_name="invoke_hook")
    assert good.json["result"]["resultType"] == "complete"
    encoded = "=?base64?aW52b2tlX2hvb2s=?="
    assert post(endpoint, message, mcp_protocol_version=version, mcp_method="tools/call", mcp_name=encoded).json[
        "result"
    ]
    answer = post(endpoint, message, mcp_protocol_version=version, mcp_method="tools/list")
    assert (answer.status, answer.error) == (400, (-32020, "header Mcp-Method differs from the member method"))
    for name in ("other", "=?base64?!?=", None):
        answer = post(endpoint, message, mcp_protocol_version=version, mcp_method="tools/call", mcp_name=name)
        assert (answer.status, answer.error) == (400, (-32020, "header Mcp-Name differs from params.name"))


def test_the_version_in_the_body_must_be_that_of_the_header(endpoint: str) -> None:
    answer = post(endpoint, rpc("tools/list", {"_meta": STATELESS}))
    assert answer.status == 400
    assert answer.error == (-32020, "params._meta says version '2026-07-28', the request came as '2025-03-26'")


def test_without_a_session_each_request_names_its_version(endpoint: str) -> None:
    answer = post(endpoint, rpc("tools/list"), mcp_protocol_version="2026-07-28", mcp_method="tools/list")
    assert answer.status == 400
    assert answer.error == (-32602, "params._meta lacks io.modelcontextprotocol/protocolVersion")
