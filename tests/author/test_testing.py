"""What the rendered package offers to its author's tests."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.support.rendering import RenderedPlugin
from tests.support.serving import environ

Run = Callable[[str], subprocess.CompletedProcess[str]]

HEAD = """
import time
import pytest
from my_plugin.runtime import Plugin, PluginSettings, ToolPreInvokePayload, ToolPreInvokeResult
from my_plugin.runtime.errors import StartError
from my_plugin.runtime.testing import Certificates, PluginClient, hosted, served

class Probe(Plugin):
    class Config(PluginSettings):
        add: dict = {}

    async def tool_pre_invoke(self, payload, context):
        context.set_state("calls", context.get_state("calls", 0) + 1)
        if payload.name == "crash":
            raise RuntimeError("secret")
        return ToolPreInvokeResult(
            modified_payload=payload.model_copy(update={"args": {**payload.args, **self.settings.add}}),
            metadata={"why": "asked"},
        )

    def tool_post_invoke(self, payload, context):
        time.sleep(payload.result["seconds"])

CALL = {"name": "x", "args": {"n": 2**60}}
"""


def passes(run_tests: Run, text: str, number: int) -> None:
    done = run_tests(HEAD + text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{number} passed" in done.stdout


def test_the_readmes_six_lines(author: RenderedPlugin, run_tests: Run) -> None:
    found = re.search(r"```python\n(.*?)```", (author.root / "README.md").read_text(), re.DOTALL)
    assert found
    assert len([line for line in found[1].splitlines() if line]) <= 6
    done = run_tests(found[1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_a_class_in_this_process(run_tests: Run) -> None:
    text = """
async def test_result() -> None:
    async with hosted(Probe, {"add": {"m": 1}}) as plugin:
        answer = await plugin.call("tool_pre_invoke", CALL)
        assert answer.allowed and answer.violation == {} and answer.error is None
        assert answer.payload["args"] == {"n": 2**60, "m": 1}
        assert answer.metadata == {"why": "asked"}
        again = await plugin.call("tool_pre_invoke", CALL, answer.context)
        assert again.context["state"] == {"calls": 2}

async def test_models_for_data() -> None:
    async with hosted(Probe) as plugin:
        answer = await plugin.call("tool_pre_invoke", ToolPreInvokePayload(name="x", args={"a": 1}))
        assert answer.payload["args"] == {"a": 1}

async def test_errors() -> None:
    async with hosted(Probe, {"add": {"m": float("nan")}}, hook_timeout=0.05) as plugin:
        for payload, code in ((CALL, "UNREPRESENTABLE"), ({"name": "crash"}, "HOOK_FAILED"), ({}, "INVALID_PAYLOAD")):
            answer = await plugin.call("tool_pre_invoke", payload)
            assert answer.error["code"] == code
            assert "secret" not in answer.error["message"]
            with pytest.raises(AssertionError, match=f"the hook failed: {code}: "):
                answer.allowed
        answer = await plugin.call("tool_post_invoke", {"name": "x", "result": {"seconds": 0.2}})
        assert answer.error["code"] == "HOOK_TIMEOUT"

async def test_wrong_settings() -> None:
    with pytest.raises(StartError, match="config.ad: Extra inputs are not permitted"):
        async with hosted(Probe, {"ad": {}}):
            pass

async def test_a_class_that_cannot_be_imported() -> None:
    class Local(Probe):
        pass

    with pytest.raises(StartError, match="define the class at the top of a module"):
        async with hosted(Local):
            pass
"""
    passes(run_tests, text, 5)


def test_a_server_in_this_process(run_tests: Run) -> None:
    text = """
async def test_every_transport() -> None:
    async with served(Probe, {"add": {"m": 1}}, transports=["http", "grpc", "unix"]) as server:
        for transport in server.endpoints:
            client = await server.connect(transport)
            answer = await client.call("tool_pre_invoke", {"name": "x"})
            assert answer.payload["args"] == {"m": 1}, transport
        with pytest.raises(StartError, match="no transport 'stdio' here; this server has http, grpc, "):
            await server.connect("stdio")

async def test_one_after_the_other() -> None:
    for _ in range(3):
        async with served(Probe, transports=["unix"]) as server:
            assert (await (await server.connect("unix")).call("tool_pre_invoke", {"name": "x"})).allowed

@pytest.mark.parametrize("transport", ["http", "grpc"])
async def test_certificates(certificates: Certificates, transport: str) -> None:
    async with served(Probe, transports=[transport], certificates=certificates) as server:
        assert server.endpoints[transport].startswith(f"{transport}s:")
        assert (await (await server.connect(transport)).call("tool_pre_invoke", {"name": "x"})).allowed
        with pytest.raises(OSError):
            stranger = await server.connect(transport, certificates.stranger_tls)
            await stranger.call("tool_pre_invoke", {"name": "x"})

def test_sockets_fit(socket_folder) -> None:
    assert len(str(socket_folder / "socket.sock")) <= 103
"""
    passes(run_tests, text, 5)


def test_a_module_may_name_another_configuration(run_tests: Run) -> None:
    text = """
@pytest.fixture
def plugin_config(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("plugins: [{name: Other, kind: my_plugin.plugin.MyPlugin, config: {redact: [zulu]}}]")
    return path

@pytest.mark.parametrize("fixture", ["plugin", "plugin_server"])
async def test_it(request, plugin: PluginClient, plugin_server, fixture) -> None:
    client = plugin if fixture == "plugin" else await plugin_server.connect("stdio")
    answer = await client.call("tool_pre_invoke", {"name": "x", "args": {"a": "zulu"}})
    assert answer.reply["plugin_name"] == "Other"
    assert answer.payload["args"] == {"a": "***"}
"""
    passes(run_tests, text, 2)


def test_without_dev_tools_the_helpers_still_import(author: RenderedPlugin) -> None:
    words = "import sys, my_plugin.runtime.testing; assert not {'pytest', 'grpc', 'httptools'} & sys.modules.keys()"
    subprocess.run([author.python, "-c", words], env=environ(author), check=True)


def test_only_the_fixtures_know_pytest(author: RenderedPlugin) -> None:
    files = Path(author.root, "src").rglob("*.py")
    assert [path.name for path in files if re.search(r"^\s*(import|from) pytest", path.read_text(), re.M)] == [
        "fixtures.py"
    ]
