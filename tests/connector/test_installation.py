"""The plugin's wheel goes into a gateway's environment and adds next to nothing; what is missing is said."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.support.environments import environment
from tests.support.pythons import find_python
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, environ, run

from .conftest import NEWEST
from .gateways import Gateway, gateway

# Without their extra grpc.
PLAIN = {
    "1.0.0": ("3.11", ["mcp-contextforge-gateway==1.0.0", "mcp<2"], "mcpgateway.plugins.framework"),
    "1.1.0": ("3.12", ["mcp-contextforge-gateway==1.1.0"], "cpex.framework"),
}


@dataclass(frozen=True)
class Plain:
    """A gateway without extras."""

    framework: str
    python: Path


@pytest.fixture(scope="module")
def wheel(rendered: RenderedPlugin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [str(builder()), "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder), str(rendered.root)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module", params=PLAIN)
def plain(request: pytest.FixtureRequest) -> Iterator[Plain]:
    version, requirements, framework = PLAIN[request.param]
    found = find_python(version)
    if found is None:
        pytest.skip(f"needs Python {version}")
    yield Plain(framework, environment(f"gateway-plain-{request.param}", requirements, str(found)))


def builder() -> Path:
    """A Python with the tools that build and install distributions."""
    return environment("build", ["build", "hatchling>=1.27", "pip"])


@pytest.mark.parametrize(("extra", "added"), [("", set()), ("[connector]", {"protobuf"})])
def test_nothing_is_added_but_protobuf(plain: Plain, wheel: Path, extra: str, added: set[str]) -> None:
    install = ["-m", "pip", "--python", str(plain.python), "install", "--dry-run", f"{wheel}{extra}"]
    done = subprocess.run([str(builder()), *install], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    would = next(line for line in done.stdout.splitlines() if line.startswith("Would install "))
    packages = {name.rpartition("-")[0] for name in would.removeprefix("Would install ").split()}
    assert packages == added | {"word-guard"}


def test_http_needs_no_package_and_the_others_say_which(plain: Plain, rendered: RenderedPlugin, served: Served) -> None:
    with gateway(plain, rendered) as side:
        assert "raised" not in side.open(served.endpoints["http"])
        assert side.search("call tango now")["modified_payload"]["args"] == {"query": "call *** now"}
        for scheme in ("unix", "grpc"):
            assert "raised" not in side.open(served.endpoints[scheme])
            assert side.said("needs protobuf: install word-guard[connector] into the gateway")
            assert side.search("hello")["violation"]["code"] == "PLUGIN_MISCONFIGURED"


def test_outside_a_gateway_it_says_where_it_belongs(rendered: RenderedPlugin) -> None:
    load = [str(rendered.python), "-c", f"import {rendered.package}.runtime.connector"]
    done = subprocess.run(load, env=environ(rendered), capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert "neither cpex.framework nor mcpgateway.plugins.framework is installed here" in last
    assert "install this package into the gateway's environment" in last


WRONG = pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "config.endpoint: Field required"),
        ({"endpoint": "tcp://x:1"}, "starts with none of"),
        ({"endpoint": "unix:///a", "deadlin": 3}, "config.deadlin: Extra inputs are not permitted"),
        ({"endpoint": "unix:///a", "tls": {"ca_bundle": "ca.crt"}}, "tls is set, but unix carries none"),
        ({"endpoint": "grpcs://x:1"}, "grpcs needs tls with a ca_bundle"),
        ({"endpoint": "unix:///a", "on_unavailable": "maybe"}, "config.on_unavailable"),
    ],
)


@WRONG
def test_with_wrong_settings_no_call_passes(newest: Gateway, config: dict[str, object], said: str) -> None:
    answer = newest.ask("open", name="WordGuard", hooks=["tool_pre_invoke"], config=config)
    assert "raised" not in answer
    blocked = newest.search("hello")
    assert (blocked["continue_processing"], blocked["violation"]["code"]) == (False, "PLUGIN_MISCONFIGURED")
    # At the start, and with the first call that is blocked.
    lines = [line for line in newest.ask("said") if said in line]
    assert any("ERROR" in line and "its calls are blocked" in line for line in lines), lines
    assert any("was not asked about tool_pre_invoke (PLUGIN_MISCONFIGURED" in line for line in lines), lines


def test_a_plugin_may_be_let_out_even_with_wrong_settings(newest: Gateway) -> None:
    config = {"endpiont": "unix:///a", "on_unavailable": "allow"}
    newest.ask("open", name="WordGuard", hooks=["tool_pre_invoke"], config=config)
    passed = newest.search("hello")
    assert passed["continue_processing"] is True
    assert passed["metadata"] == {"WordGuard.unavailable": "PLUGIN_MISCONFIGURED"}


@WRONG
def test_wrong_settings_stop_a_gateway_that_stops_on_plugin_errors(
    stopping: Gateway, config: dict[str, object], said: str
) -> None:
    answer = stopping.ask("open", name="WordGuard", hooks=["tool_pre_invoke"], config=config)
    assert answer["raised"] == "StartError"
    assert answer["text"].startswith("plugin WordGuard in the gateway's plugins file: ")
    assert said in answer["text"]


def test_gateway_config_prints_the_entries(rendered: RenderedPlugin) -> None:
    done = run(rendered, "gateway-config", "--connector", "--transport", "unix,grpc,http", "--socket", "/run/p.sock")
    assert f"kind: {rendered.package}.runtime.connector.RemotePlugin" in done.stdout
    for endpoint in ("unix:///run/p.sock", "grpc://127.0.0.1:50051", "http://127.0.0.1:8000/mcp"):
        assert f"endpoint: {endpoint}" in done.stdout
    assert "with the extra connector" in done.stderr
    refused = run(rendered, "gateway-config", "--connector", "--transport", "stdio")
    assert (refused.returncode, "--connector does not go with stdio" in refused.stderr) == (2, True)


MANAGER = """
import asyncio, json, sys
from cpex.framework import GlobalContext, PluginManager, ToolHookType, ToolPreInvokePayload


