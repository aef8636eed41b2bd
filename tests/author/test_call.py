"""`call` shows what a plugin changed, or why it blocked."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, command, environ, run, serve

from .terminal import on_a_terminal

MASKED = '{"name": "search", "args": {"n": 1, "query": "call tango now"}}'
CHANGE = """\
modified by WordGuard at tool_pre_invoke
   {
     "name": "search",
     "args": {
       "n": 1,
  -    "query": "call tango now"
  +    "query": "call *** now"
     }
   }
"""


@pytest.fixture(scope="module")
def served(rendered: RenderedPlugin) -> Iterator[Served]:
    with serve(rendered, "http,grpc,unix") as served:
        yield served


def call(plugin: RenderedPlugin, served: Served, hook: str, payload: str, *options: str, scheme: str = "http") -> str:
    done = run(plugin, "call", hook, payload, "--endpoint", served.endpoints[scheme], *options)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("scheme", ["http", "grpc", "grpc+unix", "unix"])
def test_it_shows_the_change(rendered: RenderedPlugin, served: Served, scheme: str) -> None:
    assert call(rendered, served, "tool_pre_invoke", MASKED, scheme=scheme) == CHANGE


def test_far_from_a_change_lines_are_left_out(rendered: RenderedPlugin, served: Served) -> None:
    args = {str(number): number for number in range(20)} | {"0": "tango", "19": "tango"}
    text = call(rendered, served, "tool_pre_invoke", json.dumps({"name": "x", "args": args}))
    assert "\n  ...\n" in text
    assert '"10"' not in text
    assert text.count('"***"') == 2


def test_it_shows_the_violation(rendered: RenderedPlugin, served: Served) -> None:
    text = call(rendered, served, "tool_pre_invoke", '{"name": "x", "args": {"a": "classified"}}')
    assert text.splitlines()[0] == "blocked by WordGuard at tool_pre_invoke"
    assert "  code: FORBIDDEN_WORD" in text
    assert '  details: {"word": "classified"}' in text


def test_it_says_that_nothing_changed(rendered: RenderedPlugin, served: Served) -> None:
    text = call(rendered, served, "tool_pre_invoke", '{"name": "x"}')
    assert text == "allowed by WordGuard at tool_pre_invoke, nothing changed\n"


@pytest.mark.parametrize(
    ("hook", "payload"),
    [
        ("http_pre_request", {"path": "/", "method": "GET", "headers": {"a": "b", "x-note": "tango"}}),
        ("http_post_request", {"path": "/", "method": "GET", "headers": {}, "response_headers": {"x-note": "tango"}}),
    ],
)
def test_headers_are_held_against_the_headers(
    rendered: RenderedPlugin, served: Served, hook: str, payload: dict[str, object]
) -> None:
    lines = call(rendered, served, hook, json.dumps(payload)).splitlines()
    changed = [line for line in lines[1:] if line[2] in "+-"]
    assert changed == ['  -  "x-note": "tango"', '  +  "x-note": "***"']


def test_a_verdict_of_its_own_is_shown_whole(rendered: RenderedPlugin, served: Served) -> None:
    payload = '{"user_email": "ann@example.com", "permission": "classified"}'
    lines = call(rendered, served, "http_auth_check_permission", payload).splitlines()
    assert '  +  "granted": false,' in lines


def test_json_is_the_reply(rendered: RenderedPlugin, served: Served) -> None:
    reply = json.loads(call(rendered, served, "tool_pre_invoke", MASKED, "--json"))
    assert reply["result"]["modified_payload"]["args"] == {"n": 1, "query": "call *** now"}


def test_an_error_reply_is_one_line_and_exit_code_1(rendered: RenderedPlugin, served: Served) -> None:
    done = run(rendered, "call", "tool_pre_invoke", "{}", "--endpoint", served.endpoints["http"])
    assert done.returncode == 1
    assert done.stdout == "error of WordGuard at tool_pre_invoke: INVALID_PAYLOAD: payload.name: Field required\n"


@pytest.mark.parametrize(("variables", "colours"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_for_terminals(
    rendered: RenderedPlugin, served: Served, variables: dict[str, str], colours: bool
) -> None:
    words = command(rendered, "call", "tool_pre_invoke", MASKED, "--endpoint", served.endpoints["http"])
    text = on_a_terminal(words, rendered.root, environ(rendered, **variables))
    assert ('\x1b[31m-    "query": "call tango now"\x1b[0m' in text) == colours
    assert ("\x1b" in text) == colours
    if not colours:
        assert text == CHANGE


def test_it_waits_for_a_server_only_when_told_to(rendered: RenderedPlugin) -> None:
    words = ["call", "tool_pre_invoke", MASKED, "--endpoint", "http://127.0.0.1:1/mcp"]
    assert run(rendered, *words).returncode == 2
    done = run(rendered, *words, "--wait", "0.3")
    assert done.returncode == 2
    assert "cannot reach the server" in done.stderr
