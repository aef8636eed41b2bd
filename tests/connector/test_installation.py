"""The plugin's wheel goes into a gateway's environment and adds next to nothing; what is missing is said."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.environments import environment
from tests.support.pythons import find_python
from tests.support.rendering import RenderedPlugin
from tests.support.serving import Served, environ, run

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
            answer = side.open(served.endpoints[scheme])
            assert answer["raised"] == "StartError"
            assert "needs protobuf: install word-guard[connector] into the gateway" in answer["text"]


def test_outside_a_gateway_it_says_where_it_belongs(rendered: RenderedPlugin) -> None:
    load = [str(rendered.python), "-c", f"import {rendered.package}.runtime.connector"]
    done = subprocess.run(load, env=environ(rendered), capture_output=True, text=True, check=False)
    last = done.stderr.splitlines()[-1]
    assert "neither cpex.framework nor mcpgateway.plugins.framework is installed here" in last
    assert "install this package into the gateway's environment" in last


@pytest.mark.parametrize(
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
def test_wrong_settings_are_refused_at_the_start(newest: Gateway, config: dict[str, object], said: str) -> None:
    answer = newest.ask("open", name="WordGuard", hooks=["tool_pre_invoke"], config=config)
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