async def main():
    manager = PluginManager(sys.argv[1])
    await manager.initialize()
    payload = ToolPreInvokePayload(name="search", args={"q": "classified"})
    result, _ = await manager.invoke_hook(ToolHookType.TOOL_PRE_INVOKE, payload, GlobalContext(request_id="1"))
    print(json.dumps([result.continue_processing, result.violation and result.violation.code]))


asyncio.run(main())
"""


@pytest.mark.parametrize(
    "config",
    [
        {"endpiont": "unix:///run/my-plugin.sock", "required_at_start": True},
        {"endpoint": "grpc://127.0.0.1:1", "tls": {"ca_bundle": "/nowhere/ca.crt"}},
        {"endpoint": "unix:///nowhere/p.sock", "required_at_start": True},
    ],
    ids=["misspelt setting", "missing ca_bundle", "server down"],
)
def test_the_gateways_own_manager_blocks(rendered: RenderedPlugin, tmp_path: Path, config: dict[str, object]) -> None:
    kind = f"{rendered.package}.runtime.connector.RemotePlugin"
    entry = {"name": "P", "kind": kind, "hooks": ["tool_pre_invoke"], "mode": "sequential", "priority": 1}
    file = {"plugins": [entry | {"config": config}], "plugin_settings": {"fail_on_plugin_error": True}}
    (tmp_path / "plugins.yaml").write_text(yaml.safe_dump(file))
    done = subprocess.run(
        [str(NEWEST.python), "-c", MANAGER, "plugins.yaml"],
        cwd=tmp_path, env=environ(rendered), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    passes, code = json.loads(done.stdout.splitlines()[-1])
    assert passes is False
    assert code in ("PLUGIN_MISCONFIGURED", "PLUGIN_UNREACHABLE")
