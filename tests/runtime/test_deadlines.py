"""The time limit of a hook: what the caller gets, and that nobody else notices."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from tests.support.rendering import RenderedPlugin
from tests.support.serving import serve

PLUGIN = """
import asyncio, time
from {package}.runtime import Plugin, ToolPostInvokeResult, ToolPreInvokeResult

class Slow(Plugin):
    async def tool_pre_invoke(self, payload, context):
        match payload.name:
            case "sleep":
                await asyncio.sleep(payload.args["seconds"])
            case "swallow":
                try:
                    await asyncio.sleep(30)
                except asyncio.CancelledError:
                    pass
            case "convert":
                try:
                    await asyncio.sleep(30)
                except asyncio.CancelledError:
                    raise ValueError("converted")
            case "own":
                raise TimeoutError("the plugin's own")
            case "inner":
                async with asyncio.timeout(0.01):
                    await asyncio.sleep(30)
        return ToolPreInvokeResult()

    def tool_post_invoke(self, payload, context):
        time.sleep(payload.result)
        return ToolPostInvokeResult()
"""


@pytest.fixture(scope="module")
def address(rendered: RenderedPlugin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("slow")
    (folder / "slow_plugin.py").write_text(PLUGIN.format(package=rendered.package))
    plugins = [
        {"name": "Slow", "kind": "slow_plugin.Slow", "timeout": 0.5},
        {"name": "Patient", "kind": "slow_plugin.Slow"},
    ]
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump({"plugins": plugins, "plugin_dirs": ["."]}))
    with serve(rendered, "http", "--config", str(config)) as served:
        yield urlsplit(served.endpoints["http"]).netloc


def code(address: str, plugin: str, hook: str, payload: dict[str, object]) -> str | None:
    """Call a hook; returns the error's code, None for a result."""
    arguments = {"hook_type": hook, "plugin_name": plugin, "payload": payload, "context": None}
    params = {"name": "invoke_hook", "arguments": arguments}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        connection.request("POST", "/mcp", body, headers)
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    reply = json.loads(answer["result"]["content"][0]["text"])
    found: str | None = reply["error"]["code"] if "error" in reply else None
    return found


@pytest.mark.parametrize("name", ["sleep", "swallow", "convert"])
def test_an_overrun_is_a_timeout_whatever_the_hook_makes_of_it(address: str, name: str) -> None:
    assert code(address, "Slow", "tool_pre_invoke", {"name": name, "args": {"seconds": 30}}) == "HOOK_TIMEOUT"


def test_a_plain_method_that_blocks_its_thread_is_a_timeout(address: str) -> None:
    assert code(address, "Slow", "tool_post_invoke", {"name": "x", "result": 2}) == "HOOK_TIMEOUT"


@pytest.mark.parametrize("name", ["own", "inner"])
def test_a_timeout_of_the_plugin_itself_is_a_failure(address: str, name: str) -> None:
    assert code(address, "Slow", "tool_pre_invoke", {"name": name}) == "HOOK_FAILED"


def test_the_limit_is_that_of_the_plugin(address: str) -> None:
    assert code(address, "Patient", "tool_pre_invoke", {"name": "sleep", "args": {"seconds": 0.7}}) is None


def test_each_call_has_its_own_end(address: str) -> None:
    seconds = [0.0, 30.0, 0.1, 30.0, 0.0, 0.2]
    with ThreadPoolExecutor(len(seconds)) as pool:
        payloads = [{"name": "sleep", "args": {"seconds": number}} for number in seconds]
        codes = list(pool.map(lambda payload: code(address, "Slow", "tool_pre_invoke", payload), payloads))
    assert codes == [None, "HOOK_TIMEOUT", None, "HOOK_TIMEOUT", None, None]
