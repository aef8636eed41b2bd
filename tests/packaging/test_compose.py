"""compose.yaml fits its schema; its gateway finds the plugin, with the certificates that it is given."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.environments import environment
from tests.support.rendering import RenderedPlugin
from tests.support.serving import run, serve

from .tools import linter

LOAD = """
import json, sys
from cpex.framework.loader.config import ConfigLoader
(plugin,) = ConfigLoader.load_config(sys.argv[1]).plugins
print(json.dumps({"name": plugin.name, "url": plugin.mcp.url, "tls": plugin.mcp.tls.model_dump()}))
"""


@pytest.fixture(scope="module")
def compose(plugin: RenderedPlugin) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((plugin.root / "compose.yaml").read_text())
    return found


def test_it_fits_the_schema(plugin: RenderedPlugin) -> None:
    words = ["--builtin-schema", "vendor.compose-spec"]
    assert linter("check-jsonschema", "check-jsonschema==0.39.0", *words, plugin.root / "compose.yaml") == ""


def test_plugin_and_gateway_are_among_themselves(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert compose["networks"]["plugins"] == {"internal": True}
    assert set(services["plugin"]["networks"]) == {"plugins"}
    assert "ports" not in services["plugin"]
    assert [name for name, service in services.items() if "plugins" in service.get("networks", [])] == [
        "plugin",
        "gateway",
    ]
    assert services["gateway"]["ports"] == ["127.0.0.1:4444:4444"]
    assert services["plugin"]["read_only"] is True
    secrets = {name: text for name, text in services["gateway"]["environment"].items() if "SECRET" in name}
    assert secrets and all(text.startswith("${") and ":?" in text for text in secrets.values())


def test_the_variables_are_those_of_the_server(plugin: RenderedPlugin, compose: dict[str, Any]) -> None:
    known = (plugin.root / ".env.template").read_text()
    assert all(f"#{name}=" in known for name in compose["services"]["plugin"]["environment"])


def test_the_gateways_file_is_what_gateway_config_prints(plugin: RenderedPlugin, compose: dict[str, Any]) -> None:
    settings = compose["services"]["plugin"]["environment"] | {"PLUGINS_SERVER_HOST": host(compose)}
    settings |= {name: "" for name in settings if name.endswith(("CERTFILE", "KEYFILE", "CA_CERTS"))}
    done = run(plugin, "gateway-config", "--client-dir", "/certs", **settings)
    assert done.returncode == 0, done.stderr
    printed = yaml.safe_load(done.stdout)
    # The gateway takes these from the plugin, whose config.yaml may have changed since the repository was rendered.
    for name in ("hooks", "mode", "priority"):
        del printed["plugins"][0][name]
    assert printed == yaml.safe_load((plugin.root / "deploy/gateway-plugins.yaml").read_text())


def host(compose: dict[str, Any]) -> str:
    (name,) = compose["services"]["plugin"]["networks"]["plugins"]["aliases"]
    return str(name)


def test_the_plugins_certificate_has_its_name(plugin: RenderedPlugin, compose: dict[str, Any]) -> None:
    assert host(compose) in run(plugin, "certs", "check").stdout


def test_the_gateways_certificate_may_call(plugin: RenderedPlugin, compose: dict[str, Any]) -> None:
    allowed = {"PLUGINS_SERVER_SSL_ALLOWED_CLIENTS": compose["services"]["plugin"]["environment"][
        "PLUGINS_SERVER_SSL_ALLOWED_CLIENTS"]}  # fmt: skip
    with serve(plugin, "http", "--tls", **allowed) as served:
        words = ["call", "--tls", "--endpoint", served.endpoints["https"], "tool_pre_invoke"]
        done = run(plugin, *words, '{"name": "search", "args": {}}', **allowed)
    assert done.returncode == 0, done.stderr


def test_the_certificates_that_are_copied_exist(
    plugin: RenderedPlugin, compose: dict[str, Any], tmp_path: Path
) -> None:
    script = compose["services"]["certificates"]["command"][0]
    for folder in ("plugin", "gateway", "data"):
        (tmp_path / folder).mkdir()
        script = script.replace(f" /{folder}", f" {tmp_path}/{folder}")
    script = script.replace("/from", str(plugin.root / "certs/mcp")).replace("chown", ": chown")
    subprocess.run(["sh", "-euc", script], check=True)
    assert (tmp_path / "plugin/server.key").stat().st_mode & 0o777 == 0o400
    wanted = {"plugin": {"server.crt", "server.key", "ca.crt"}, "gateway": {"client.crt", "client.key", "ca.crt"}}
    for folder, names in wanted.items():
        assert {path.name for path in (tmp_path / folder).iterdir()} == names


def test_cpex_reads_the_gateways_file(plugin: RenderedPlugin, tmp_path: Path) -> None:
    text = (plugin.root / "deploy/gateway-plugins.yaml").read_text()
    # cpex looks for the files while it reads.
    (tmp_path / "plugins.yaml").write_text(text.replace("/certs", str(plugin.root / "certs/mcp/gateway")))
    done = subprocess.run(
        [environment("cpex", ["cpex[grpc]==0.1.4"]), "-c", LOAD, tmp_path / "plugins.yaml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout)
    assert loaded["name"] == "PiiGuard"
    assert loaded["url"] == "https://mcp-plugin-pii-guard:8000/mcp"
    assert loaded["tls"]["certfile"].endswith("client.crt")
