"""A plugin that Docker's MCP gateway finds running beside it, with a token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.mcp.wire import hook_call, post, request
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, run, serve

from .gateway import CallFailed, Sidecar

TOKEN = "only-the-gateway-knows"
METRIC = {"name": "calls", "value": 1}
REFUSAL = '{"error":"the header X-Plugin-Token is missing or holds another token (PLUGINS_SERVER_TOKEN)"}'


@pytest.fixture(scope="module")
def served(kinds: dict[str, RenderedPlugin]) -> Iterator[Served]:
    """A telemetry plugin that wants a token."""
    with serve(kinds["telemetry"], "http", PLUGINS_SERVER_TOKEN=TOKEN) as served:
        yield served


@pytest.fixture
def url(served: Served) -> str:
    """The base of its addresses."""
    return served.endpoints["http"].removesuffix("/mcp")


@pytest.mark.parametrize("headers", [{"X-Plugin-Token": TOKEN}, {"Authorization": f"Bearer {TOKEN}"}], ids=str)
def test_the_token_opens(url: str, headers: dict[str, str]) -> None:
    plugin = Sidecar(url, headers)
    plugin.wait_for_health()
    assert plugin.call("record-counter", METRIC) == "ok"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Plugin-Token": "guessed"},
        {"X-Plugin-Token": TOKEN[:-1]},
        {"X-Plugin-Token": f"Bearer {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
        {"X-Plugin-Token": "guessed", "Authorization": f"Bearer {TOKEN}"},
        {"X-Plugin-Token": "ключ"},
    ],
    ids=str,
)
def test_without_it_nothing_is_called(url: str, headers: dict[str, str]) -> None:
    headers = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    plugin = Sidecar(url, headers)
    plugin.wait_for_health()
    with pytest.raises(CallFailed) as refused:
        plugin.call("record-counter", METRIC)
    assert refused.value.args == (401, REFUSAL)


def test_mcp_wants_it_too(url: str) -> None:
    answer = post(url, hook_call("echo"))
    assert (answer.status, answer.body.decode()) == (401, REFUSAL)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert post(url, hook_call("echo"), x_plugin_token=TOKEN).status == 200
    assert post(url, hook_call("echo"), authorization=f"bearer {TOKEN}").status == 200


def test_health_is_for_all(url: str) -> None:
    assert request(url, "GET", "/health").status == 200
    assert request(url, "GET", "/ready").status == 200


def test_the_token_is_not_in_the_log(served: Served, url: str) -> None:
    Sidecar(url, {"X-Plugin-Token": TOKEN}).call("record-counter", METRIC)
    assert TOKEN not in "".join(served.log)


@pytest.mark.parametrize("token", ["short", "has spaces in the middle", "not-ascii-at-all-ключ"])
def test_a_weak_token_is_refused_and_not_shown(kinds: dict[str, RenderedPlugin], token: str) -> None:
    done = run(kinds["telemetry"], "serve", "--port", "0", PLUGINS_SERVER_TOKEN=token)
    assert done.returncode == 2
    assert "PLUGINS_SERVER_TOKEN: a token has at least 16 characters of ASCII, and no spaces" in done.stderr
    assert token not in done.stderr


@pytest.mark.parametrize("token", [TOKEN, ""])
def test_the_command_line_shows_the_token(kinds: dict[str, RenderedPlugin], served: Served, token: str) -> None:
    payload = '{"name": "calls", "value": 1}'
    endpoint = served.endpoints["http"]
    done = run(
        kinds["telemetry"], "call", "--endpoint", endpoint, "record_counter", payload, PLUGINS_SERVER_TOKEN=token
    )
    if token:
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("allowed by MyPlugin at record_counter")
    else:
        assert done.returncode == 2
        assert "the header X-Plugin-Token is missing" in done.stderr


def test_the_demo_runs_with_a_token(kinds: dict[str, RenderedPlugin]) -> None:
    done = run(kinds["telemetry"], "demo", "--transport", "http", PLUGINS_SERVER_TOKEN=TOKEN)
    assert done.returncode == 0, done.stdout + done.stderr
